package state

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Part names parts of exo's state; several are or-ed together.
type Part uint16

// The parts that are read. What each holds is said at the field of Snapshot.
const (
	Instances Part = 1 << iota
	Runners
	Tasks
	Downloads
	Identities
	Memories
	Systems
	Events
	last // one past the end
)

// Has reports whether p holds all parts of q.
func (p Part) Has(q Part) bool { return p&q == q }

// each yields the parts that p holds, one by one.
func (p Part) each(yield func(Part) bool) {
	for q := Part(1); q < last; q <<= 1 {
		if p.Has(q) && !yield(q) {
			return
		}
	}
}

// Snapshot is one look at exo's state. Parts that were not asked for are empty.
type Snapshot struct {
	// Known are the parts that were asked for and that this exo has.
	Known Part

	Instances map[string]Instance // by id
	Runners   map[string]Runner   // by id; also of instances that are gone long since
	Tasks     *TaskList           // nil where not known
	Downloads []Download          // by node, without those that are complete
	Cards     map[string]int      // how many models each node knows of, by its list of downloads

	Identities map[string]Identity // by node
	Memories   map[string]Memory   // by node
	Systems    map[string]System   // by node

	// Events is how many events exo has applied to its state since its master began, and so
	// grows with everything that goes on: see package instance.
	Events int64
}

// part is how a part is called and read.
type part struct {
	name string
	read func(*scanner, Query, *Snapshot)
}

var parts = map[Part]part{
	Instances:  {"instances", func(s *scanner, _ Query, to *Snapshot) { to.Instances = s.instances() }},
	Runners:    {"runners", func(s *scanner, _ Query, to *Snapshot) { to.Runners = s.runners() }},
	Tasks:      {"tasks", func(s *scanner, q Query, to *Snapshot) { to.Tasks = s.tasks(q) }},
	Downloads:  {"downloads", func(s *scanner, _ Query, to *Snapshot) { to.Downloads, to.Cards = s.downloads() }},
	Identities: {"nodeIdentities", func(s *scanner, _ Query, to *Snapshot) { to.Identities = nodes(s, s.identity) }},
	Memories:   {"nodeMemory", func(s *scanner, _ Query, to *Snapshot) { to.Memories = nodes(s, s.memory) }},
	Systems:    {"nodeSystem", func(s *scanner, _ Query, to *Snapshot) { to.Systems = nodes(s, s.system) }},
	Events: {"lastEventAppliedIdx", func(s *scanner, _ Query, to *Snapshot) {
		f, _ := s.number()
		to.Events = int64(f)
	}},
}

// take copies a part of from.
func (s *Snapshot) take(from *Snapshot, p Part) {
	s.Known |= from.Known & p
	switch p {
	case Instances:
		s.Instances = from.Instances
	case Runners:
		s.Runners = from.Runners
	case Tasks:
		s.Tasks = from.Tasks
	case Downloads:
		s.Downloads, s.Cards = from.Downloads, from.Cards
	case Identities:
		s.Identities = from.Identities
	case Memories:
		s.Memories = from.Memories
	case Systems:
		s.Systems = from.Systems
	case Events:
		s.Events = from.Events
	}
}

// RunnersOf returns the runners of in, absent ones with an empty status.
func (s Snapshot) RunnersOf(in Instance) []Runner {
	out := make([]Runner, len(in.Runners))
	for i, id := range in.Runners {
		out[i] = s.Runners[id]
	}
	return out
}

// Of returns the instances of a model in the order of their ids.
func (s Snapshot) Of(model string) []Instance {
	var out []Instance
	for _, id := range slices.Sorted(maps.Keys(s.Instances)) {
		if s.Instances[id].Model == model {
			out = append(out, s.Instances[id])
		}
	}
	return out
}

// Health sums up the runners of an instance.
type Health struct {
	Ready         bool   // all of them take requests, and there is at least one
	Dead          bool   // one is absent or failed, or there is none
	Warming       bool   // one is in exo's own warm-up
	Layers, Total uint64 // loaded, over all runners
	Reason        string // of the first failure
	States        string // for people
}

// Health needs Runners.
func (s Snapshot) Health(in Instance) Health {
	rs := s.RunnersOf(in)
	h := Health{Ready: len(rs) > 0, Dead: len(rs) == 0}
	var words []string
	for _, r := range rs {
		words = append(words, r.String())
		h.Ready = h.Ready && r.Ready()
		h.Dead = h.Dead || r.Status == "" || r.Status == RunnerFailed
		h.Warming = h.Warming || r.Status == RunnerWarming
		h.Layers, h.Total = h.Layers+r.Layers, h.Total+r.Total
		h.Reason = cmp.Or(h.Reason, r.Reason)
	}
	h.States = cmp.Or(strings.Join(words, ", "), "none")
	return h
}
