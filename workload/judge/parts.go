package judge

import (
	"math"
	"slices"
)

// part compares one prompt, or the prompts of one shape, with the rest of its turns.
type part struct {
	Off    float64 // usual difference from the level of the turn; 0 for a shape
	N      float64
	Var    float64 // variance of deviations from that
	Out    float64 // share of deviations that are outliers downwards
	Sum    float64 // evidence of a loss
	Recent float64 // mean deviation of the last cycles
	Since  int64
	Active bool
}

const (
	partMemory = 1000
	partShift  = 2.0   // standard deviations of the loss that is looked for
	partLeast  = 0.003 // finer scatter is not believed
	partN      = 16    // turns after which a prompt is judged
	leastPart  = 0.02  // smaller losses of some prompts concern nobody
)

func (p *part) sd() float64 { return math.Sqrt(p.Var + partLeast*partLeast) }

func (p *part) weight() float64 {
	const floor = 0.01
	return 1 / (p.Var + floor*floor)
}

// step takes a deviation: Page's cumulative sum of log likelihood ratios, each bounded by what is
// known of outliers, so that a single one never suffices. centre is what all prompts of the turn deviate by.
func (p *part) step(c context, dev, centre float64, at int64, judged bool) {
	limit := partLimit(c)
	z := dev / p.sd()
	if judged && p.N >= partN {
		most := clamp(-math.Log(p.Out+0.002), 0.5, limit/3.5)
		llr := clamp(-partShift*z-partShift*partShift/2, -most, most)
		if p.Sum == 0 {
			p.Since = at
		}
		p.Sum = clamp(p.Sum+llr, 0, 1.3*limit)
		toward(&p.Recent, clamp(dev, -3, 3), 4)
		switch {
		case p.Sum >= limit && p.Recent < -leastPart:
			p.Active = true
		case p.Sum <= limit/4:
			p.Active = false
		}
	}
	if p.Active && at-p.Since > stale {
		p.rebase()
	}
	if p.Active || p.Sum > limit/3 {
		return
	}
	p.N = min(p.N+1, partMemory)
	p.learn(p.bounded(dev), centre, z < -3)
}

// bounded returns how much of a deviation is learnt from.
func (p *part) bounded(dev float64) float64 {
	sd := max(p.sd(), 0.02)
	if p.N < partN {
		sd = 1
	}
	return clamp(dev, -2*sd, 2*sd)
}

// learn takes the deviation dev for usual. What all prompts share is the level's: if it moved their offsets, these would
// go one way for ever where noise is not symmetrical, and the level the other.
func (p *part) learn(dev, centre float64, out bool) {
	p.Off += (dev - centre) / p.N
	const kappa = 0.92
	toward(&p.Var, dev*dev/kappa, p.N)
	share := 0.0
	if out && p.N > partN {
		share = 1
	}
	toward(&p.Out, share, max(p.N, 100))
}

// rebase makes what p shows now its normal.
func (p *part) rebase() {
	p.Off += p.Recent
	p.Sum, p.Recent, p.Active = 0, 0, false
}

// partLimit returns the evidence that a loss of some prompts takes: there are many parts, and
// together they may raise one false alarm in ten times the time of a series.
func partLimit(c context) float64 {
	const parts = 50
	return c.strict * math.Log(10*parts*falseAlarmDays*day/c.interval)
}

// parts are the prompts and shapes of one quantity of a model.
type parts struct {
	Prompts map[string]*part
	Shapes  map[string]*part
}

const (
	maxPrompts = 64
	maxName    = 200 // bytes
)

// level returns the level of a turn: what its prompts have in common, each compared with its own
// usual difference and weighed by its scatter.
func (ps *parts) level(c context, samples []Sample, at int64) (float64, bool) {
	if ps.Prompts == nil {
		ps.Prompts, ps.Shapes = map[string]*part{}, map[string]*part{}
	}
	seen := ps.gather(c.q, samples)
	if len(seen) == 0 {
		return 0, false
	}
	vs := make([]weighed, 0, len(seen))
	for _, known := range []float64{partN, 1, 0} { // best first
		vs = vs[:0]
		weigh(seen, known)
		for i, v := range seen {
			if v.share > 0 {
				vs = append(vs, weighed{v.value - v.part.Off, v.share, i})
			}
		}
		if 2*len(vs) >= len(seen) {
			break
		}
	}
	level := midmean(vs)
	for i := range seen {
		seen[i].rest = level
		if len(vs) > 1 {
			seen[i].rest = midmeanWithout(vs, i)
		}
	}
	ps.compare(c, seen, level, at)
	return level, true
}

