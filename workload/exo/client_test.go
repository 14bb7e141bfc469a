package exo

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

// Over real sockets, each prompt has a connection of its own, whose making is not counted.
func TestMeasureOverTCP(t *testing.T) {
	const apart = 40 * ms // more than a busy machine lets a reader wait
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			reply(200, `{"data":[{"id":"org/m"}]}`)(w, r)
			return
		}
		if !r.Close {
			t.Error("a prompt left its connection open")
		}
		stream(nil, step{0, tok("a")}, step{apart, data(`{"content":"b"}`, "stop", useOf(9, 2, 0))}, step{0, doneEvent})(w, r)
	}))
	defer srv.Close()
	c, err := New(Options{BaseURL: srv.URL + "/v1/"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	s, err := c.Open(t.Context(), workload.Model{Name: "m", ExoID: "org/m"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		r := s.Measure(t.Context(), request(4))
		if !r.OK() || r.Connect <= 0 || r.Decode < apart/2 || r.Decode > time.Second || len(r.Gaps) != 1 || r.OutputTokens != 2 {
			t.Errorf("%s (%s): connect %v, decode %v, gaps %v, %d tokens", r.Outcome, r.Err, r.Connect, r.Decode, r.Gaps, r.OutputTokens)
		}
	}
}
