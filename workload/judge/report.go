package judge

import (
	"maps"
	"math"
	"slices"
)

// Verdicts returns what can be said now: of the node first, then of each model by name, every
// quantity that it has.
func (j *Judge) Verdicts() []Verdict {
	var all []Verdict
	for _, q := range Quantities() {
		if v, ok := j.Node(q); ok {
			all = append(all, v)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(j.state.Models)) {
		for _, q := range Quantities() {
			if v, ok := j.Model(name, q); ok {
				all = append(all, v)
			}
		}
	}
	return all
}

// Node returns what can be said of quantity q of all models together; false where fewer than three
// models have figures.
func (j *Judge) Node(q Quantity) (Verdict, bool) {
	n := j.state.Node[q]
	if n == nil || len(n.Series.Points) == 0 {
		return Verdict{}, false
	}
	v := n.Series.verdict()
	v.Quantity = q
	v.Baseline = math.Exp(n.Series.Base)
	return v, true
}

// Model returns what can be said of quantity q of a model; false where there are no figures.
func (j *Judge) Model(name string, q Quantity) (Verdict, bool) {
	m := j.state.Models[name]
	if m == nil || m.Rows[q] == nil || len(m.Rows[q].Series.Points) == 0 {
		return Verdict{}, false
	}
	r := m.Rows[q]
	s := &r.Series
	v := s.verdict()
	v.Model, v.Quantity = name, q
	v.Baseline = math.Exp(s.Base)
	if q == TTFT {
		v.Baseline = math.Exp(-s.Base)
	}
	if !v.Learning {
		if since, level, prompts, ok := r.Parts.alarm(); ok {
			change := Change{ratio(level), ratio(level), ratio(level)}
			v.Alarms = append(v.Alarms, Alarm{Kind: Partial, Since: when(since), Change: change, Prompts: prompts})
		}
	}
	slices.SortStableFunc(v.Alarms, func(a, b Alarm) int {
		return slices.Index(Kinds(), a.Kind) - slices.Index(Kinds(), b.Kind)
	})
	for i := range v.Alarms {
		switch v.Alarms[i].Kind {
		case Drop, Drift:
			v.Alarms[i].Shared = j.shared(name, q, *s.Loss)
		case Intermittent:
			n := j.state.Node[q]
			v.Alarms[i].Shared = n != nil && n.Series.Runs.Active
		}
	}
	return v, true
}

// Knows reports whether j has figures of the model.
func (j *Judge) Knows(name string) bool { return j.state.Models[name] != nil }

// verdict returns what s says by itself.
func (s *series) verdict() Verdict {
	v := Verdict{
		Latest: ratio(s.newest().Y - s.Base), Evidence: max(s.Down, s.Slowly), Noise: s.scatter(), CarryOver: s.phi(),
		Cycles: int(s.N), First: when(s.First), Last: when(s.newest().At), Learning: s.learning(),
		Apart: ratio(s.Modes.High - s.Modes.Low),
	}
	for _, f := range []*finding{s.Loss, s.Up} {
		if f != nil {
			a := Alarm{Kind: f.Kind, Since: when(f.Since), Change: s.change(f)}
			v.Alarms = append(v.Alarms, a)
			v.Change = a.Change
			if f == s.Loss {
				v.Evidence = max(1, -f.Level/math.Sqrt(f.Var)/usualThreshold)
			}
		}
	}
	if s.Runs.Active {
		r := ratio(s.Runs.Level)
		v.Alarms = append(v.Alarms, Alarm{Kind: Intermittent, Since: when(s.Runs.Since), Change: Change{r, r, r}})
	}
	return v
}

// usualThreshold is about the score at which an alarm begins.
const usualThreshold = 5

// change returns the size of f with its interval. Where there are two modes, f is the change beyond both, and what is
// told is that against the baseline, which is between them: either may be the one that changed.
func (s *series) change(f *finding) Change {
	const wide = 1.96
	se, level := math.Sqrt(f.Var), f.Level
	if s.Modes.High > s.Modes.Low {
		var buffer [maxPoints]float64
		xs := buffer[:0]
		for _, p := range s.Points[s.index(f.Since):] {
			xs = append(xs, s.unusual(p))
		}
		level = median(xs)
	}
	return Change{ratio(level), ratio(level - s.Modes.High - wide*se), ratio(level - s.Modes.Low + wide*se)}
}

// shared reports whether a loss of the model called name is no more than what the node shows: the
// node's own verdict says so, or did until a few cycles ago, so that a model that recovers a little later
// is no news; or, while the loss is young, half of the other models or more show as much at the moment.
func (j *Judge) shared(name string, q Quantity, f finding) bool {
	const others, young = 2, 12
	f.compare(j.state.Node[q])
	if f.Common < 0 && f.Lag <= patience && -f.Level <= -1.35*f.Common+3*math.Sqrt(f.Var+f.CommonVar) {
		return true
	}
	if f.Cycles > young {
		return false
	}
	least := 0.5 * max(f.Level, j.state.Models[name].Rows[q].Series.lately())
	with, without := 0, 0
	for other, m := range j.state.Models {
		r := m.Rows[q]
		if other == name || r == nil || r.Series.learning() || j.state.Memory.Now-m.Last > 4*int64(m.interval()) {
			continue
		}
		if r.Series.lately() <= min(least, -1.5*r.Series.sd()) {
			with++
		} else {
			without++
		}
	}
	return with >= others && with >= without
}

// lately returns the middle of the newest two deviations.
func (s *series) lately() float64 { return s.middle(max(0, len(s.Points)-2)) }
