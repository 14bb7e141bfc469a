package judge

import (
	"math"
	"time"
)

// point is a cycle that is remembered.
type point struct {
	At   int64   // seconds since 1970
	No   int     // number of the cycle
	Y    float64 // level
	Lo   float64 // what is usual at that time lies between Lo and Hi
	Hi   float64
	Long float64 // mean of the day before it
}

const (
	maxPoints = 64
	// patience is how many cycles pass before one is learnt from, so that a loss is found before it
	// becomes part of what it is compared with.
	patience = 16
	// batch is the number of cycles up to which baseline and noise are computed anew from all.
	batch       = 48
	leastCycles = LeastCycles
	leastTime   = int64(LeastTime / time.Second)
	day         = 24 * 3600
	// noiseMemory is the number of cycles over which noise is learnt.
	noiseMemory = 1500
	// spreadMemory is that over which the scatter of scores is, of which long windows give few.
	spreadMemory = 4 * noiseMemory
	// baselineDays is the time over which a baseline is learnt: long beside a day, in which a drift of
	// one per cent has to show, and short beside the seasons of a machine.
	baselineDays = 10
	leastSD      = 0.001 // finer noise is not believed
	// outlier is the number of standard deviations from which on a cycle says nothing of what carries over.
	outlier = 3.5
)

// series judges one row of levels (logarithms of speed), one a cycle.
type series struct {
	Points []point
	Todo   int     // newest points that nothing was learnt from yet
	N      float64 // cycles learnt from
	First  int64   // when the first came
	Base   float64 // baseline
	BaseN  float64 // cycles that it rests on
	S2     float64 // variance of innovations
	C0, C1 float64 // lag-0 and lag-1 moments of the deviations
	Odd    float64 // share of outliers
	Tail   float64 // share of cycles with evidence of tailAt, beside what is expected of tailShare
	Spread [len(windows)]float64
	Long   float64 // exponentially weighted mean of a day
	LongQ  float64 // mean of its squared score
	Habit  habit

	Loss, Up *finding
	Runs     intermittent
	Deep     int // newest cycles in a row that were as slow as after a collapse

	// Evidence after the newest cycle: of a loss, and of one of a day and longer.
	Down, Slowly float64
}

// context is what a series has to know of its surroundings.
type context struct {
	interval float64 // seconds between cycles
	strict   float64 // multiplies thresholds
	memory   *memory
	q        Quantity
	model    string // empty for the node
	cycle    int    // number of the newest
	scratch  *scratch
}

// scratch is room to compute in, so that a turn costs no garbage.
type scratch struct {
	steps [maxPoints]step
	of    basis // what steps are of
	pools [3][7 * 17]float64
}

func (s *series) phi() float64 {
	const weight, prior = 20, 0.5
	if s.C0 <= 0 {
		return prior
	}
	return clamp((s.N*s.C1/s.C0+weight*prior)/(s.N+weight), 0, 0.95)
}

func (s *series) innovationVar() float64 {
	phi := s.phi()
	return max(s.S2, leastSD*leastSD*(1-phi*phi))
}

// sd returns the standard deviation of a cycle.
func (s *series) sd() float64 {
	phi := s.phi()
	return math.Sqrt(s.innovationVar() / (1 - phi*phi))
}

// baseVar returns the variance of the baseline.
func (s *series) baseVar() float64 {
	phi, sd := s.phi(), s.sd()
	return sd * sd * (1 + phi) / (1 - phi) / max(1, s.BaseN)
}

// deviation returns how far p is from what is usual.
func (s *series) deviation(p point) float64 {
	d := p.Y - s.Base
	return d - clamp(d, p.Lo, p.Hi)
}

func (s *series) newest() *point { return &s.Points[len(s.Points)-1] }

func (s *series) learning() bool {
	return s.N < leastCycles || len(s.Points) > 0 && s.newest().At-s.First < leastTime
}

// add takes the level of a cycle.
func (s *series) add(c context, at int64, y float64) {
	if len(s.Points) == 0 && s.N == 0 {
		s.First, s.Base = at, y
	}
	if n := len(s.Points); n > 0 && at <= s.Points[n-1].At {
		s.setBack(s.Points[n-1].At - at + int64(c.interval))
	}
	s.First = min(s.First, at)
	lo, hi := s.Habit.expect(at, c.interval, c.scratch)
	s.Points = append(s.Points, point{At: at, No: c.cycle, Y: y, Lo: lo, Hi: hi, Long: s.Long})
	if len(s.Points) > maxPoints {
		s.Points = s.Points[:copy(s.Points, s.Points[1:])]
	}
	if s.Loss == nil && s.Up == nil {
		s.Todo = min(s.Todo+1, len(s.Points))
	}
	s.enterHabit(at, y)
	s.judge(c)
	for s.Loss == nil && s.Todo > 0 && (s.Todo > patience || s.learning()) {
		if !s.Runs.suspicious(c) {
			s.learn(c, s.filter(c), len(s.Points)-s.Todo)
		}
		s.Todo--
	}
}

