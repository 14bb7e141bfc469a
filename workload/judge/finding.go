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
)

// slow and collapsed are the deviations below which a cycle is slow or as slow as after a collapse.
func (s *series) slow() float64      { return -max(0.03, 4.5*s.sd()) }
func (s *series) collapsed() float64 { return min(deep, -4.5*s.sd()) }

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
	if m := c.memory.match(c.q, loss.Level, math.Sqrt(loss.Var)); m != nil && loss.Kind == Drop {
		loss.Kind, loss.Depth = Unstable, m.Depth
		loss.Limit = loss.Since + m.limit(c.interval)
	}
	s.Loss, s.Todo = loss, 0
}

// onset returns the point with which f began, and how large f is: where the square of the mean times
// the number of cycles is largest, which is the likeliest split in two. Outliers are bounded in it.
func (s *series) onset(f find, steps []step) (from int, level float64) {
	from = f.from
	most := 2 * abs(f.level)
	var sum, best float64
	for i := len(steps) - 1; i >= 0; i-- {
		sum += clamp(steps[i].x, -most, most)
		n := float64(len(steps) - i)
		if gain := sum * sum / n; sum/f.level > 0 && n >= 2 && gain > best {
			best, from = gain, i
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

// follow asks whether f is still there, and how large it is.
func (s *series) follow(c context, f *finding, steps []step) {
	i := len(steps) - 1
	f.Cycles++
	if f.Cycles <= patience && abs(f.Level) > abs(f.Full) || f.Full == 0 {
		f.Full = f.Level
	}
	llr := s.backLLR(f.Full, steps, i)
	if f.Back+llr > 0 {
		f.Back += llr
		f.BackN++
	} else {
		f.Back, f.BackN = 0, 0
		f.Level = s.middle(s.index(f.Since))
		if f.Kind == Gain {
			f.Level = max(f.Level, leastLoss)
		} else {
			f.Level = min(f.Level, -leastLoss)
		}
		n := float64(min(f.Cycles, maxPoints))
		phi, sd := s.phi(), s.sd()
		f.Var = 1.57*sd*sd*(1+phi)/(1-phi)/n + s.baseVar()
	}
	age := s.newest().At - f.Since
	switch {
	case f.Back >= isOver || s.gone(f):
		s.over(c, f)
	case f.Kind == Gain:
		if f.Cycles >= confirmCycles && age >= confirmTime && f.BackN == 0 {
			s.rebase(f.Level, f.Since)
		}
	case age > stale && float64(f.Cycles)*c.interval > staleMeasured:
		s.rebase(f.Level, f.Since)
	}
}

// gone reports whether what is left of f in the newest cycles is a quarter at most.
func (s *series) gone(f *finding) bool {
	n := len(s.Points)
	if f.Cycles < 2*confirmCycles || n < confirmCycles || s.middle(n-confirmCycles)/f.Full > 0.25 {
		return false
	}
	f.BackN = max(f.BackN, confirmCycles)
	return true
}

// backLLR returns how much more likely the step i is with the level back to normal than with half
// of the finding still there.
func (s *series) backLLR(level float64, steps []step, i int) float64 {
	sd, half := s.sd(), level/2
	if abs(half) < leastLoss {
		half = math.Copysign(leastLoss, level)
	}
	st := steps[i]
	before := clamp(steps[i-1].x, min(level, 0)-3*sd, max(level, 0)+3*sd)
	carried := 1 - st.gain
	back := st.x - carried*before
	stay := back - st.gain*half
	return clamp((stay*stay-back*back)/(2*st.v), -isOverStep, isOverStep)
}

// over ends f, which went away by itself.
func (s *series) over(c context, f *finding) {
	from := max(0, len(s.Points)-f.BackN)
	c.memory.ended(c.q, *f, s.Points[from].At)
	s.restart(from)
}

// restart lets nothing before point i count any more.
func (s *series) restart(i int) {
	s.Loss, s.Up = nil, nil
	s.Points = append(s.Points[:0], s.Points[i:]...)
	s.Todo = len(s.Points)
	s.Long = 0
}

// rebase makes level, which has held since that time, the new normal.
func (s *series) rebase(level float64, since int64) {
	i := s.index(since)
	if f := s.Loss; f == nil {
		s.Habit.shift(since, level)
	}
	s.Base += level
	s.BaseN = clamp(float64(len(s.Points)-i), 1, batch)
	s.restart(i)
	s.Todo = 0
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
		se := 1.25 * s.sd() / 2 * math.Sqrt(1+s.phi())
		deeper := -recent > 1.4*f.Depth+2*se+2*math.Sqrt(s.baseVar())
		if lasts := s.newest().At > f.Limit && recent < f.Level/2; deeper || lasts {
			f.Kind = Drop
			if deeper {
				f.Since = s.Points[n-windows[0]].At
				f.Level = recent
			}
		}
	}
}
