package exo

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
)

// vLLM's own figures of a request are what it added to the sums, where it was the only one.
func TestVLLMsOwnFigures(t *testing.T) {
	for _, tc := range []struct {
		name    string
		ended   int           // requests that end with ours
		late    time.Duration // after the answer, until the sums show it
		status  int
		prompt  float64
		decode  float64
		unknown bool
	}{
		{"alone", 1, 0, 200, 400, 100, false},
		{"alone, and counted a little later", 1, 80 * ms, 200, 400, 100, false},
		{"beside another", 2, 0, 200, 0, 0, true},
		{"never counted", 1, time.Hour, 200, 0, 0, true},
		{"without metrics", 1, 0, 404, 0, 0, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var counted atomic.Int64
				metrics := func(w http.ResponseWriter, _ *http.Request) {
					n := counted.Load()
					w.WriteHeader(tc.status)
					for _, engine := range []string{"0", "1"} { // the sums are of all engines
						own := int64(0)
						if engine == "1" {
							own = n
						}
						fmt.Fprintf(
							w, "# HELP vllm:prompt_tokens_total Number of prefill tokens\nvllm:prompt_tokens_total{engine=%q,model_name=\"a b\"} %d\n", engine,
							1000+40*own,
						)
						fmt.Fprintf(
							w, "vllm:generation_tokens_total{engine=%q} %d\nvllm:request_prefill_time_seconds_sum{engine=%q} %v\n", engine, 500+32*own, engine,
							3+0.1*float64(own),
						)
						fmt.Fprintf(
							w, "vllm:request_decode_time_seconds_sum{engine=%q} %v\nvllm:request_decode_time_seconds_count{engine=%q} %d\n", engine,
							7+0.31*float64(own), engine, 9+own,
						)
						fmt.Fprintf(w, "vllm:request_decode_time_seconds_bucket{le=\"0.3\"} 4\nvllm:generation_tokens_created %d\n", n)
					}
				}
				n := newFakeNode(t, map[string]http.HandlerFunc{
					"/v1/models": reply(200, `{"data":[{"id":"org/m","owned_by":"vllm"}]}`), "/metrics": metrics,
					pathV1: func(w http.ResponseWriter, r *http.Request) {
						stream(nil, append(spoken(32, aWord), ending(32))...)(w, r)
						time.AfterFunc(tc.late, func() { counted.Add(int64(tc.ended)) })
					},
				})
				s, err := n.client(nil).Open(t.Context(), workload.Model{Name: "m", ExoID: "org/m"})
				if err != nil {
					t.Fatal(err)
				}
				r := s.Measure(t.Context(), request(32))
				if !r.OK() || (r.Server == nil) != tc.unknown {
					t.Fatalf("%s (%s), server %+v", r.Outcome, r.Err, r.Server)
				}
				if tc.unknown {
					return
				}
				if p, d := r.Server.PromptTPS, r.Server.GenerationTPS; p < tc.prompt-1 || p > tc.prompt+1 || d < tc.decode-1 || d > tc.decode+1 {
					t.Errorf("server %v and %v tokens a second, want %v and %v", p, d, tc.prompt, tc.decode)
				}
			})
		})
	}
	// Other servers are not asked.
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNode(t, map[string]http.HandlerFunc{
			"/v1/models": reply(200, `{"data":[{"id":"org/m"}]}`), pathV1: stream(nil, append(spoken(4, aWord), ending(4))...),
		})
		s, err := n.client(nil).Open(t.Context(), workload.Model{Name: "m", ExoID: "org/m"})
		if err != nil {
			t.Fatal(err)
		}
		s.Measure(t.Context(), request(4))
		if all := strings.Join(n.paths(), " "); strings.Contains(all, "/metrics") {
			t.Errorf("asked %s", all)
		}
	})
}
