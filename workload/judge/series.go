package judge

import "time"

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
	Peak   float64 // of evidence that is beyond tailAt now, as a log likelihood ratio; 0 for none
	Spread [len(windows)]float64
	Long   float64 // exponentially weighted mean of a day
	LongQ  float64 // mean of its squared score
	Habit  habit
	Modes  modes

	Belief belief
	Before carry   // what the first of Points follows on
	Since  float64 // cycles learnt from since Belief is what it is
	NoiseN float64 // cycles that variance and correlation rest on

	steps   []step // of Points, as far as Belief has been applied to them
	carried carry  // what the last of those carries on

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
	share    float64 // of all cycles that are looked at
	memory   *memory
	tails    *tails
	q        Quantity
	model    string // empty for the node
	cycle    int    // number of the newest
	scratch  *scratch
}

// scratch is room to compute in, so that a turn costs no garbage.
type scratch struct {
	steps [maxPoints]step
	pools [3][7 * 17]float64
}

func (s *series) newest() *point { return &s.Points[len(s.Points)-1] }

func (s *series) learning() bool {
	return s.N < leastCycles || len(s.Points) > 0 && s.newest().At-s.First < leastTime
}

// add takes the level of a cycle.
func (s *series) add(c context, at int64, y float64) {
	if len(s.Points) == 0 && s.N == 0 {
		s.First, s.Base = at, y
		s.believe()
	}
	if n := len(s.Points); n > 0 && at <= s.Points[n-1].At {
		s.setBack(s.Points[n-1].At - at + int64(c.interval))
	}
	s.First = min(s.First, at)
	lo, hi := s.Habit.expect(at, c.interval, c.scratch)
	s.Points = append(s.Points, point{At: at, No: c.cycle, Y: y, Lo: lo, Hi: hi, Long: s.Long})
	s.slide()
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

// slide lets go of the oldest point when there are too many.
func (s *series) slide() {
	if len(s.Points) <= maxPoints {
		return
	}
	s.Points = s.Points[:copy(s.Points, s.Points[1:])]
	s.Before = carry{}
	if len(s.steps) > 1 {
		s.Before = s.steps[1].before
		s.steps = s.steps[:copy(s.steps, s.steps[1:])]
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
	s.NoiseN++
	if s.N <= batch && len(s.Points) == int(s.N) {
		s.fit()
		return
	}
	st, sd := steps[i], s.sd()
	toward(&s.Odd, st.odd, min(s.N, noiseMemory))
	x := s.residual(i)
	if i > 0 && st.slots == 1 {
		n := min(s.NoiseN, noiseMemory)
		before := s.residual(i - 1)
		if abs(before) < outlier*sd {
			toward(&s.S2, s.innovation(x, before)/huberMean, n)
		}
		if abs(x) < outlier*sd && abs(before) < outlier*sd {
			toward(&s.C0, (x*x+before*before)/2, n)
			toward(&s.C1, x*before, n)
		}
	}
	s.BaseN = min(s.BaseN, max(200, baselineDays*day/c.interval))
	p := &s.Points[i]
	s.Base += clamp(x+s.Belief.Base-s.Base, -huber*sd, huber*sd) / s.BaseN
	h := p.Y - s.Base - (p.Lo+p.Hi)/2
	s.Habit.N = min(s.Habit.N+1, noiseMemory)
	toward(&s.Habit.Var, clamp(h*h, 0, 9*sd*sd), s.Habit.N)
	s.Runs.learn(st.x < s.slow())
	c.memory.deep(st.x < s.collapsed())
	changed := s.Modes.learn(s, c, i)
	if s.Since++; changed || s.Since >= min(refreshed, s.BaseN/refreshed, s.NoiseN/refreshed) {
		s.believe()
	}
}

const (
	huber     = 2.0    // standard deviations of an innovation that are learnt from
	huberMean = 0.9205 // E min(z², huber²) of standard normal z
)

// innovation returns the square of what is new in the residual x after the one before, as far as it is learnt from.
func (s *series) innovation(x, before float64) float64 {
	e := x - s.phi()*before
	return min(e*e, huber*huber*s.Belief.Var)
}
