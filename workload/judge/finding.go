package judge

import "math"

// finding is a loss or a gain of a series that holds now.
type finding struct {
	Kind   Kind
	Since  int64   // first cycle of which it holds
	Level  float64 // how far from normal
	Var    float64 // variance of Level
	Full   float64 // largest Level of its first cycles, which its end is measured by
	Cycles int     // of which it holds
	Back   float64 // evidence that it is over
	BackN  int     // newest cycles on which Back rests
	Forgot bool    // no longer part of habits
	Limit  int64   // an unstable one that is still there then is a drop
	Depth  float64 // loss that is known of an unstable one

	Common, CommonVar float64 // Level and Var of the node's loss when there was one last
	Lag               int     // cycles since then
}

// compare remembers what n shows.
func (f *finding) compare(n *node) {
	if n != nil && n.Series.Loss != nil {
		f.Common, f.CommonVar, f.Lag = n.Series.Loss.Level, n.Series.Loss.Var, 0
	}
}

const (
	isOver = 8.0 // log likelihood ratio at which a finding is over
	// isOverStep bounds what one cycle adds to it.
	isOverStep = isOver / 2.5
	stale      = 21 * day // age at which a loss is the new normal
	// staleMeasured is how long it has to have been measured in all, in seconds: a pause, or a clock that
	// is set, ends nothing.
	staleMeasured = 5 * day
	// A gain is confirmed after so many cycles and so long.
	confirmCycles = 24
	confirmTime   = day / 4
	// deep is the logarithm of the speed that is left after a collapse.
	deep = -0.51
	// outlying is the number of standard deviations that noise does not reach.
	outlying = 4.5
)

// slow and collapsed are the deviations below which a cycle is slow or as slow as after a collapse.
func (s *series) slow() float64      { return -max(0.03, outlying*s.sd()) }
func (s *series) collapsed() float64 { return min(deep, -outlying*s.sd()) }

// judge decides what the newest point means.
func (s *series) judge(c context) {
	s.Down, s.Slowly = 0, 0
	if s.learning() {
		s.note0(c)
		return
	}
	steps := s.filter(c)
	x := steps[len(steps)-1].x
	if x < s.collapsed() {
		s.Deep++
	} else {
		c.memory.stalled(s.Deep)
		s.Deep = 0
	}
	if s.Loss == nil && s.Up == nil {
		s.watch(c, steps)
	}
	if s.Up != nil && len(s.Points) > 1 {
		s.follow(c, s.Up, steps)
	}
	if s.Loss != nil && len(s.Points) > 1 {
		s.follow(c, s.Loss, steps)
	}
	s.fall(c)
	s.Runs.step(c, x < s.slow(), x, s.newest().At, s.Loss != nil)
}

// note0 lets the spread of scores be learnt before they count.
func (s *series) note0(c context) {
	if s.N >= batch {
		s.scan(c, s.filter(c))
	}
}

// watch looks for something new.
func (s *series) watch(c context, steps []step) {
	last := steps[len(steps)-1]
	sd, phi := s.sd(), s.phi()
	tau := max(leastCycles, day/c.interval)
	toward(&s.Long, clamp(last.x, -2.5*sd, 2.5*sd), tau)
	longVar := sd*sd/(2*tau-1)*(1+phi)/(1-phi) + s.baseVar()
	score := s.Long / math.Sqrt(longVar)
	h := s.uncertain(threshold(c))
	if abs(score) < h {
		toward(&s.LongQ, min(score*score, 9), clamp(s.N, 1, noiseMemory*4))
	}
	const weight, drifted = 20, 0.025
	n := s.N / tau
	score /= math.Sqrt(max(1, (n*s.LongQ+weight)/(n+weight)))
	if s.Long < 0 {
		s.Slowly = min(-score/h, -s.Long/drifted)
	}

	loss, gain := s.scan(c, steps)
	s.calibrate(c, loss)
	s.Down = loss.evidence
	switch {
	case loss.evidence >= 1:
		s.lose(c, loss, steps)
	case s.Slowly >= 1:
		from := len(s.Points) - 1
		for from > 0 && s.Points[from].Long < s.Long/2 {
			from--
		}
		s.Loss = &finding{Kind: Drift, Since: s.Points[from].At, Level: s.Long, Var: longVar, Cycles: len(s.Points) - from}
		s.Todo = 0
	case gain.evidence >= 1:
		s.Up = &finding{Kind: Gain, Since: s.Points[gain.from].At, Level: gain.level, Var: gain.variance, Cycles: len(steps) - gain.from}
		s.Todo = 0
	}
}

