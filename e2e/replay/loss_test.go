package replay

import (
	"math"
	"slices"
	"testing"

	"exo-bench-exporter/workload/judge/judgesim"
)

// lossScenarios make models slower: what matters is how soon and how surely that is found.
var lossScenarios = []scenario{
	{"sudden loss of one model", func(t *testing.T, add addLine) {
		tr := trials{first: mature, every: 60, length: 14}
		losses := []float64{0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.1, 0.1, 0.1, 0.2, 0.5}
		w := world(24**scale, mature+60*25, 2000)
		w.Effect = func(node, model, cycle int) float64 {
			if tr.at(model, cycle, w.Models) >= 0 {
				return 1 - losses[node%len(losses)]
			}
			return 1
		}
		eps, w := replays(t, 2, w)
		for _, c := range []struct {
			loss    float64
			cycles  int
			least   float64
			bar     string
			measure string
			alerts  []string
		}{
			{0.05, 8, 0.95, "≥ 95 %", "loss of 5 %: fires within 8 cycles", []string{drop, collapse}},
			{0.10, 4, 0.99, "≥ 99 %", "loss of 10 %: fires within 4 cycles", []string{drop, collapse}},
			{0.20, 3, 0.99, "", "loss of 20 %: fires within 3 cycles", []string{drop, collapse}},
			{0.50, 2, 1, "always", "loss of 50 %: ExoBenchThroughputCollapse fires within 2 cycles", []string{collapse}},
		} {
			delays := tr.delays(eps, w, func(n int) bool { return losses[n%len(losses)] == c.loss }, c.alerts...)
			got := within(delays, c.cycles)
			add(c.measure, c.bar, "%s of %d; median after %s", percent(got), len(delays), median(delays))
			if got.Estimate < c.least {
				t.Errorf("%s: %s", c.measure, percent(got))
			}
		}
	}},
	{"loss of 10 % that stays", func(t *testing.T, add addLine) {
		w := single(100, young+7*day+10, 3000)
		w.Effect = func(_, _, cycle int) float64 {
			if cycle >= young {
				return 0.9
			}
			return 1
		}
		var still, unbroken int
		end := float64(young + 7*day)
		for _, ep := range replay(t, w) {
			if ep.Alert == drop && ep.From <= end && ep.To >= end {
				still++
				if ep.From <= float64(young+8) {
					unbroken++
				}
			}
		}
		add("still fires after 7 days", "always", "%s of %d", percent(judgesim.Wilson(still, w.Nodes)), w.Nodes)
		add("has fired since the first 8 cycles without a break", "", "%s of %d", percent(judgesim.Wilson(unbroken, w.Nodes)), w.Nodes)
		if still < w.Nodes {
			t.Errorf("only %d of %d fire after 7 days", still, w.Nodes)
		}
	}},
	{"loss of 10 %, then half of it back", func(t *testing.T, add addLine) {
		w := single(100, young+2*day, 3100)
		w.Effect = func(_, _, cycle int) float64 {
			switch {
			case cycle < young:
				return 1
			case cycle < young+day/2:
				return 0.9
			}
			return 0.95
		}
		still := 0
		for _, ep := range replay(t, w) {
			if ep.Alert == drop && ep.From <= float64(young+4) && ep.To >= float64(young+2*day-1) {
				still++
			}
		}
		add("still fires a day and a half later", "", "%s of %d", percent(judgesim.Wilson(still, w.Nodes)), w.Nodes)
		if still < w.Nodes*8/10 {
			t.Errorf("only %d of %d still fire", still, w.Nodes)
		}
	}},
	{"loss of 10 % for 8 hours", func(t *testing.T, add addLine) {
		w := single(100, young+day, 3150)
		const hours8 = 48
		w.Effect = func(_, _, cycle int) float64 {
			if cycle >= young && cycle < young+hours8 {
				return 0.9
			}
			return 1
		}
		var after []int
		for _, ep := range replay(t, w) {
			if ep.Alert == drop && ep.From > float64(young) && ep.From <= float64(young+4) {
				after = append(after, int(math.Ceil(ep.To))-young-hours8+1)
			}
		}
		add("is resolved within 8 cycles of the recovery", "", "%s of %d; median after %s", percent(within(after, 8)), len(after), median(after))
		if len(after) < w.Nodes*9/10 || within(after, 8).Estimate < 0.9 {
			t.Errorf("of %d alarms these are the cycles from recovery to resolution: %v", w.Nodes, after)
		}
	}},
	{"loss of 1 % a day", func(t *testing.T, add addLine) {
		w := single(60, mature+8*day, 3200)
		w.Effect = func(_, _, cycle int) float64 {
			return 1 - 0.01*float64(max(0, cycle-mature))/float64(day)
		}
		eps := replay(t, w)
		for _, c := range []struct {
			measure string
			alerts  []string
		}{
			{"loss when ExoBenchThroughputDrift first fires", []string{drift}},
			{"loss when that or ExoBenchThroughputDrop first fires", []string{drift, drop}},
		} {
			var losses []float64
			for node := range w.Nodes {
				first := math.Inf(1)
				for _, ep := range between(eps, mature, w.Cycles, c.alerts...) {
					if ep.Node == node {
						first = min(first, ep.From)
					}
				}
				losses = append(losses, (first-float64(mature))/float64(day))
			}
			slices.Sort(losses)
			worst := losses[len(losses)-1]
			add(c.measure, "< 12 %", "%.1f %% (median), %.1f %% (worst of %d)", losses[len(losses)/2], worst, len(losses))
			if worst > 12 {
				t.Errorf("%s: %.1f %%", c.measure, worst)
			}
		}
	}},
	{"all models of a node lose 10 % at once", func(t *testing.T, add addLine) {
		const lasts, apart, times = 14, 60, 5
		w := world(30, young+apart*times, 3300)
		onset := func(k int) int { return young + k*apart }
		w.Effect = func(_, _, cycle int) float64 {
			if k := cycle - young; k >= 0 && k%apart < lasts {
				return 0.9
			}
			return 1
		}
		eps := replay(t, w)
		var fired, alone int
		for node := range w.Nodes {
			for k := range times {
				first, beside := math.Inf(1), false
				for _, ep := range between(eps, onset(k), onset(k)+lasts, allSlow) {
					if ep.Node == node {
						first = min(first, ep.From)
					}
				}
				for _, ep := range between(eps, onset(k), onset(k)+lasts, drop, collapse, drift) {
					if ep.Node == node && ep.From < first { // nothing inhibits it when it begins
						beside = true
					}
				}
				if first <= float64(onset(k)+4) {
					fired++
				}
				if !beside {
					alone++
				}
			}
		}
		runs := w.Nodes * times
		add("ExoBenchAllModelsSlow fires within 4 cycles", "one alert", "%s of %d", percent(judgesim.Wilson(fired, runs)), runs)
		add("no alert about a single model comes before it", "inhibited", "%s of %d", percent(judgesim.Wilson(alone, runs)), runs)
		if fired < runs*99/100 || alone < runs*99/100 {
			t.Errorf("%d fired and %d alone, of %d", fired, alone, runs)
		}
	}},
}
