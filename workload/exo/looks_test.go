package exo_test

import (
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo"
	"exo-bench-exporter/workload/exosim"
)

// counter counts the GETs that pass.
type counter struct {
	http.RoundTripper
	mu    sync.Mutex
	paths map[string]int
}

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	if r.Method == http.MethodGet {
		c.paths[r.URL.Path]++
	}
	c.mu.Unlock()
	return c.RoundTripper.RoundTrip(r)
}

// take returns what passed since it was called last.
func (c *counter) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.paths
	c.paths = map[string]int{}
	return got
}

// Every look at exo's state costs exo a dump of all of it: a prompt costs three, and one at the power before it where exo
// shows any; while it is answered there is none in the first second, and then one a second at most. A turn reads the
// catalogue once.
func TestLooksOfAPrompt(t *testing.T) {
	for name, variant := range map[string]exosim.Variant{"HEAD": exosim.HEAD, "v1.0.71": exosim.V1071} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var calls *counter
				node, s := openSim(t, exosim.Options{Variant: variant}, "llama-3.2-1b", func(o *exo.Options) {
					calls = &counter{RoundTripper: o.Transport, paths: map[string]int{}}
					o.Transport = calls
				})
				if got := calls.take(); got["/models"]+got["/v1/models"] != 1 {
					t.Errorf("opening read %v: the catalogue once is enough", got)
				}
				req := workload.Request{
					Model: "llama-3.2-1b", Prompt: workload.Prompt{ID: "p", MaxTokens: 64, Messages: []workload.Message{{Role: "user", Content: "Hi"}}},
				}
				for i, after := range []int{0, 0, 0, 0, 20} {
					if after > 0 {
						if _, err := node.Inject(exosim.Fault{Kind: exosim.ErrorEvent, After: after, Count: 1}); err != nil {
							t.Fatal(err)
						}
					}
					r := s.Measure(t.Context(), req)
					if r.OK() != (after == 0) || r.Contended {
						t.Errorf("request %d: %s %s, contended: %v", i, r.Outcome, r.Err, r.Contended)
					}
					got, looks := calls.take(), 0
					if n := got["/state/nodeSystem"]; n != 1+int(r.E2E.Seconds()) {
						t.Errorf("request %d of %s looked %d times at the power", i, r.E2E, n)
					}
					delete(got, "/state/nodeSystem")
					for path, n := range got {
						if !strings.HasPrefix(path, "/state/") {
							t.Errorf("request %d read %s", i, path)
						}
						looks += n
					}
					want := map[string]int{"/state/tasks": 2, "/state/lastEventAppliedIdx": 1}
					if after > 0 { // the instances say more than the tasks
						want = map[string]int{"/state/tasks": 1, "/state/instances": 1, "/state/runners": 1}
					}
					if looks > 3 || !maps.Equal(got, want) {
						t.Errorf("request %d read %v, want %v", i, got, want)
					}
				}
				if err := s.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
