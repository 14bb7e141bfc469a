package replay

import (
	"testing"

	"exo-bench-exporter/workload/judge/judgesim"
)

// steadyScenarios change nothing: every alarm is a false one.
var steadyScenarios = []scenario{
	{"no change", func(t *testing.T, add addLine) {
		eps, w := replays(t, 4, world(16**scale, 22*day, 1000))
		fa, seen := falseAlarms(eps, mature, w, throughput...)
		firstDay := between(eps, 0, day, throughput...)
		early := map[int]bool{}
		for _, ep := range between(eps, day, mature, throughput...) {
			early[ep.Node] = true
		}
		add("false alarms of all throughput alerts in 180 days of five models", "≤ 1", "%s, %s", rate(fa), kinds(seen))
		add("false alarms on the first day after installation", "none", "%d in %d installations", len(firstDay), w.Nodes)
		add("installations with a false alarm in days 2 to 8", "", "%s", percent(judgesim.Wilson(len(early), w.Nodes)))
		if fa.Estimate > 1 {
			t.Errorf("%s false alarms in 180 days over five models, want at most 1", rate(fa))
		}
		if len(firstDay) > 0 {
			t.Errorf("%d alarms on the first day", len(firstDay))
		}
	}},
}
