package exo

import (
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

// Over a real connection every read of the answer is compared with the kernel's own time.
func TestLatenessOfStampsIsKnown(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(stream(nil, step{ms, tok("a")}, step{10 * ms, tok("b")},
		step{10 * ms, data(`{"role":"assistant","content":"c"}`, "length", useOf(9, 3, 0)) + doneEvent}))
	defer srv.Close()
	c, err := New(Options{BaseURL: srv.URL, Dialect: workload.DialectOpenAI, StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s := &session{client: c, dialect: c.fixed, model: "m", id: "org/m"}
	r := s.Measure(t.Context(), request(3))
	if !r.OK() {
		t.Fatalf("%s: %s", r.Outcome, r.Err)
	}
	if len(r.StampLateness) == 0 {
		t.Skip("this kernel does not tell when bytes came")
	}
	if len(r.StampLateness) < 3 || slices.Min(r.StampLateness) < 0 || slices.Max(r.StampLateness) > time.Minute {
		t.Errorf("reads of three events were %v late", r.StampLateness)
	}
}
