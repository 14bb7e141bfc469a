package judge

import (
	"math"
	"slices"
)

// modes tells whether a series goes to and fro between two levels, as a machine does that runs in one of two
// states. Where it does, a level between the two is normal, and noise is what is left around each: taken for
// carry-over instead, it would hide a loss that goes beyond the lower one.
type modes struct {
	Low, High float64   // the two levels about the baseline; 0 for one level
	Share     float64   // of cycles in the lower one
	Means     []float64 // of a few cycles each, about the baseline of their time, oldest first
	Wait      int       // cycles until the next one is taken
	Fresh     int       // means since the last look
}

const (
	// Means are of as many cycles as are in an hour, within these bounds: noise is less in them, and a mode is not.
	leastMode  = 4
	mostMode   = 16
	modeMeans  = 384
	modeLook   = 32
	leastMeans = 96
	// Two levels are told where they are far apart, both are usual, and there were enough changes to and fro: a
	// change for good is not one of modes.
	modeApart   = 2.2 // standard deviations of means
	modeShare   = 0.1
	modeChanges = 8
	// modeMoved is by what part of their distance the mean may have moved from the first half of the record to the second: what
	// goes one way, however slowly, goes not to and fro, and the baseline is not between what it goes through.
	modeMoved = 0.4
	// modeSure is the log likelihood ratio against one level at which two are believed; at a third of it they are no
	// longer.
	modeSure = 12.0
)

// learn takes point i of s, which is normal, and reports whether what is known of modes changed.
func (m *modes) learn(s *series, c context, i int) bool {
	if m.Wait > 0 {
		m.Wait--
		return false
	}
	const hour = 3600
	n := int(clamp(hour/c.interval, leastMode, mostMode))
	if i < n-1 || s.NoiseN < leastCycles {
		return false
	}
	m.Wait = n - 1
	var buffer [mostMode]float64
	some := buffer[:n]
	for k := range some {
		p := &s.Points[i-k]
		some[k] = p.Y - s.Base - (p.Lo+p.Hi)/2
	}
	if len(m.Means) == modeMeans {
		m.Means = m.Means[:copy(m.Means, m.Means[1:])]
	}
	m.Means = append(m.Means, math.Round(trimmed(some)*1e5)/1e5)
	if m.Fresh++; m.Fresh < modeLook || len(m.Means) < leastMeans {
		return false
	}
	m.Fresh = 0
	return m.look(s)
}

// trimmed returns the mean of the middle half of xs, which it sorts.
func trimmed(xs []float64) float64 {
	slices.Sort(xs)
	sum, n := 0.0, len(xs)/4
	for _, x := range xs[n : len(xs)-n] {
		sum += x
	}
	return sum / float64(len(xs)-2*n)
}

// look decides anew whether there are two levels.
func (m *modes) look(s *series) bool {
	had := m.High > m.Low
	f := split(m.Means)
	sure := modeSure
	if had {
		sure /= 3
	}
	two := f.gain >= sure && f.high-f.low >= modeApart*f.sd && min(f.share, 1-f.share) >= modeShare && f.changes >= modeChanges &&
		f.low < 0 && f.high > 0 && abs(f.moved) < modeMoved*(f.high-f.low)
	switch {
	case two:
		m.Low, m.High, m.Share = f.low, f.high, f.share
	case had:
		m.Low, m.High, m.Share = 0, 0, 0
	default:
		return false
	}
	if two != had {
		s.refit()
	}
	return true
}

// refit computes the noise of s anew, around what its modes are now.
func (s *series) refit() {
	s.believe()
	var buffer [maxPoints]float64
	xs := buffer[:0]
	for i := range s.Points[:len(s.Points)-s.Todo] {
		xs = append(xs, s.residual(i))
	}
	if len(xs) < leastCycles {
		return
	}
	var sizes [maxPoints]float64
	for i, x := range xs {
		sizes[i] = abs(x)
	}
	s.fitNoise(xs, max(1.4826*median(sizes[:len(xs)]), leastSD))
}

