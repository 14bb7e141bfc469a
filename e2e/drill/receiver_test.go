package drill

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// notification is what Alertmanager posts to a webhook.
type notification struct {
	Status      string            `json:"status"`
	Receiver    string            `json:"receiver"`
	GroupLabels map[string]string `json:"groupLabels"`
	Truncated   int               `json:"truncatedAlerts"`
	Alerts      []alert           `json:"alerts"`

	at   time.Time // when it came
	body []byte
}

type alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

// receiver takes webhooks and remembers all of them.
type receiver struct {
	URL string

	mu  sync.Mutex
	got []notification
}

func startReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		n := notification{at: time.Now()}
		var err error
		if n.body, err = io.ReadAll(req.Body); err == nil {
			err = json.Unmarshal(n.body, &n)
		}
		if err != nil {
			t.Errorf("%s of something that is no notification: %v: %s", req.Method, err, n.body)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, n)
	}))
	t.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

// after returns the notifications that came after the first n.
func (r *receiver) after(n int) []notification {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]notification(nil), r.got[n:]...)
}
