package judgesim

import (
	"time"

	"exo-bench-exporter/workload/judge"
)

// staysAsleep has a loss stay for seven days. Where something was told already, it may go on.
func staysAsleep(r *Run, n int) bool {
	m, onset := n%Models, r.Cycle
	r.Go(r.Cycles(7*oneDay), lasting(0.1, m, onset), nil)
	incidents := 0
	for _, in := range r.Incidents(onset) {
		if in.Model == m {
			incidents++
		}
	}
	return incidents <= 1 && r.holds(m, losses...)
}

// firstWeek has nothing happen for eight days.
func firstWeek(r *Run, _ int) bool {
	r.Go(r.Cycles(8*oneDay), nil, nil)
	return len(r.Incidents(0)) == 0
}

// holds reports whether m has an alarm of one of the kinds now.
func (r *Run) holds(m int, kinds ...judge.Kind) bool {
	for _, k := range kinds {
		if r.open[key{m, k}] != nil {
			return true
		}
	}
	return false
}

func thirds(loss float64) func(*Run, int) bool {
	return func(r *Run, n int) bool {
		m, onset := n%Models, r.Cycle
		r.Go(24, everyThird(loss, m), nil)
		_, ok := r.first(m, onset, judge.Intermittent)
		return ok
	}
}

func thirdsThenLoss(loss float64) func(*Run, int) bool {
	return func(r *Run, n int) bool {
		m := n % Models
		third := everyThird(loss, m)
		r.Go(r.Cycles(2*oneDay), third, nil)
		if r.holds(m, losses...) {
			return false
		}
		return r.found(m, 8, func(model, cycle int, at time.Time) float64 {
			if model == m {
				return 0.9 * third(model, cycle, at)
			}
			return 1
		}, losses...)
	}
}

func gains(r *Run, n int) bool {
	m, onset := n%Models, r.Cycle
	r.Go(8, lasting(-0.2, m, onset), nil)
	_, ok := r.first(m, onset, judge.Gain)
	r.Go(r.Cycles(2*oneDay), lasting(-0.2, m, onset), nil)
	for _, in := range r.Incidents(onset) {
		if in.Model == m {
			return false
		}
	}
	return ok && !r.holds(m, judge.Gain)
}

func lossAfterGain(loss float64) func(*Run, int) bool {
	return func(r *Run, n int) bool {
		m := n % Models
		r.Go(r.Cycles(2*oneDay), lasting(-0.2, m, 0), nil)
		return r.found(m, 8, func(model, _ int, _ time.Time) float64 {
			if model == m {
				return 1.2 * (1 - loss)
			}
			return 1
		}, losses...)
	}
}

func never(loss float64) func(*Run, int) bool {
	return func(r *Run, n int) bool {
		m, onset := n%Models, r.Cycle
		r.Go(r.Cycles(7*oneDay), lasting(loss, m, onset), nil)
		return len(r.Incidents(onset)) == 0
	}
}

func smallest(r *Run, _ int) bool {
	return r.found(0, 8, lasting(1-1/1.2, 0, r.Cycle), losses...)
}

func drifts(r *Run, n int) bool {
	m, onset := n%Models, r.Cycle
	day := float64(r.Cycles(oneDay))
	return r.found(m, r.Cycles(6*oneDay), func(model, cycle int, _ time.Time) float64 {
		if model == m {
			return 1 - 0.01*float64(cycle-onset)/day
		}
		return 1
	}, losses...)
}

func together(r *Run, _ int) bool {
	onset := r.Cycle
	r.Go(4, func(int, int, time.Time) float64 { return 0.9 }, nil)
	_, ok := r.first(Node, onset, losses...)
	for _, in := range r.Incidents(onset) {
		if in.Model != Node {
			return false
		}
	}
	return ok
}

func togetherCollapse(r *Run, n int) bool {
	m, onset := n%Models, r.Cycle
	r.Go(8, func(model, _ int, _ time.Time) float64 {
		if model == m {
			return 0.45
		}
		return 0.9
	}, nil)
	_, ok := r.first(m, onset, judge.Collapse)
	_, shared := r.first(Node, onset, losses...)
	return ok && shared
}

func recovers(r *Run, n int) bool {
	m := n % Models
	slow := lasting(0.1, m, 0)
	r.Go(max(12, r.Cycles(8*time.Hour)), slow, nil)
	if !r.holds(m, losses...) {
		return false
	}
	r.Go(8, nil, nil)
	return !r.holds(m, losses...)
}

func halfBack(r *Run, n int) bool {
	m := n % Models
	r.Go(max(12, r.Cycles(oneDay/2)), lasting(0.1, m, 0), nil)
	if !r.holds(m, losses...) {
		return false
	}
	onset := r.Cycle
	r.Go(r.Cycles(oneDay*3/2), lasting(0.05, m, 0), nil)
	for _, in := range r.Incidents(onset) {
		if in.Model == m {
			return false
		}
	}
	return r.holds(m, losses...)
}

func accepts(r *Run, n int) bool {
	m := n % Models
	r.Go(max(24, r.Cycles(6*time.Hour)), lasting(0.1, m, 0), nil)
	if !r.holds(m, losses...) {
		return false
	}
	r.Judge.Accept(names[m])
	r.Go(24, lasting(0.1, m, 0), nil)
	if r.holds(m, losses...) {
		return false
	}
	return r.found(m, 8, lasting(0.19, m, 0), losses...)
}