// residual returns how far point i is from what is normal at its time: from the nearer of two modes, by it and
// those around it.
func (s *series) residual(i int) float64 {
	b := &s.Belief
	d := s.unusual(s.Points[i])
	if b.Low == b.High {
		return d
	}
	const around = 3
	var buffer [2*around + 1]float64
	near := buffer[:0]
	for k := max(0, i-around); k <= min(len(s.Points)-1, i+around); k++ {
		q := &s.Points[k]
		near = append(near, q.Y-b.Base-(q.Lo+q.Hi)/2)
	}
	if median(near) < (b.Low+b.High)/2 {
		return d - b.Low
	}
	return d - b.High
}

// levels are two normal distributions of one variance.
type levels struct {
	low, high, sd float64
	share         float64 // of the lower one
	gain          float64 // log likelihood ratio against a single normal distribution
	changes       int     // from one to the other, in the order of what they are of
	moved         float64 // by how much the mean of the second half differs from that of the first
}

// split fits levels to xs by expectation maximization. What is far from all others counts for nothing.
func split(xs []float64) levels {
	var buffer [modeMeans]float64
	sorted := append(buffer[:0], xs...)
	middle := median(sorted)
	lowest, highest := sorted[len(xs)/20], sorted[len(xs)-1-len(xs)/20]
	reach := 2 * (highest - lowest)
	kept := buffer[:0]
	for _, x := range xs {
		if abs(x-middle) <= reach {
			kept = append(kept, x)
		}
	}
	n := float64(len(kept))
	var mean, square float64
	for _, x := range kept {
		mean += x / n
	}
	var moved float64
	for i, x := range kept {
		square += (x - mean) * (x - mean) / n
		half := 2 / n
		if i < len(kept)/2 {
			half = -half
		}
		moved += half * x
	}
	least := leastSD * leastSD / leastMode
	square = max(square, least)
	f := levels{low: mean - math.Sqrt(square), high: mean + math.Sqrt(square), share: 0.5, moved: moved}
	variance := square / 4
	for range 40 {
		var one, sumOne, sumTwo, around float64
		slope := (f.high - f.low) / variance
		odds := math.Log((1-f.share)/f.share) - slope*(f.high+f.low)/2
		for _, x := range kept {
			w := 1 / (1 + math.Exp(odds+slope*x)) // the probability that it is of the lower one
			one += w
			sumOne += w * x
			sumTwo += (1 - w) * x
			around += w*(x-f.low)*(x-f.low) + (1-w)*(x-f.high)*(x-f.high)
		}
		before := f
		f.share = clamp(one/n, 0.01, 0.99)
		f.low, f.high = sumOne/max(one, 1e-9), sumTwo/max(n-one, 1e-9)
		variance = max(around/n, least)
		if abs(f.low-before.low)+abs(f.high-before.high) < 0.02*math.Sqrt(variance) {
			break
		}
	}
	f.sd = math.Sqrt(variance)
	const clear = 2.2 // log likelihood ratio at which it is no noise that the other one has come
	was := false
	for _, x := range kept {
		one := math.Log(f.share) - (x-f.low)*(x-f.low)/(2*variance)
		two := math.Log(1-f.share) - (x-f.high)*(x-f.high)/(2*variance)
		f.gain += max(one, two) + math.Log1p(math.Exp(-abs(one-two))) - math.Log(variance)/2
		f.gain += (x-mean)*(x-mean)/(2*square) + math.Log(square)/2
		if is := one > two; is != was && abs(one-two) > clear {
			f.changes++
			was = is
		}
	}
	return f
}

// scatter returns the standard deviation of a cycle, whichever mode it is in.
func (s *series) scatter() float64 {
	m, sd := &s.Modes, s.sd()
	apart := m.High - m.Low
	return math.Sqrt(sd*sd + m.Share*(1-m.Share)*apart*apart)
}
