package replay

import (
	"cmp"
	"math"
	"slices"
	"testing"
	"time"
)

// checkScenarios hold what the replay assumes against Prometheus' own pace.
var checkScenarios = []scenario{
	{"the same runs evaluated every 30 s and once a cycle", func(t *testing.T, add addLine) {
		w := world(6, 2*day+45, 4000)
		w.Effect = func(node, model, cycle int) float64 {
			if model == node%w.Models && cycle >= 2*day && cycle < 2*day+30 {
				return []float64{0.95, 0.9, 0.5}[node%3]
			}
			return 1
		}
		var coarse, fine []Episode
		t.Run("both", func(t *testing.T) {
			t.Run("fine", func(t *testing.T) {
				t.Parallel()
				fine = replayAt(t, w, 30*time.Second, throughput...)
			})
			t.Run("coarse", func(t *testing.T) { t.Parallel(); coarse = replay(t, w) })
		})
		by := func(a, b Episode) int {
			return cmp.Or(cmp.Compare(a.Alert, b.Alert), a.Node-b.Node, a.Model-b.Model, cmp.Compare(a.From, b.From))
		}
		slices.SortFunc(coarse, by)
		slices.SortFunc(fine, by)
		same := 0
		for i := range min(len(coarse), len(fine)) {
			c, f := coarse[i], fine[i]
			if c.Alert == f.Alert && c.Node == f.Node && c.Model == f.Model && math.Abs(math.Ceil(f.From)-c.From) <= 1 {
				same++
			}
		}
		add("alerts that fire in the same cycle or the next", "", "%d of %d (%d at 30 s)", same, len(coarse), len(fine))
		if len(coarse) == 0 || same < len(coarse)-1 || len(fine) > len(coarse)+1 {
			t.Errorf("once a cycle: %v\nevery 30 s: %v", coarse, fine)
		}
	}},
	{"scrapes that are stored just after an evaluation at their moment", func(t *testing.T, add addLine) {
		w := single(100, 2*day+20, 4600)
		w.Late = true
		w.Effect = func(_, _, cycle int) float64 {
			if cycle >= 2*day {
				return 0.9
			}
			return 1
		}
		tr := trials{first: 2 * day, every: 20, length: 20}
		delays := tr.delays(replayAt(t, w, 2*time.Minute, throughput...), w, every, drop)
		add("loss of 10 %: fires within 4 cycles", "", "%s of %d; median after %s", percent(within(delays, 4)), len(delays), median(delays))
		if within(delays, 4).Estimate < 0.95 {
			t.Errorf("%s", percent(within(delays, 4)))
		}
	}},
}
