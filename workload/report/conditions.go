package report

import (
	"fmt"
	"slices"

	"exo-bench-exporter/workload"
)

// Meanwhile is how it was on the exporter's machine while a model's requests were measured. It explains figures, and is none of the
// model.
type Meanwhile struct {
	Short  Figure // share of turns in which the machine was short of something
	Slowed Figure // share of turns in which it was slowed down
	// ShortMost and SlowedMost are the worst of each thing that is told.
	ShortMost, SlowedMost []Trouble
}

// Trouble is the worst of one thing that a machine tells: its severity on a scale of its own, and what it was in words.
type Trouble struct {
	Moment
	Words string
	of    string
}

// shortage is the share of the time from which on that tasks waited for a resource counts as want of it.
const shortage = 0.1

// Why nothing is known of a machine.
const (
	notWatched = "the machine was not watched, as where exo is on another one"
	noPressure = "this system tells no pressure"
	noHeat     = "this system tells neither throttling nor limits"
)

// meanwhile is of the turns that figures are made of.
func (a *analysis) meanwhile(model string) (m Meanwhile) {
	if a.options.Recalled {
		m.Short.Absent, m.Slowed.Absent = notRecalled, notRecalled
		return m
	}
	watched := false
	var short, slowed tally
	for _, t := range a.side.Turns[model] {
		if t.Conditions.Seconds <= 0 {
			continue
		}
		watched = true
		short.add(t, wants(t.Conditions))
		slowed.add(t, brakes(t.Conditions))
	}
	noneShort, noneSlowed := noPressure, noHeat
	switch {
	case len(a.side.Turns[model]) == 0:
		noneShort, noneSlowed = noRequest, noRequest
	case !watched:
		noneShort, noneSlowed = notWatched, notWatched
	}
	return Meanwhile{
		share(short.bad, short.of, "turns", noneShort), share(slowed.bad, slowed.of, "turns", noneSlowed), short.worst, slowed.worst,
	}
}

// sign is one thing that a machine tells: what, how bad it is, with 0 for not at all, and in words.
type sign struct {
	of       string
	severity float64
	words    string
}

// wants are what a machine tells of shortage.
func wants(c workload.Conditions) (all []sign) {
	for _, resource := range workload.Resources() {
		p, ok := c.Pressure[resource]
		if !ok {
			continue
		}
		s := sign{of: string(resource), words: fmt.Sprintf("tasks waited for %s %.0f %% of the time", resources[resource], 100*p.Waiting)}
		if p.Waiting >= shortage {
			s.severity = p.Waiting
		}
		all = append(all, s)
	}
	if level := c.MemoryPressure; level != nil {
		all = append(all, sign{"memory pressure", float64(*level - 1), "memory pressure " + memoryLevels[*level]})
	}
	return all
}

// brakes are what a machine tells of being slowed down.
func brakes(c workload.Conditions) (all []sign) {
	for _, n := range []struct {
		count *uint64
		of    string
	}{{c.CoreThrottles, "cores"}, {c.PackageThrottles, "processors as a whole"}} {
		if n.count != nil {
			all = append(all, sign{n.of, float64(*n.count), fmt.Sprintf("%s slowed down for heat %d ×", n.of, *n.count)})
		}
	}
	if limit := c.FrequencyLimit; limit != nil {
		all = append(all, sign{"limit", 1 - *limit, fmt.Sprintf("processors limited to %.0f %% of their frequency", 100**limit)})
	}
	if level := c.ThermalPressure; level != nil {
		all = append(all, sign{"thermal pressure", float64(*level), "thermal pressure " + thermalLevels[*level]})
	}
	return all
}

var (
	resources = map[workload.Resource]string{
		workload.ResourceCPU: "the processor", workload.ResourceMemory: "memory", workload.ResourceIO: "the disk",
	}
	memoryLevels  = map[int]string{1: "normal", 2: "at the warning level", 4: "critical"}
	thermalLevels = map[int]string{0: "nominal", 1: "moderate", 2: "heavy", 3: "trapping", 4: "sleeping"}
)

// tally counts turns in which something was bad.
type tally struct {
	bad, of int
	worst   []Trouble
}

// add counts a turn of which there are signs; where there are none, nothing is known of it.
func (n *tally) add(t workload.Turn, signs []sign) {
	if len(signs) == 0 {
		return
	}
	n.of++
	bad := false
	for _, s := range signs {
		if s.severity > 0 {
			bad = true
			n.note(Trouble{Moment{t.Start.UTC(), s.severity}, s.words, s.of})
		}
	}
	if bad {
		n.bad++
	}
}

// note keeps what is the worst of its kind.
func (n *tally) note(now Trouble) {
	i := slices.IndexFunc(n.worst, func(t Trouble) bool { return t.of == now.of })
	switch {
	case i < 0:
		n.worst = append(n.worst, now)
	case now.Value > n.worst[i].Value:
		n.worst[i] = now
	}
}
