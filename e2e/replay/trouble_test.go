package replay

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// troubleScenarios have failures of everything that measures; none of them is a loss of speed.
var troubleScenarios = []scenario{
	{"gaps: 5 % of turns fail, exporter restarts daily, exo dead for 20 cycles", func(t *testing.T, add addLine) {
		const dead, back = young + 100, young + 120
		w := world(20, young+1200, 3400)
		tr := trials{first: young + 200, every: 60, length: 14}
		w.Effect = func(node, model, cycle int) float64 {
			r := rand.New(rand.NewPCG(uint64(cycle), uint64(node*8+model)))
			switch {
			case cycle >= dead && cycle < back || r.Float64() < 0.05:
				return Missing
			case tr.at(model, cycle, w.Models) >= 0:
				return 0.9
			}
			return 1
		}
		w.Restart = func(node, cycle int) bool { return (cycle+7*node)%day == 0 }
		eps := replay(t, w)
		around := between(eps, dead, back+10, throughput...)
		delays := tr.delays(eps, w, every, drop, collapse)
		got := within(delays, 4)
		add("throughput alarms while exo is dead and in the 10 cycles after", "none", "%d in %d runs", len(around), w.Nodes)
		add("loss of 10 %: fires within 4 cycles, missing ones counted", "", "%s of %d", percent(got), len(delays))
		if len(around) > 0 || got.Estimate < 0.9 {
			t.Errorf("alarms around the gap: %v; power %s", around, percent(got))
		}
	}},
	{"exporter restarts before every seventh cycle", func(t *testing.T, add addLine) {
		tr := trials{first: young + day, every: 60, length: 14}
		w := world(20, young+day+60*10, 4100)
		w.Effect = tr.slower(w, 0.9)
		plain := w
		plain.Cycles = tr.first
		w.Restart = func(node, cycle int) bool { return (cycle+node)%7 == 0 }
		without, with := replay(t, plain), replay(t, w)
		got := within(tr.delays(with, w, every, drop, collapse), 4)
		steady := between(with, 0, tr.first, throughput...)
		extra := slices.DeleteFunc(slices.Clone(steady), func(ep Episode) bool {
			return slices.ContainsFunc(without, func(o Episode) bool {
				return o.Alert == ep.Alert && o.Node == ep.Node && o.Model == ep.Model && math.Abs(o.From-ep.From) < 3
			})
		})
		add("throughput alarms in 4 days that the same runs without restarts do not have", "none", "%d in %d runs", len(extra), w.Nodes)
		add("loss of 10 %: fires within 4 cycles", "≥ 99 %", "%s of %d", percent(got), w.Nodes*10)
		if len(extra) > 0 || got.Estimate < 0.99 {
			t.Errorf("alarms by restarts: %v; power %s", extra, percent(got))
		}
	}},
	{"Prometheus' clock is set forward by 2 hours", clockStep(2*time.Hour, 4200)},
	{"Prometheus' clock is set back by 2 hours", clockStep(-2*time.Hour, 4300)},
	{"a model is removed from the configuration while it is slow", func(t *testing.T, add addLine) {
		gone, again := young+8, young+100
		onset := float64(young)
		w := world(40, young+200, 4400)
		w.Effect = func(node, model, cycle int) float64 {
			if model == node%5 && cycle >= young && cycle < again {
				return 0.9
			}
			return 1
		}
		w.Removed = func(node, model, cycle int) bool { return model == node%5 && cycle >= gone && cycle < again }
		fired, late := 0, 0
		var others []Episode
		for _, ep := range replay(t, w) {
			switch {
			case ep.Alert == drop && ep.Model == ep.Node%5 && ep.From > onset && ep.From <= float64(gone):
				fired++
				if ep.To > float64(gone+4) {
					late++
				}
			case ep.From > onset:
				others = append(others, ep)
			}
		}
		add("its alarm lasts longer than 4 cycles", "none", "%d of %d", late, fired)
		add(
			"other throughput alarms in the 200 cycles around, in which it comes back at full speed", "none", "%d in %d runs", len(others), w.Nodes,
		)
		if fired < w.Nodes*9/10 || late > 0 || len(others) > 0 {
			t.Errorf("%d of %d fired before, %d lasted; others: %v", fired, w.Nodes, late, others)
		}
	}},
	{"failures", func(t *testing.T, add addLine) {
		kinds := []struct {
			trouble Trouble
			alert   string
			name    string
		}{
			{ExoDead, "ExoBenchExoDown", "exo dead"},
			{ModelFailing, "ExoBenchModelFailing", "one model fails"},
			{ExporterGone, "ExoBenchExporterDown", "exporter gone"},
			{CyclesStuck, "ExoBenchStale", "cycles stuck"},
		}
		// The onset is when the baseline has just come to be, and throughput alerts with it; at
		// another point of the cycle on each node.
		const lasts, runs = 10, 25
		onset := func(node int) float64 { return 90 + float64(node/len(kinds))/runs }
		w := world(runs*len(kinds), 112, 4500)
		w.Trouble = func(node int, time float64) Trouble {
			if since := time - onset(node); since >= 0 && since < lasts {
				return kinds[node%len(kinds)].trouble
			}
			return Well
		}
		alerts := slices.Clone(throughput)
		for _, k := range kinds {
			alerts = append(alerts, k.alert)
		}
		eps := replayAt(t, w, time.Minute, alerts...)
		for i, k := range kinds {
			worst, found := 0.0, 0
			for node := i; node < w.Nodes; node += len(kinds) {
				for _, ep := range eps {
					if since := ep.From - onset(node); ep.Node == node && ep.Alert == k.alert && since > 0 && since <= lasts {
						worst = max(worst, since)
						found++
						break
					}
				}
			}
			add(k.name+": cycles until "+k.alert, "≤ 2", "%.1f (latest of %d)", worst, found)
			if found < runs || worst > 2 {
				t.Errorf("%s: %d of %d raised %s, after %.2f cycles at most", k.name, found, runs, k.alert, worst)
			}
		}
		beside := between(eps, 0, w.Cycles, throughput...)
		add("throughput alarms before, beside and after", "none", "%d in %d runs", len(beside), w.Nodes)
		if len(beside) > 0 {
			t.Errorf("throughput alarms: %v", beside)
		}
	}},
}

// slower returns an effect that gives a model the share of its speed while a trial of it lasts.
func (tr trials) slower(w World, share float64) func(node, model, cycle int) float64 {
	return func(_, model, cycle int) float64 {
		if tr.at(model, cycle, w.Models) >= 0 {
			return share
		}
		return 1
	}
}

// clockStep sets Prometheus' clock by the given time, once.
func clockStep(by time.Duration, seed uint64) func(*testing.T, addLine) {
	return func(t *testing.T, add addLine) {
		tr := trials{first: young + 60, every: 60, length: 14}
		w := world(40, young+60+60*5, seed)
		w.Clock = func(cycle int) time.Duration {
			if cycle >= young {
				return by
			}
			return 0
		}
		w.Effect = tr.slower(w, 0.9)
		eps := replay(t, w)
		around := between(eps, young-1, young+40, throughput...)
		got := within(tr.delays(eps, w, every, drop, collapse), 4)
		add("throughput alarms in the 40 cycles after", "none", "%d in %d runs", len(around), w.Nodes)
		add("loss of 10 % from 10 hours on: fires within 4 cycles", "≥ 99 %", "%s of %d", percent(got), w.Nodes*5)
		if len(around) > 0 || got.Estimate < 0.99 {
			t.Errorf("alarms after the step: %v; power %s", around, percent(got))
		}
	}
}
