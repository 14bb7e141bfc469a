package cluster

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

const (
	// maxWait bounds how long an answer may be waited for. It is below the time that the HTTP
	// server lets a request take.
	maxWait = 8 * time.Second
	// maxWaiting is how many answers may be waited for at the same time; more get theirs at once.
	maxWaiting = 32
)

// ServeHTTP answers with the State as JSON. With the parameters run and seq of an earlier
// answer, and wait, a duration of at most 8 s, the answer comes when it differs from that one,
// or when that time has passed.
func (f *Feed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var wait time.Duration
	if v := q.Get("wait"); v != "" {
		var err error
		if wait, err = time.ParseDuration(v); err != nil || wait < 0 {
			http.Error(w, "wait: want a duration such as 8s", http.StatusBadRequest)
			return
		}
	}
	state, changed := f.State()
	if wait > 0 && q.Get("run") == state.Run && q.Get("seq") == strconv.FormatUint(state.Seq, 10) {
		f.await(r, changed, min(wait, maxWait))
		state, _ = f.State()
	}
	select {
	case <-f.closed:
		http.Error(w, "This exporter is ending.", http.StatusServiceUnavailable)
		return
	case <-r.Context().Done():
		return
	default:
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(state) // fails only where the client has gone
}

// await returns when there is something to answer.
func (f *Feed) await(r *http.Request, changed <-chan struct{}, wait time.Duration) {
	select {
	case f.places <- struct{}{}:
		defer func() { <-f.places }()
	default:
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-f.closed:
	case <-r.Context().Done():
	}
}