// setBack moves what is remembered by so many seconds into the past, because the clock was: the order
// of cycles and the time between them stay. Habits belong to the time that was shown.
func (s *series) setBack(seconds int64) {
	for i := range s.Points {
		s.Points[i].At -= seconds
	}
	s.First -= seconds
	s.Runs.Since -= seconds
	for _, f := range []*finding{s.Loss, s.Up} {
		if f != nil {
			f.Since -= seconds
			f.Limit -= seconds
		}
	}
}

// forgetHabit is the age of a loss from which on it is no habit.
const forgetHabit = day / 2

func (s *series) enterHabit(at int64, y float64) {
	if f := s.Loss; f != nil && at-f.Since > forgetHabit {
		if !f.Forgot {
			f.Forgot = true
			s.Habit.forget(f.Since)
		}
		return
	}
	s.Habit.add(at, y-s.Base)
}

// learn takes point i, the filter's step of which is steps[i], for normal.
func (s *series) learn(c context, steps []step, i int) {
	s.N++
	s.BaseN++
	if s.N <= batch && len(s.Points) == int(s.N) {
		s.fit(c)
		return
	}
	const certain = 2.0
	st, sd := steps[i], s.sd()
	toward(&s.Odd, st.odd, min(s.N, noiseMemory))
	if i > 0 && st.slots == 1 {
		const kappa = 0.9205 // E min(z², certain²) of standard normal z
		n := min(s.N, noiseMemory)
		e := clamp(st.e*st.e, 0, certain*certain*st.v)
		toward(&s.S2, e/kappa, n)
		x, before := st.x, steps[i-1].x
		if abs(x) < outlier*sd && abs(before) < outlier*sd {
			toward(&s.C0, (x*x+before*before)/2, n)
			toward(&s.C1, x*before, n)
		}
	}
	s.BaseN = min(s.BaseN, max(200, baselineDays*day/c.interval))
	s.Base += clamp(st.x, -certain*sd, certain*sd) / s.BaseN
	p := s.Points[i]
	h := p.Y - s.Base - (p.Lo+p.Hi)/2
	s.Habit.N = min(s.Habit.N+1, noiseMemory)
	toward(&s.Habit.Var, clamp(h*h, 0, 9*sd*sd), s.Habit.N)
	s.Runs.learn(st.x < s.slow())
	c.memory.deep(st.x < s.collapsed())
}

// fit computes baseline and noise from all points.
func (s *series) fit(c context) {
	var buf [maxPoints]float64
	ys := buf[:0]
	for _, p := range s.Points {
		ys = append(ys, p.Y)
	}
	centre := median(ys)
	for i, p := range s.Points {
		ys[i] = math.Abs(p.Y - centre)
	}
	scale := max(1.4826*median(ys), leastSD)
	sum := 0.0
	for _, p := range s.Points {
		sum += clamp(p.Y-centre, -2*scale, 2*scale)
	}
	s.Base = centre + sum/float64(len(s.Points))
	s.C0, s.C1 = 0, 0
	for i, p := range s.Points[1:] {
		x, before := p.Y-s.Base, s.Points[i].Y-s.Base
		if abs(x) < outlier*scale && abs(before) < outlier*scale {
			s.C0 += (x*x + before*before) / 2
			s.C1 += x * before
		}
	}
	s.C0 /= float64(len(s.Points))
	s.C1 /= float64(len(s.Points))
	phi := s.phi()
	s.S2 = scale * scale * (1 - phi*phi)
	for range 6 {
		s.refineVar(phi)
	}
	s.Habit.Var, s.Habit.N = s.sd()*s.sd(), s.N
}

func (s *series) refineVar(phi float64) {
	sum, v := 0.0, s.innovationVar()
	for i, p := range s.Points {
		if i > 0 {
			before := clamp(s.Points[i-1].Y-s.Base, -3*s.sd(), 3*s.sd())
			e := p.Y - s.Base - phi*before
			sum += min(e*e, 4*v) / 0.9205
		}
	}
	if n := len(s.Points) - 1; n >= 4 {
		s.S2 = sum / float64(n)
	}
}
