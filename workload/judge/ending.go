package judge

import "math"

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
	if p := &s.Points[i]; p.Hi-p.Lo > abs(half) {
		return 0 // a habit that is not sure would explain as much
	}
	st := &steps[i]
	before := clamp(steps[i-1].x, min(level, 0)-3*sd, max(level, 0)+3*sd)
	carried := st.carried
	back := st.x - carried*before
	stay := back - st.gain()*half
	return clamp((stay*stay-back*back)/(2*st.sd*st.sd), -isOverStep, isOverStep)
}

// over ends f, which went away by itself.
func (s *series) over(c context, f *finding) {
	from := max(0, len(s.Points)-f.BackN)
	c.memory.ended(c, *f, s.Points[from].At)
	s.restart(from)
}

// restart lets nothing before point i count any more.
func (s *series) restart(i int) {
	s.Loss, s.Up = nil, nil
	s.Points = append(s.Points[:0], s.Points[i:]...)
	s.Todo = len(s.Points)
	s.Long = 0
	s.Before = carry{}
	s.believe()
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
