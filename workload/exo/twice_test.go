package exo

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"exo-bench-exporter/workload"
)

// Something on the way sends every event twice: it is measured as if it came once, and said.
func TestEventsThatComeTwice(t *testing.T) {
	const n = 16
	for name, end := range map[string]string{
		"counted by usage": useOf(40, n, 0),
		"nobody counts":    "",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var steps []step
				for i := range n {
					word := tok(fmt.Sprintf(" word%d", i))
					steps = append(steps, step{10 * ms, word + word})
				}
				steps = append(steps, step{ms, data(`{}`, "length", end) + doneEvent})
				node := newFakeNode(t, map[string]http.HandlerFunc{pathV1: stream(nil, steps...)})
				var log strings.Builder
				s := node.session(workload.DialectOpenAI, func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
				r := s.Measure(t.Context(), request(4*n))
				rate, _ := r.DecodeRate()
				if !r.OK() || r.OutputTokens != n || rate < 99 || rate > 101 || len(r.Gaps) != n-1 || r.Coalesced != 0 {
					t.Errorf("%s (%s): %d tokens, %.1f a second, %d gaps, %d coalesced", r.Outcome, r.Err, r.OutputTokens, rate, len(r.Gaps), r.Coalesced)
				}
				if r.TokenEvents != n || r.ExtraEvents != n || !r.TokenMismatch {
					t.Errorf("%d events and %d more, mismatch %v", r.TokenEvents, r.ExtraEvents, r.TokenMismatch)
				}
				if !strings.Contains(log.String(), "comes twice") {
					t.Errorf("the log says %q", log.String())
				}
			})
		})
	}
}