// weigh sets what share each of seen has in the level: by the inverse of its variance, none where less
// than known turns have shown it, and no more than a quarter for one, unless there are few.
func weigh(seen []partValue, known float64) {
	var total, n float64
	for i := range seen {
		v := &seen[i]
		v.share = 0
		if v.part.N >= known {
			v.share = v.part.weight()
			n++
		}
		total += v.share
	}
	most := max(0.25, 1/max(1, n))
	for i := range seen {
		seen[i].share = min(most, seen[i].share/total)
	}
}

// partValue is a sample with the part that it belongs to.
type partValue struct {
	part  *part
	shape string
	value float64
	share float64 // of the level
	rest  float64 // level of the others: one that made the level would seem to have no scatter of its own
}

// deviation returns how far v is from the others, its usual difference aside.
func (v *partValue) deviation() float64 { return v.value - v.rest - v.part.Off }

func (ps *parts) gather(q Quantity, samples []Sample) []partValue {
	var seen []partValue
	for _, sample := range samples {
		v, ok := sample.value(q)
		if !ok || len(sample.Prompt) > maxName || len(sample.Shape) > maxName {
			continue
		}
		p := ps.Prompts[sample.Prompt]
		if p == nil {
			if len(ps.Prompts) >= maxPrompts {
				continue
			}
			p = &part{}
			ps.Prompts[sample.Prompt] = p
		}
		seen = append(seen, partValue{part: p, shape: sample.Shape, value: v})
		if len(seen) == maxPrompts {
			break
		}
	}
	return seen
}

func (ps *parts) compare(c context, seen []partValue, level float64, at int64) {
	const least = 3 // prompts without which nothing is the rest
	judged := len(seen) > least
	shapes := map[string][]weighed{}
	var sum, total float64
	for _, v := range seen {
		if v.part.N == 0 {
			v.part.Off = v.value - level
		}
		if v.share > 0 {
			sum += v.share * v.part.bounded(v.deviation())
			total += v.share
		}
	}
	centre := sum / max(total, 1e-9)
	for _, v := range seen {
		dev := v.deviation()
		if v.part.N >= partN && v.shape != "" {
			shapes[v.shape] = append(shapes[v.shape], weighed{value: dev, weight: v.part.weight()})
		}
		v.part.step(c, dev, centre, at, judged)
	}
	for name, devs := range shapes {
		if len(devs) < 2 || 2*len(devs) > len(seen) {
			continue
		}
		p := ps.Shapes[name]
		if p == nil {
			if len(ps.Shapes) >= maxPrompts {
				continue
			}
			p = &part{}
			ps.Shapes[name] = p
		}
		p.step(c, midmean(devs)-p.Off, 0, at, judged)
	}
}

// alarm returns the loss of some prompts that holds now; false when there is none.
func (ps *parts) alarm() (since int64, level float64, prompts []string, found bool) {
	var shaped float64 // the deepest loss of a shape
	for _, all := range []map[string]*part{ps.Shapes, ps.Prompts} {
		for _, p := range all {
			if p.Active && (!found || p.Since < since) {
				since = p.Since
			}
			found = found || p.Active
		}
	}
	for _, p := range ps.Shapes {
		if p.Active {
			shaped = min(shaped, p.Recent)
		}
	}
	var levels []float64
	name := func(is func(*part) bool) {
		for id, p := range ps.Prompts {
			if is(p) {
				prompts = append(prompts, id)
				levels = append(levels, p.Recent)
			}
		}
	}
	if name(func(p *part) bool { return p.Active }); prompts == nil && found {
		name(func(p *part) bool { return p.Recent < shaped/2 })
	}
	slices.Sort(prompts)
	return since, median(levels), prompts, found
}

func (ps *parts) rebase() {
	for _, all := range []map[string]*part{ps.Prompts, ps.Shapes} {
		for _, p := range all {
			p.rebase()
		}
	}
}
