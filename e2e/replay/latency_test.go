package replay

import "testing"

// latencyScenarios are about the median time to first token.
var latencyScenarios = []scenario{
	{"time to first token: no change", func(t *testing.T, add addLine) {
		w := world(10**scale, 22*day, 5000)
		w.Wait = func(_, _, _ int) float64 { return 1 }
		fa, seen := falseAlarms(replayAt(t, w, w.Interval, latency), mature, w, latency)
		add("false alarms of ExoBenchLatencyRegression in 180 days of five models", "", "%s, %s", rate(fa), kinds(seen))
		if fa.Low > 1 {
			t.Errorf("%s false alarms", rate(fa))
		}
	}},
	{"time to first token grows", func(t *testing.T, add addLine) {
		tr := trials{first: young, every: 60, length: 14}
		w := world(10, young+60*20, 5100)
		w.Wait = func(node, model, cycle int) float64 {
			if tr.at(model, cycle, w.Models) >= 0 {
				return []float64{1.2, 1.5}[node%2]
			}
			return 1
		}
		eps := replayAt(t, w, w.Interval, latency)
		for i, growth := range []string{"20 %", "50 %"} {
			delays := tr.delays(eps, w, func(n int) bool { return n%2 == i }, latency)
			add("by "+growth+": fires within 4 cycles", "", "%s of %d; median after %s", percent(within(delays, 4)), len(delays), median(delays))
			if within(delays, 4).Estimate < 0.9 {
				t.Errorf("growth by %s: %s", growth, percent(within(delays, 4)))
			}
		}
	}},
}
