package exporter

import (
	"slices"
	"time"

	"exo-bench-exporter/workload"
)

const (
	// dayLong is how far back a day reaches from its last turn.
	dayLong = 24 * time.Hour
	// maxPoints bounds the turns that a day holds; where cycles are shorter than a minute and a half, it is shorter.
	maxPoints = 1000
	// maxDrawn bounds the points of a thinned day: one a quarter of an hour.
	maxDrawn = 96
	// fewest is the number of turns before the last one from which a median is taken.
	fewest = 4
)

// Point is one good turn in the two figures that are followed over a day; 0 where one is not known.
type Point struct {
	At     time.Time
	Output float64       // decode rate in tokens per second
	TTFT   time.Duration // median over the prompts
}

// Comparison is the last turn against the median of the turns in the day before it, as ratios: 0.02 for two
// hundredths more. Nil where a figure is not known.
type Comparison struct {
	Turns  int // that the median is taken of
	Output *float64
	TTFT   *float64
}

// day is what is known of a model's turns of the last day, oldest first. Only those of one method compare:
// the last one's.
type day struct {
	method workload.Epoch
	points []Point
}

// add puts a turn in its place in time. One of another method than the newest begins the day anew, or is passed
// over where it is older.
func (d *day) add(p Point, method workload.Epoch) {
	if n := len(d.points); n > 0 && method != d.method {
		if p.At.Before(d.points[n-1].At) {
			return
		}
		d.points = nil
	}
	d.method = method
	i, there := slices.BinarySearchFunc(d.points, p.At, func(q Point, at time.Time) int { return q.At.Compare(at) })
	if there {
		return
	}
	d.points = slices.Insert(d.points, i, p)
	oldest := d.points[len(d.points)-1].At.Add(-dayLong)
	first, _ := slices.BinarySearchFunc(d.points, oldest, func(q Point, at time.Time) int { return q.At.Compare(at) })
	d.points = slices.Delete(d.points, 0, max(first, len(d.points)-maxPoints))
}

// thinned returns the points of d, the last one among them, at most maxDrawn.
func (d *day) thinned() []Point {
	step := (len(d.points) + maxDrawn - 1) / maxDrawn
	if step < 2 {
		return slices.Clone(d.points)
	}
	var all []Point
	for i := (len(d.points) - 1) % step; i < len(d.points); i += step {
		all = append(all, d.points[i])
	}
	return all
}

// since compares the last turn with those before; nil where they are too few.
func (d *day) since() *Comparison {
	n := len(d.points) - 1
	if n < fewest {
		return nil
	}
	last, before := d.points[n], d.points[:n]
	return &Comparison{
		Turns:  n,
		Output: against(last.Output, before, func(p Point) float64 { return p.Output }),
		TTFT:   against(float64(last.TTFT), before, func(p Point) float64 { return float64(p.TTFT) }),
	}
}

// against returns by what ratio v is above the median of what is known before; nil where too little is.
func against(v float64, before []Point, figure func(Point) float64) *float64 {
	var known []float64
	for _, p := range before {
		if f := figure(p); f > 0 {
			known = append(known, f)
		}
	}
	if v <= 0 || len(known) < fewest {
		return nil
	}
	middle, _ := workload.Quantile(known, 0.5)
	ratio := v/middle - 1
	return &ratio
}

// Remember puts a turn that ended before a restart into its model's day.
func (s *Store) Remember(t workload.Turn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.configured(t.Model) {
		s.remember(t)
	}
}

func (s *Store) remember(t workload.Turn) {
	p := Point{At: t.Start.Round(0)}
	p.Output, _ = t.DecodeRate()
	p.TTFT, _ = t.MedianTTFT()
	if p.Output == 0 && p.TTFT == 0 {
		return
	}
	if s.days[t.Model] == nil {
		s.days[t.Model] = &day{}
	}
	s.days[t.Model].add(p, t.Epoch())
}

// keepDays forgets models that are not configured.
func (s *Store) keepDays() {
	if s.days == nil {
		s.days = make(map[string]*day)
	}
	for model := range s.days {
		if !s.configured(model) {
			delete(s.days, model)
		}
	}
}
