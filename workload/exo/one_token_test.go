package exo

import (
	"net/http"
	"testing"
	"testing/synctest"

	"exo-bench-exporter/workload"
)

// A server's decode rate that was made of a single token says nothing of decoding: llama.cpp divides by the
// microseconds that the token took to be handed over.
func TestOneTokenHasNoRate(t *testing.T) {
	const timings = `,"timings":{"prompt_n":43,"prompt_per_second":174.7,"predicted_n":1,"predicted_ms":0.028,"predicted_per_second":35714.3}}`
	last := data(`{}`, "length", useOf(43, 1, 0))
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNode(t, map[string]http.HandlerFunc{pathV1: stream(nil, step{100 * ms, tok("a")},
			step{ms, last[:len(last)-3] + timings + "\n\n" + doneEvent})})
		r := n.session(workload.DialectOpenAI, nil).Measure(t.Context(), request(1))
		if !r.OK() || r.Server == nil || r.Server.GenerationTPS != 0 || r.Server.PromptTPS != 174.7 {
			t.Errorf("%s (%s): the server's figures are %+v", r.Outcome, r.Err, r.Server)
		}
	})
}
