package judge

import "math"

// windows are the numbers of cycles over which a change is looked for. Fewer than four would take
// three slow cycles, which machines have now and then, for a loss.
var windows = [...]int{4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 48}

const leastSlots = 4 // from the first to the last cycle of a window

// step is what the filter makes of a point.
type step struct {
	x     float64 // deviation from what is usual
	e     float64 // innovation: what the one before does not explain
	v     float64 // its variance
	gain  float64 // share of a lasting shift that innovations after the first one show
	slots float64 // cycles since the one before
}

// slots returns how many cycles passed from point i-1 to point i: by their numbers, and by the time
// where that is more, as after a sleep. Turns come early and late within a cycle, by up to its length.
func (s *series) slots(c context, i int) float64 {
	a, b := s.Points[i-1], s.Points[i]
	byTime := math.Floor(float64(b.At-a.At)/c.interval + 0.25)
	return clamp(max(float64(b.No-a.No), byTime), 1, 1000)
}

// filter takes from each point what the noise of the one before carries over to it. The state that
// is carried on moves by no more than a bounded innovation, so that an outlier spoils one step and
// not the next (Masreliez and Martin's robust filter of an autoregression).
func (s *series) filter(c context) []step {
	steps := &c.scratch.steps
	phi, v1 := s.phi(), s.innovationVar()
	stationary := v1 / (1 - phi*phi)
	bound := s.bound(c)
	state := 0.0
	for i, p := range s.Points {
		st := step{x: s.deviation(p), v: stationary, gain: 1}
		carried := 0.0
		if i > 0 {
			st.slots = s.slots(c, i)
			carried = phi
			if st.slots > 1 {
				carried = math.Pow(phi, st.slots)
			}
			st.v = stationary * (1 - carried*carried)
			st.gain = 1 - carried
		}
		st.e = st.x - carried*state
		most := bound * math.Sqrt(st.v)
		state = carried*state + clamp(st.e, -most, most)
		steps[i] = st
	}
	return steps[:len(s.Points)]
}

// bound returns how many standard deviations of an innovation count: as many as leave two outliers
// in a row near the threshold, where support decides.
func (s *series) bound(c context) float64 {
	g := 1 - s.phi()
	return min(4.5, 1.1*threshold(c)*math.Sqrt(1+g*g)/(1+g))
}

// falseAlarmDays is the time in which one series may raise one false alarm of one kind.
const falseAlarmDays = 2250

// threshold returns the score that a series of independent normal innovations exceeds once in
// falseAlarmDays.
func threshold(c context) float64 {
	cycles := falseAlarmDays * day / c.interval
	return c.strict * upper(1/max(1000, cycles*looks))
}

// looks is how many independent looks a cycle is worth, by simulation.
const looks = 3.0

// uncertain raises a threshold as far as noise is not known well: Student's quantile in place of
// the normal one.
func (s *series) uncertain(h float64) float64 {
	dof := max(8, 0.8*s.N)
	return h * (1 + (h*h+1)/(4*dof))
}

// find is the strongest change that ends now.
type find struct {
	evidence float64
	from     int // index of its first point
	level    float64
	variance float64
}

const (
	leastLoss = 0.01 // smaller changes concern nobody
	leastGain = 0.02
)

// scan looks for a loss and a gain that last until the newest point: for each window a generalized
// likelihood ratio of a shift that began with it, of bounded innovations.
func (s *series) scan(c context, steps []step) (loss, gain find) {
	h := s.uncertain(threshold(c))
	bound, base := s.bound(c), s.baseVar()
	quiet := s.Loss == nil && s.Up == nil
	var sum, info, slots float64
	w := 0
	for i := len(steps) - 1; i >= 0 && w < len(windows); i-- {
		st := steps[i]
		most := bound * math.Sqrt(st.v)
		e := clamp(st.e, -most, most)
		total, precision := sum+e/st.v, info+1/st.v
		sum += st.gain * e / st.v
		info += st.gain * st.gain / st.v
		n := len(steps) - i
		known := n == windows[w]
		slots += max(1, st.slots)
		if !known && !(n < windows[0] && n >= windows[0]-1 && slots-max(1, st.slots) >= leastSlots-1) {
			continue
		}
		level, variance := total/precision, 1/precision+base
		z := level / math.Sqrt(variance)
		z /= s.spread(w)
		f := find{abs(z) / h, i, level, variance}
		if best := strongest(level, &loss, &gain); f.evidence > best.evidence {
			if f.weigh(s, steps[i:]); f.evidence > best.evidence {
				*best = f
			}
		}
		if known {
			if quiet && abs(z) < h*0.8 {
				raw := z * s.spread(w)
				s.note(w, raw*raw)
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

// weigh limits the evidence of f to what its cycles, steps, bear out by themselves: fewer than four
// of about the same size may be outliers, and a change has to concern somebody.
func (f *find) weigh(s *series, steps []step) {
	const scatter = 1.35 // of a median around a mean, so that only what is no shift is caught
	m := s.typical(steps) / f.level
	f.evidence *= clamp(scatter*m, 0, 1) // some cycles of many are no shift of all
	if m > 1 {
		f.level *= m // bounded innovations tell little of a large change
	}
	least := leastLoss
	if f.level > 0 {
		least = leastGain
	}
	f.evidence = min(f.evidence, abs(f.level)/least)
	least = max(abs(f.level)/2, 0.4*secondDeepest(steps, f.level))
	support := 0
	for _, st := range steps {
		if abs(st.x) > least && st.x/f.level > 0 {
			support++
		}
	}
	if support < min(len(steps), windows[0]) {
		f.evidence = min(f.evidence, 0.95)
	}
}

// secondDeepest returns the size of the second largest deviation on the side of level.
func secondDeepest(steps []step, level float64) float64 {
	var first, second float64
	for _, st := range steps {
		if x := abs(st.x); st.x/level > 0 && x > second {
			first, second = max(first, x), min(max(first, second), x)
		}
	}
	return second
}

// typical returns the median deviation of steps. Slow ones that come and go among others say nothing
// of it: they are a matter of their own.
func (s *series) typical(steps []step) float64 {
	const often, most = 3, 0.75
	var buffer [maxPoints]float64
	all, others := buffer[:0], [maxPoints]float64{}
	runs, n, last := 0, 0, false
	for _, st := range steps {
		slow := st.x < s.slow()
		if slow && !last {
			runs++
		}
		if !slow {
			others[n] = st.x
			n++
		}
		last = slow
		all = append(all, st.x)
	}
	if runs >= often && float64(len(steps)-n) < most*float64(len(steps)) {
		return median(others[:n])
	}
	return median(all)
}

// spread returns by how much scores of window w scatter more than they should if noise carried
// over from cycle to cycle alone.
func (s *series) spread(w int) float64 {
	const weight, inaccuracy = 20, 0.06 // of the estimate, which must not cost evidence where there is nothing
	n := s.N / float64(windows[w])
	return math.Sqrt(max(1, (n*s.Spread[w]+weight)/(n+weight)-inaccuracy))
}

func (s *series) note(w int, square float64) {
	toward(&s.Spread[w], min(square, 9), clamp(s.N, 1, noiseMemory))
}
