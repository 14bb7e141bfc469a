package judge

import "math"

// windows are the numbers of cycles over which a change is looked for. Fewer than four would take
// three slow cycles, which machines have now and then, for a loss.
var windows = [...]int{4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 48}

const leastSlots = 4 // from the first to the last cycle of a window

// step is what the filter makes of a point.
type step struct {
	x         float64 // deviation from what is usual
	e         float64 // innovation: what the one before does not explain
	sd        float64 // its standard deviation
	precision float64 // the inverse of that
	carried   float64 // share of the deviation before that carries over
	slots     float64 // cycles since the one before
	before    carry   // what is carried on to it
	density   float64 // of its innovation
	odd       float64 // probability that it is an outlier
}

// gain returns the share of a lasting shift that innovations after the first one show.
func (st *step) gain() float64 { return 1 - st.carried }

// slots returns how many cycles passed from point i-1 to point i: by their numbers, and by the time
// where that is more, as after a sleep. Turns come early and late within a cycle, by up to its length.
func (s *series) slots(c context, i int) float64 {
	a, b := &s.Points[i-1], &s.Points[i]
	byTime := math.Floor(float64(b.At-a.At)/c.interval - 0.75)
	return clamp(max(float64(b.No-a.No), byTime), 1, 1000)
}

// filter takes from each point what the noise of the one before carries over to it.
func (s *series) filter(c context) []step {
	if len(s.steps) == 0 {
		s.carried = s.Before
	}
	s.steps = s.walk(c, s.steps, &s.carried, 0)
	return s.steps
}

// deeperSteps is filter where a loss as deep as the unstable one f is known to go is normal, too.
func (s *series) deeperSteps(c context, f *finding) []step {
	var state carry
	return s.walk(c, c.scratch.steps[:0], &state, f.Depth*knownDepth)
}

// walk appends to steps those of the points after them; known is how deep a loss is normal.
func (s *series) walk(c context, steps []step, state *carry, known float64) []step {
	b := s.Belief
	m := contaminated(b.Odd)
	stationary := b.Var / (1 - b.Phi*b.Phi)
	next := step{carried: b.Phi, sd: math.Sqrt(b.Var), precision: 1 / math.Sqrt(b.Var), slots: 1}
	for i := len(steps); i < len(s.Points); i++ {
		st := next
		st.before = *state
		st.x = b.deviation(&s.Points[i])
		st.x -= clamp(st.x, -known, 0)
		if i > 0 {
			st.slots = s.slots(c, i)
		}
		switch {
		case i == 0 && *state == carry{}:
			st.slots, st.carried = 0, 0
			st.sd = math.Sqrt(stationary)
			st.precision = 1 / st.sd
		case st.slots > 1:
			st.carried = math.Pow(b.Phi, st.slots)
			st.sd = math.Sqrt(stationary * (1 - st.carried*st.carried))
			st.precision = 1 / st.sd
		}
		st.e, st.density, st.odd = state.step(st.x, st.carried, st.precision, m)
		steps = append(steps, st)
	}
	return steps
}

// bound returns how many standard deviations of an innovation count where a window is looked at
// cursorily.
func (s *series) bound(c context) float64 {
	g := 1 - s.phi()
	return min(4.5, 1.1*threshold(c)*math.Sqrt(1+g*g)/(1+g))
}

// falseAlarmDays is the time in which one series may raise one false alarm of one kind.
const falseAlarmDays = 2000

// threshold returns the score that a series of independent normal innovations exceeds once in
// falseAlarmDays.
func threshold(c context) float64 {
	cycles := c.share * falseAlarmDays * day / c.interval
	return c.strict * upper(1/max(1000, cycles))
}

// uncertain raises a threshold as far as noise is not known well: Student's quantile in place of
// the normal one, and some more in the first week, of which no habit is known yet.
func (s *series) uncertain(h float64) float64 {
	const stranger, estimates = 1.15, 16 // cycles that what is learnt beside the variance costs
	if s.newest().At-s.First < 7*day {
		h *= stranger
	}
	dof := max(8, 0.8*s.N-estimates)
	return h * (1 + (h*h+1)/(4*dof))
}

// scan looks for a loss and a gain that last until the newest point: for each window the generalized
// likelihood ratio of a shift that began with it.
func (s *series) scan(c context, steps []step) (loss, gain find) {
	h := s.uncertain(threshold(c))
	bound, base := s.bound(c), s.baseVar()
	quiet := s.Loss == nil && s.Up == nil
	var sum, usual, info, slots float64 // usual is the sum without outliers
	w := 0
	for i := len(steps) - 1; i >= 0 && w < len(windows); i-- {
		st := &steps[i]
		z, stays := st.e*st.precision, st.gain()
		e, normal := clamp(z, -bound, bound)*st.precision, (1-st.odd)*z*st.precision
		total, precision, calm := sum+e, info+st.precision*st.precision, usual+normal
		sum += stays * e
		usual += stays * normal
		info += stays * stays * st.precision * st.precision
		n := len(steps) - i
		known := n == windows[w]
		slots += max(1, st.slots)
		if !known && !(n < windows[0] && n >= windows[0]-1 && slots-max(1, st.slots) >= leastSlots-1) {
			continue
		}
		level, variance := total/precision, 1/precision+base
		z = level / math.Sqrt(variance)
		if spread := s.spread(w); abs(z) > plausible*spread {
			f := find{from: i, level: level, variance: variance}
			f.weigh(c, s, steps, h, 1/(1+base*precision)/(spread*spread))
			if best := strongest(f.level, &loss, &gain); f.evidence > best.evidence {
				*best = f
			}
		}
		if known {
			if quiet && abs(z) < h*0.8*s.spread(w) {
				z = calm / precision / math.Sqrt(variance)
				s.note(w, z*z)
			}
			w++
		}
	}
	return loss, gain
}

func abs(x float64) float64 { return math.Abs(x) }

func strongest(level float64, loss, gain *find) *find {
	if level < 0 {
		return loss
	}
	return gain
}

// spread returns by how much scores of window w scatter more than they should if noise carried
// over from cycle to cycle alone.
func (s *series) spread(w int) float64 {
	const weight, unsure = 20, 1.5
	n := s.N / float64(windows[w])
	inaccuracy := unsure * math.Sqrt(2/(n+weight)) // of the estimate, which must not cost evidence where there is nothing
	return math.Sqrt(max(1, (n*s.Spread[w]+weight)/(n+weight)-inaccuracy))
}

func (s *series) note(w int, square float64) {
	toward(&s.Spread[w], min(square, 9), clamp(s.N, 1, spreadMemory))
}