// lose begins a loss.
func (s *series) lose(c context, f find, steps []step) {
	f.from, f.level = s.onset(f, steps)
	loss := &finding{Kind: Drop, Since: s.Points[f.from].At, Level: f.level, Var: f.variance, Cycles: len(steps) - f.from}
	before := s.Points[f.from].Long
	if before < 0.35*f.level {
		loss.Kind = Drift
	}
	apart := s.Modes.High - s.Modes.Low // which is no news already
	if m := c.memory.explain(c, loss.Level, math.Sqrt(loss.Var)); m != nil && loss.Kind == Drop && m.Depth > asDeep*apart {
		loss.Kind, loss.Depth = Unstable, m.Depth
		loss.Limit = loss.Since + m.limit(c.interval)
	}
	s.Loss, s.Todo = loss, 0
}

// onset returns the point with which f began, and how large f is: where a shift of its level is likeliest
// to have begun.
func (s *series) onset(f find, steps []step) (from int, level float64) {
	from = f.from
	best := math.Inf(-1)
	for i := range len(steps) - 1 {
		if llr := s.shifted(steps[i:], f.level); llr > best {
			best, from = llr, i
		}
	}
	if level = s.typical(steps[from:]); level/f.level <= 0 {
		return f.from, f.level
	}
	return from, level
}

// middle returns the median deviation from point i on.
func (s *series) middle(i int) float64 {
	var buffer [maxPoints]float64
	xs := buffer[:0]
	for _, p := range s.Points[i:] {
		xs = append(xs, s.deviation(p))
	}
	return median(xs)
}

// index returns the first point not before the time since.
func (s *series) index(since int64) int {
	for i, p := range s.Points {
		if p.At >= since {
			return i
		}
	}
	return len(s.Points) - 1
}

// fall decides whether the newest points are a collapse, and what an unstable loss has become.
func (s *series) fall(c context) {
	n := len(s.Points)
	if s.Deep >= c.memory.stalls(c) && (s.Loss == nil || s.Loss.Kind != Collapse) {
		from := max(0, n-s.Deep)
		if s.Loss == nil {
			s.Loss = &finding{Since: s.Points[from].At, Var: s.baseVar() + s.sd()*s.sd()/float64(s.Deep)}
			s.Up, s.Todo = nil, 0
		}
		s.Loss.Kind, s.Loss.Level, s.Loss.Cycles = Collapse, s.middle(from), s.Deep
		return
	}
	f := s.Loss
	if f == nil || n < windows[0] {
		return
	}
	recent := s.middle(n - windows[0])
	switch f.Kind {
	case Collapse:
		if f.BackN == 0 && recent > 0.85*deep {
			f.Kind = Drop
		}
	case Unstable:
		if s.newest().At > f.Limit && recent < f.Level/2 {
			f.Kind = Drop
		} else if from, deeper := s.deeper(c, f); deeper {
			f.Kind, f.Since, f.Level = Drop, s.Points[from].At, s.middle(from)
		}
	}
}

// deeper looks for a loss beside the unstable one f: as for any other, where as deep as f is known to go is
// as good as normal. It takes less evidence, because it is looked for only where there is a loss already, which is
// seldom.
func (s *series) deeper(c context, f *finding) (from int, found bool) {
	const seldom = 0.05 // of all cycles
	c.share = seldom
	loss, _ := s.scan(c, s.deeperSteps(c, f))
	return loss.from, loss.evidence >= 1
}
