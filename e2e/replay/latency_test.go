package replay

import (
	"slices"
	"testing"
)

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
	{"a model is 10 % slower, and so are its first tokens", func(t *testing.T, add addLine) {
		tr := trials{first: young, every: 60, length: 14}
		after := trials{first: tr.first + tr.length, every: 60, length: 26}
		stays := func(node int) bool { return node%2 == 1 }
		w := world(20, young+60*10, 5200)
		w.Effect = tr.slower(w, 0.9)
		w.Wait = func(node, model, cycle int) float64 {
			if tr.at(model, cycle, w.Models) >= 0 || stays(node) && after.at(model, cycle, w.Models) >= 0 {
				return 1.2
			}
			return 1
		}
		eps := replayAt(t, w, w.Interval, drop, latency)
		dropped := within(tr.delays(eps, w, every, drop), tr.length)
		count := func(tr trials, some func(int) bool) (told, of int) {
			delays := tr.delays(eps, w, some, latency)
			return len(delays) - len(slices.DeleteFunc(slices.Clone(delays), func(d int) bool { return d > 0 })), len(delays)
		}
		beside, trials := count(tr, every)
		behind, back := count(after, func(node int) bool { return !stays(node) })
		add("ExoBenchLatencyRegression fires beside the drop", "< 3 %", "%d of %d", beside, trials)
		add("or after it, when both are back", "< 1 %", "%d of %d", behind, back)
		told := after.delays(eps, w, stays, latency)
		add("first tokens that stay slow: fires within 12 cycles from when decoding is back", "≥ 95 %", "%s of %d; median after %s",
			percent(within(told, 12)), len(told), median(told))
		if dropped.Estimate < 0.99 || beside*100 >= 3*trials || behind*100 >= back || within(told, 12).Estimate < 0.95 {
			t.Errorf("%s dropped; %d of %d told beside, %d of %d behind; %s of those that stay", percent(dropped), beside, trials, behind, back,
				percent(within(told, 12)))
		}
	}},
}
