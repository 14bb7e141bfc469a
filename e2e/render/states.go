package render

import (
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
)

const (
	cycle = 15 * time.Minute
	// lead is how long the program runs before the moment at which the dashboards are looked at.
	lead = 90 * time.Minute
)

// state is what a node and what watches it are in when somebody looks.
type state struct {
	name string
	// young has no history: the program was started an hour before the moment of looking.
	young   bool
	noRules bool
	setting
	// events happen so long before the moment of looking.
	events []event
	// story is what happened, cycle by cycle of setting's interval, to a node that is not measured here; nil to measure one.
	story *story
	// chosen are the reader's choices, by variable, and period what is looked at: the dashboards' own when zero.
	chosen map[string]string
	period time.Duration
}

type event struct {
	before time.Duration
	happen func(r *run) error
}

// The models that something happens to.
const (
	failing = "qwen-1.5-7b"
	slower  = "mistral-7b"
)

// states are all that the dashboards are looked at in.
var states = []state{
	{name: "firstday", young: true, setting: setting{simulated: true, interval: 5 * time.Minute}},
	{name: "healthy"},
	{name: "modelfails", chosen: map[string]string{"model": failing}, events: []event{
		goesWrong(50*time.Minute, exosim.Fault{Kind: exosim.RunnerFails, Model: failing, Message: "out of memory"}),
	}},
	{name: "exodown", events: []event{goesWrong(3*time.Minute, exosim.Fault{Kind: exosim.Unreachable})}},
	{name: "exporterdown", events: []event{{10 * time.Minute, func(r *run) error { return r.stop() }}}},
	{name: "norules", young: true, noRules: true},
	{name: "removed", setting: setting{models: without(failing)}},
	{name: "slower", chosen: map[string]string{"model": slower}, events: []event{
		goesWrong(lead-time.Minute, exosim.Fault{Kind: exosim.Slow, Model: slower, Percent: 10}),
		{lead - time.Minute, func(r *run) error { r.host.swap(); return nil }},
	}},
	disturbed,
	{name: "changed", story: &changed, chosen: map[string]string{"model": partly}},
	{name: "allslow", story: &allSlow, chosen: map[string]string{"model": slower}},
	{
		name: "month", story: &month, setting: setting{interval: time.Hour}, period: monthLong,
		chosen: map[string]string{"model": drifting, "yesterday": longAgo, "offset": longAgo, "window": "7d"},
	},
}

func goesWrong(before time.Duration, f exosim.Fault) event {
	return event{before, func(r *run) error {
		_, err := r.node.Inject(f)
		return err
	}}
}

func without(model string) []string {
	var names []string
	for _, m := range workload.DefaultModels() {
		if m.Name != model {
			names = append(names, m.Name)
		}
	}
	return names
}

// now is the moment at which a state is looked at.
func (s state) now() time.Time {
	switch {
	case s.story != nil:
		return epoch.Add(s.story.long)
	case s.young:
		return epoch.Add(time.Hour)
	}
	return measured[len(measured)-1].to.Add(lead)
}

// epoch is when time begins in a bubble.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
