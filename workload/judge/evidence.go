package judge

import "math"

// find is the strongest change that ends now.
type find struct {
	evidence float64
	from     int // index of its first point
	level    float64
	variance float64
	few      bool // too few cycles show it by themselves
}

const (
	leastLoss = 0.01 // smaller changes concern nobody
	leastGain = 0.02
	// noHurry is by how much more evidence a gain takes, which is told for information alone.
	noHurry = 1.25
	// plausible is the score from which on a window is looked at closely.
	plausible = 2.2
)

// weigh sets the evidence of f: its likelihood ratio, of which the share certain counts, against
// what a window of its length needs, as far as its cycles bear it out by themselves. Fewer than four of
// about the same size may be outliers, and a change has to concern somebody.
func (f *find) weigh(c context, s *series, steps []step, h, certain float64) {
	window := steps[f.from:]
	typical := s.typical(window)
	llr := s.shifted(window, f.level)
	if typical/f.level > 0 {
		if other := s.shifted(window, typical); other > llr {
			llr, f.level = other, typical
		}
	}
	f.evidence = math.Sqrt(max(0, llr*certain/c.tails.need(h, len(window))))
	const scatter = 1.35 // of a median around a mean, so that only what is no shift is caught
	// Some cycles of many are no shift of all.
	f.evidence *= clamp(scatter*typical/f.level, 0, 1)
	least := leastLoss
	if f.level > 0 {
		least = leastGain
		f.evidence /= noHurry
	}
	f.evidence = min(f.evidence, abs(f.level)/least)
	f.few = s.supporters(window, f.level) < s.support(c, f.level, len(window))
	if f.few {
		f.evidence = min(f.evidence, 0.95)
	}
}

// shifted returns how much more likely the deviations of window are with a shift of the level that
// began with it than without.
func (s *series) shifted(window []step, level float64) float64 {
	m, llr, product := contaminated(s.Belief.Odd), 0.0, 1.0
	state := window[0].before
	for i := range window {
		st := &window[i]
		_, density, _ := state.step(st.x-level, st.carried, st.precision, m)
		product *= density / st.density
		if product < 1e-100 || product > 1e100 {
			llr, product = llr+math.Log(product), 1
		}
	}
	return llr + math.Log(product)
}

// supporters returns how many of steps show level by themselves: half of it, and what noise leaves of it.
// Of a level that noise does not reach, what was before two others in a row was over then.
func (s *series) supporters(steps []step, level float64) int {
	least, deep := max(abs(level)/2, abs(level)-outlying*s.sd()), level < s.slow()
	n, others := 0, 0
	for i := len(steps) - 1; i >= 0; i-- {
		st := &steps[i]
		if abs(st.x) > least && st.x/level > 0 {
			n, others = n+1, 0
		} else if others++; deep && others > 1 {
			break
		}
	}
	return n
}

// support returns how many of the cycles of a window have to show level: four, or all where a pause makes it
// shorter. Where single ones as slow are usual, as many as come together by chance no more often than a
// false alarm may, and more than a stall and an outlier where there are stalls.
func (s *series) support(c context, level float64, window int) int {
	n := windows[0]
	if level < s.slow() {
		n = max(n, together(c, s.Runs.usual()), outlast(s.Runs.Longest))
	}
	if n == windows[0] {
		return min(n, window)
	}
	return min(n, 2*windows[0])
}

// together returns how many cycles of those that come with a probability each are together by chance no
// more than once in falseAlarmDays.
func together(c context, probability float64) int {
	return int(math.Ceil(math.Log(falseAlarmDays*day/c.interval) / -math.Log(probability)))
}

// typical returns the median deviation of steps. Slow ones that come and go among others say nothing
// of it: they are a matter of their own.
func (s *series) typical(steps []step) float64 {
	const often, most = 3, 0.75
	least := s.slow()
	var buffer [maxPoints]float64
	all, others := buffer[:0], [maxPoints]float64{}
	runs, n, last := 0, 0, false
	for i := range steps {
		st := &steps[i]
		slow := st.x < least
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
