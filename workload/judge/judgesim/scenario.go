package judgesim

import (
	"cmp"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"exo-bench-exporter/workload/judge"
)

const oneDay = 24 * time.Hour

// Scenario is a line of the table: a question that is put to many runs.
type Scenario struct {
	Name, Bar string
	World     World // its interval, seed and strictness are set by who asks
	// One of the two is set. Found asks trials, each in a future of its own of an installation that has
	// run for Warm; it reports whether trial n went well. Steady counts false alarms from From on.
	Warm   time.Duration
	Found  func(r *Run, n int) bool
	Steady bool
	From   time.Duration
	Until  time.Duration // 180 days when zero
	Least  float64       // share that the bar asks for
	Most   float64       // false alarms in 180 days that the bar allows
}

// Plan is how much is asked.
type Plan struct {
	Interval   time.Duration
	Seed       uint64
	Runs       int // installations; each has Branches trials
	Branches   int
	Strictness float64
	Until      time.Duration // end of lines about false alarms; 180 days when zero
}

// Outcome is the answer.
type Outcome struct {
	Interval
	N         int            // trials, or runs
	Seen      map[string]int // false alarms by kind
	HalfYears float64        // that were looked at for those
}

// Ask runs s, as many installations at a time as there are processors.
func (p Plan) Ask(s Scenario) Outcome {
	if s.Steady {
		return p.count(s)
	}
	var hits atomic.Int64
	p.each(func(i int) {
		r := p.world(s, i).Begin()
		r.Go(r.Cycles(s.Warm), nil, nil)
		for b := range p.Branches {
			if s.Found(r.Branch(uint64(10+b)), i*p.Branches+b) {
				hits.Add(1)
			}
		}
	})
	n := p.Runs * p.Branches
	return Outcome{Interval: Wilson(int(hits.Load()), n), N: n}
}

// each calls do for every installation.
func (p Plan) each(do func(i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(p.Runs, runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(p.Runs); i = next.Add(1) - 1 {
				do(int(i))
			}
		})
	}
	all.Wait()
}

func (p Plan) world(s Scenario, i int) World {
	w := s.World
	w.Interval, w.Seed, w.Strictness = p.Interval, p.Seed+uint64(i), p.Strictness
	return w
}

// count counts false alarms in 180 days of five models.
func (p Plan) count(s Scenario) Outcome {
	until := s.Until
	if until == 0 {
		until = cmp.Or(p.Until, 180*oneDay)
	}
	incidents := make([][]Incident, p.Runs)
	p.each(func(i int) {
		r := p.world(s, i).Begin()
		r.Go(r.Cycles(until), nil, nil)
		incidents[i] = r.Incidents(r.Cycles(s.From))
	})
	o := Outcome{Seen: map[string]int{}, N: p.Runs}
	events := 0
	for _, all := range incidents {
		events += len(all)
		for _, in := range all {
			where := ""
			if in.Model == Node {
				where = "node's "
			}
			o.Seen[where+string(in.Kind)]++
		}
	}
	o.HalfYears = float64(p.Runs) * float64(until-s.From) / float64(180*oneDay)
	o.Interval = Poisson(events, o.HalfYears)
	return o
}

// losses are the kinds that say that a model is slower.
var losses = []judge.Kind{judge.Drop, judge.Collapse, judge.Drift}

// finds reports whether a loss of model n mod 5 has one of the kinds within so many of its cycles. It
// begins at some time of the day where the world has habits.
func finds(loss float64, within int, kinds ...judge.Kind) func(*Run, int) bool {
	return func(r *Run, n int) bool {
		r.elsewhen(n)
		return r.found(n%Models, within, lasting(loss, n%Models, r.Cycle), kinds...)
	}
}

// findsIn is finds with a time in place of a number of cycles, and no fewer than 8 of those.
func findsIn(loss float64, within time.Duration, kinds ...judge.Kind) func(*Run, int) bool {
	return func(r *Run, n int) bool { return finds(loss, max(8, r.Cycles(within)), kinds...)(r, n) }
}

// elsewhen goes on for up to a day where it matters when something begins.
func (r *Run) elsewhen(n int) {
	if r.World.Habit != nil {
		r.Go(rand.New(rand.NewPCG(r.Seed, uint64(n))).IntN(r.Cycles(oneDay)), nil, nil)
	}
}

func (r *Run) found(m, within int, extra Effect, kinds ...judge.Kind) bool {
	onset := r.Cycle
	for measured := 0; measured < within; {
		before := r.measured[m]
		r.Go(1, extra, nil)
		measured += r.measured[m] - before
		if _, ok := r.first(m, onset, kinds...); ok {
			return true
		}
	}
	return false
}

// partial reports whether a loss in two prompts of ten is found in time, and they alone are named.
func partial(loss float64, within int) func(*Run, int) bool {
	return func(r *Run, n int) bool {
		m, onset := n%Models, r.Cycle
		r.Go(within, nil, func(model, prompt, _ int) float64 {
			if model == m && (prompt == 5 || prompt == 6) {
				return 1 - loss
			}
			return 1
		})
		v, _ := r.Judge.Model(names[m], r.Quantity())
		for _, a := range v.Alarms {
			if a.Kind == judge.Partial {
				_, late := r.first(m, onset, judge.Partial)
				return late && len(a.Prompts) == 2 && a.Prompts[0] == "prompt-05" && a.Prompts[1] == "prompt-06"
			}
		}
		return false
	}
}
