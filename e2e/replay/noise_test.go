package replay

import (
	"math/rand/v2"
	"testing"
	"time"
)

// noiseScenarios have noise unlike the reference.
var noiseScenarios = []scenario{
	{"noise ten times as high", func(t *testing.T, add addLine) {
		w := single(50**scale, 22*day, 3500)
		w.NoiseFactor = func(_, _ int) float64 { return 10 }
		fa, seen := falseAlarms(replay(t, w), mature, w, throughput...)
		add("false alarms in 180 days of five such models", "", "%s, %s", rate(fa), kinds(seen))
		if fa.Low > 1 {
			t.Errorf("%s false alarms", rate(fa))
		}
	}},
	{"noise that carries over more (lag-1 autocorrelation 0.8)", steady(3600, func(w *World) {
		w.Noise.Rho = 0.8
	})},
	{"noise that all models of a node have in common", steady(3700, func(w *World) {
		w.Noise.Common = 1
	})},
	{"weekly habit: 3 % slower in office hours", steady(3800, func(w *World) {
		w.Effect = func(_, _, cycle int) float64 {
			at := Start.Add(time.Duration(cycle) * interval)
			if d := at.Weekday(); d != time.Saturday && d != time.Sunday && at.Hour() >= 9 && at.Hour() < 18 {
				return 0.97
			}
			return 1
		}
	})},
	{"ten prompts, noise and outliers of each request by itself", prompts(false)},
	{"the same, one pooled rate of all prompts", prompts(true)},
}

// steady counts the false alarms in a world whose noise is changed, and then has losses found in it.
func steady(seed uint64, change func(*World)) func(*testing.T, addLine) {
	return func(t *testing.T, add addLine) {
		tr := trials{first: 22 * day, every: 60, length: 20}
		w := world(10**scale, tr.first+60*10, seed)
		change(&w)
		habit := w.Effect
		w.Effect = func(node, model, cycle int) float64 {
			effect := tr.slower(w, 0.9)(node, model, cycle)
			if habit != nil {
				effect *= habit(node, model, cycle)
			}
			return effect
		}
		eps := replay(t, w)
		delays := tr.delays(eps, w, every, drop, collapse)
		w.Cycles = tr.first
		fa, seen := falseAlarms(eps, mature, w, throughput...)
		add("false alarms in 180 days of five models", "", "%s, %s", rate(fa), kinds(seen))
		add("loss of 10 %: fires within 8 cycles", "", "%s of %d; median after %s", percent(within(delays, 8)), len(delays), median(delays))
	}
}

// prompts has small losses found in turns of ten prompts whose requests scatter by themselves, and
// of which one in fifty fails.
func prompts(pooled bool) func(*testing.T, addLine) {
	return func(t *testing.T, add addLine) {
		tr := trials{first: young, every: 60, length: 14}
		w := world(6, young+60*20, 3900)
		w.Prompts, w.Pooled = 10, pooled
		w.Noise = Noise{SD: 0.0075, Rho: 0.5, PromptSD: 0.03, PromptOutliers: 0.02, OutlierLoss: 0.3}
		w.Effect = func(node, model, cycle int) float64 {
			if tr.at(model, cycle, w.Models) >= 0 {
				return []float64{0.97, 0.96, 0.95}[node%3]
			}
			return 1
		}
		w.PromptGone = func(node, model, prompt, cycle int) bool {
			return rand.New(rand.NewPCG(uint64(cycle*16+prompt), uint64(node*8+model))).Float64() < 0.02
		}
		eps := replay(t, w)
		for i, loss := range []string{"3 %", "4 %", "5 %"} {
			delays := tr.delays(eps, w, func(n int) bool { return n%3 == i }, drop, collapse)
			add("loss of "+loss+": fires within 8 cycles", "", "%s of %d; median after %s", percent(within(delays, 8)), len(delays), median(delays))
			if loss == "5 %" && !pooled && within(delays, 8).Estimate < 0.95 {
				t.Errorf("loss of %s: %s", loss, percent(within(delays, 8)))
			}
		}
	}
}
