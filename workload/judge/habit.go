package judge

import (
	"math"
	"slices"
)

// A habit is what a model does at the same time of every day, weekday or week: slower in office
// hours, slower while the backup runs. It is looked for in four weeks of quarters of an hour.
const (
	quarter      = 15 * 60 // seconds
	quartersADay = 24 * 4
	habitDays    = 28
	habitBins    = habitDays * quartersADay
	habitUnit    = 1e-4 // of a stored logarithm
	empty        = math.MinInt16
	poolDays     = 7 // days of a kind that are looked at, the newest
	fewDays      = 3 // days after which a kind of day is known
)

// habit holds how much faster than normal each quarter of an hour was.
type habit struct {
	Head  int64 // newest quarter since 1970
	Count int   // values in it
	Bins  bins
	Var   float64 // variance of a bin around what was expected of it
	N     float64

	pools [3]pools // of quarters around the newest
}

func quarterOf(at int64) int64 { return floorDiv(at, quarter) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func (h *habit) slot(q int64) *int16 {
	return &h.Bins[((q%habitBins)+habitBins)%habitBins]
}

// add enters a value of the time at, in seconds since 1970.
func (h *habit) add(at int64, v float64) {
	q := quarterOf(at)
	if q < h.Head {
		h.pools = [3]pools{}
	}
	if len(h.Bins) == 0 || q-h.Head >= habitBins || h.Head-q >= habitBins {
		h.Bins = slices.Repeat(bins{empty}, habitBins)
		h.Head, h.Count = q, 0
	}
	for h.Head < q {
		h.Head++
		h.Count = 0
		*h.slot(h.Head) = empty
	}
	b := h.slot(q)
	switch {
	case *b == empty:
		*b = pack(v)
		h.Count = 1
	case q == h.Head:
		h.Count++
		old := unpack(*b)
		*b = pack(old + (v-old)/float64(h.Count))
	}
}

func pack(v float64) int16   { return int16(clamp(math.Round(v/habitUnit), -32000, 32000)) }
func unpack(b int16) float64 { return float64(b) * habitUnit }
func (h *habit) at(q int64) int16 {
	if q > h.Head || h.Head-q >= habitBins {
		return empty
	}
	return *h.slot(q)
}

// forget empties the quarters from the time since on.
func (h *habit) forget(since int64) {
	h.pools = [3]pools{}
	if len(h.Bins) == 0 {
		return
	}
	for q := max(quarterOf(since), h.Head-habitBins+1); q <= h.Head; q++ {
		*h.slot(q) = empty
	}
}

// shift takes by from the quarters from the time since on.
func (h *habit) shift(since int64, by float64) {
	h.pools = [3]pools{}
	if len(h.Bins) == 0 {
		return
	}
	for q := max(quarterOf(since), h.Head-habitBins+1); q <= h.Head; q++ {
		if b := h.slot(q); *b != empty {
			*b = pack(unpack(*b) - by)
		}
	}
}

// weekend reports whether the day of quarter q is one in which offices are closed.
func weekend(q int64) bool {
	d := weekday(q)
	return d == 2 || d == 3 // 1970-01-01 was a Thursday
}

func weekday(q int64) int64 { return ((floorDiv(q, quartersADay) % 7) + 7) % 7 }

// expect returns the range of what is usual at the time at, given the time between turns in
// seconds. It contains more than one value where habits are not sure: within a quarter of a change,
// and on the first days of a kind.
func (h *habit) expect(at int64, interval float64, room *scratch) (lo, hi float64) {
	if len(h.Bins) == 0 {
		return 0, 0
	}
	near := int64(clamp(math.Ceil(interval/2/quarter), 1, 8))
	q := quarterOf(at)
	for i := int64(-1); i <= 1; i++ {
		l, u := h.around(q+i, near, room)
		if i == -1 {
			lo, hi = l, u
		}
		lo, hi = min(lo, l), max(hi, u)
	}
	return lo, hi
}

// pool is what was seen at one time of day on some days.
type pool struct {
	middle float64
	values int
	days   int
}

// pools are those of one quarter: of all days, of days of its kind, and of the same day of the week.
type pools struct {
	q, near, head   int64
	all, kind, same pool
}

// gather returns the pools of quarter q. Turns that are less than a quarter of an hour apart ask for the same
// again, and no new value is in them.
func (h *habit) gather(q, near int64, room *scratch) *pools {
	p := &h.pools[((q%3)+3)%3]
	recent := q-h.Head >= -1 && q-h.Head <= 2
	if recent && p.q == q && p.near == near && h.Head-p.head >= 0 && h.Head-p.head <= 3 {
		return p
	}
	*p = pools{}
	if recent {
		p.q, p.near, p.head = q, near, h.Head
	}
	buffers := &room.pools
	all, kind, same := buffers[0][:0], buffers[1][:0], buffers[2][:0]
	isWeekend := weekend(q)
	var day [17]float64
	var weeks [habitDays / 7]float64 // what the same days of the week say each
	for d := int64(1); d < habitDays; d++ {
		past := q - d*quartersADay
		alike := weekend(past) == isWeekend && p.kind.days < poolDays
		if !alike && d%7 != 0 && p.all.days >= poolDays {
			continue
		}
		n := 0
		for i := -near; i <= near; i++ {
			if b := h.at(past + i); b != empty {
				day[n] = unpack(b)
				n++
			}
		}
		if n == 0 {
			continue
		}
		if p.all.days < poolDays {
			p.all.days++
			all = append(all, day[:n]...)
		}
		if alike {
			p.kind.days++
			kind = append(kind, day[:n]...)
		}
		if d%7 == 0 {
			same = append(same, day[:n]...)
			weeks[p.same.days] = median(day[:n])
			p.same.days++
		}
	}
	if p.kind.days < fewDays {
		p.all.of(all)
	}
	p.kind.of(kind)
	p.same.of(same)
	p.same.middle = agreed(weeks[:p.same.days])
	return p
}

// agreed returns the median of values, and of two the one nearer to zero: what one day alone shows was a chance of that
// day.
func agreed(values []float64) float64 {
	if len(values) != 2 {
		return median(values)
	}
	a, b := values[0], values[1]
	if a*b <= 0 {
		return 0
	}
	return math.Copysign(min(abs(a), abs(b)), a)
}

func (p *pool) of(values []float64) { p.middle, p.values = median(values), len(values) }

func (h *habit) around(q, near int64, room *scratch) (lo, hi float64) {
	p := h.gather(q, near, room)
	if p.all.days == 0 {
		return 0, 0
	}
	lo, hi = math.Inf(1), math.Inf(-1)
	consider := func(v float64) { lo, hi = min(lo, v), max(hi, v) }
	if p.kind.days > 0 {
		consider(h.usual(p.kind))
	} else {
		consider(0)
	}
	if p.kind.days < fewDays {
		consider(h.usual(p.all))
	}
	if p.same.days >= 2 {
		consider(h.usual(p.same))
	}
	return lo, hi
}

// usual returns the median of p as far as noise does not explain it: what is within certain standard
// errors counts as nothing, what is far beyond is believed (a garrote, that is James and Stein's
// shrinkage of one value).
func (h *habit) usual(p pool) float64 {
	const certain, dependence, efficiency = 2.5, 1.8, 1.25
	m := p.middle
	if m == 0 {
		return 0
	}
	se := efficiency * math.Sqrt(h.Var*dependence/float64(p.values))
	if p.days == 1 {
		se *= efficiency
	}
	return m * max(0, 1-(certain*se/m)*(certain*se/m))
}
