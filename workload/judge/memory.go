package judge

import (
	"math"
	"slices"
)

// memory is what the models of a node have in common: how it was slow before, for how long, and how
// deep outliers go.
type memory struct {
	Modes        []mode
	DeepN, DeepP float64 // cycles, and how many of them were as slow as after a collapse
	Stall        int     // longest collapse that went away by itself at once, in cycles
	StallAt      int64
	Tails        map[Quantity]*tails
	Now          int64 // newest time of a turn
}

// mode is a loss that went away by itself.
type mode struct {
	Model    string // that showed it first; empty for the node
	Quantity Quantity
	Depth    float64 // logarithm, positive
	Mean     float64 // seconds
	Longest  float64 // seconds
	N        int
	Last     int64
}

const (
	maxModes   = 16
	asDeep     = 1.4 // times the depth of a mode may be the same one, as far as the begin of a loss tells
	knownDepth = 1.2 // times it is no more than what is known of it
	rememberIt = 30 * day
	shortStall = 8       // cycles
	shortMode  = 2 * day // a longer loss is nothing that comes and goes
)

// limit returns how long a loss of this mode may last, in seconds: longer than any of as many
// exponentially distributed times as there may be in half a year.
func (m *mode) limit(interval float64) int64 {
	if m.N == 1 {
		return int64(max(2.5*m.Longest, 8*interval))
	}
	return int64(max(6*m.Mean, 2*m.Longest, 8*interval))
}

// explain returns the mode that explains a loss of c's model down to level: one that the model showed
// itself, or that was there twice. A single loss of one model may have had a cause of its own.
func (m *memory) explain(c context, level, se float64) *mode {
	return m.match(c.q, level, se, func(k *mode) bool { return k.N > 1 || k.Model == c.model })
}

// match returns the mode, of those for which may is true, whose depth is nearest to that of a loss of quantity q down to
// level, and which that may be; nil where none is.
func (m *memory) match(q Quantity, level, se float64, may func(*mode) bool) *mode {
	var best *mode
	for i := range m.Modes {
		k := &m.Modes[i]
		is := k.Quantity == q && m.Now-k.Last < rememberIt && -level <= asDeep*k.Depth+2*se && -level >= 0.4*k.Depth-2*se
		if is && may(k) && (best == nil || abs(-level-k.Depth) < abs(-level-best.Depth)) {
			best = k
		}
	}
	return best
}

// ended remembers a loss that was over at the time at. One that all models had is for the node to remember.
func (m *memory) ended(c context, f finding, at int64) {
	seconds := float64(at - f.Since)
	switch {
	case f.Kind == Gain || f.Common < 0 && c.model != "" || seconds < 0 || seconds > shortMode:
		return
	case f.Kind == Collapse:
		return
	}
	if k := m.match(c.q, f.Level, math.Sqrt(f.Var), func(*mode) bool { return true }); k != nil {
		k.N++
		toward(&k.Depth, -f.Level, float64(min(k.N, 10)))
		toward(&k.Mean, seconds, float64(min(k.N, 30)))
		k.Longest, k.Last = max(k.Longest, seconds), m.Now
		return
	}
	m.Modes = slices.DeleteFunc(m.Modes, func(k mode) bool { return m.Now-k.Last >= rememberIt })
	if len(m.Modes) == maxModes {
		m.Modes = m.Modes[:copy(m.Modes, m.Modes[1:])]
	}
	m.Modes = append(m.Modes, mode{Model: c.model, Quantity: c.q, Depth: -f.Level, Mean: seconds, Longest: seconds, N: 1, Last: m.Now})
}

// stalled remembers that so many cycles in a row were as slow as after a collapse, and are over.
func (m *memory) stalled(cycles int) {
	if cycles < 2 || cycles > shortStall {
		return
	}
	if m.Now-m.StallAt >= rememberIt {
		m.Stall = 0
	}
	m.Stall, m.StallAt = max(m.Stall, cycles), m.Now
}

// deep learns whether a normal cycle was as slow as after a collapse.
func (m *memory) deep(is bool) {
	const most = 4 * noiseMemory
	if m.DeepN >= most {
		m.DeepN, m.DeepP = m.DeepN*(1-1.0/most), m.DeepP*(1-1.0/most)
	}
	m.DeepN++
	if is {
		m.DeepP++
	}
}

// outlast returns how many slow cycles in a row are no stall, where one had so many: more than two of them next to each
// other, unless two outliers were taken for one.
func outlast(stall int) int {
	const shortest = 3
	if stall < shortest {
		return stall + 1
	}
	return 2*stall + 1
}

// stalls returns how many cycles in a row are a collapse and no stall or chance: two, unless the node
// is known for more.
func (m *memory) stalls(c context) int {
	n := 2
	if m.DeepP >= 1 && m.DeepN > 0 {
		often := clamp(m.DeepP/m.DeepN, 1e-6, 0.5)
		n = max(n, together(c, often))
	}
	if m.Stall > 0 && m.Now-m.StallAt < rememberIt {
		n = max(n, outlast(m.Stall))
	}
	return min(n, shortStall)
}
