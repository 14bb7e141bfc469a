package judge

import "math"

// carry is what a cycle hands on to the next: its deviation, and what that would be if the cycle was
// an outlier, of which nothing stays. The next cycle tells which it was, so that neither an outlier
// by itself nor a jolt that wears off slowly spoils what follows (a robust filter as Masreliez's and
// Martin's, with two branches in place of a bound).
type carry struct{ with, without float64 }

// step takes the deviation x, of which carried is the share of the state before that stays and sd the
// standard deviation of what is new. It returns what is new, its density up to a factor that depends on sd
// alone, and the probability that x is an outlier, odd being the usual share of those.
func (s *carry) step(x, carried, sd, odd float64) (e, density, isOdd float64) {
	mean := carried * s.with
	density, isOdd = mixture((x-mean)/sd, odd)
	if other := carried * s.without; abs(other-mean) > 0.1*sd {
		d, o := mixture((x-other)/sd, odd)
		if d > density {
			mean, isOdd = other, o
		}
		density = (density + d) / 2
	}
	e = x - mean
	s.with, s.without = x, mean+(1-isOdd)*e
	return e, density, isOdd
}

// mixture returns the density of a standardized innovation z, and the probability that it is an
// outlier: normal ones are standard normal, outliers have Cauchy's density with a wide scale
// (Tukey's contaminated normal).
func mixture(z, odd float64) (density, isOdd float64) {
	const wide = 4
	normal := (1 - odd) / math.Sqrt(2*math.Pi) * math.Exp(-z*z/2)
	outlier := odd / (math.Pi * wide) / (1 + z*z/(wide*wide))
	return normal + outlier, outlier / (normal + outlier)
}

// odd returns the usual share of outliers among cycles.
func (s *series) odd() float64 {
	const weight, prior, least, most = 50, 0.01, 0.003, 0.25
	return clamp((s.N*s.Odd+weight*prior)/(s.N+weight), least, most)
}

const (
	// usualTail is the share of cycles in which the evidence reaches tailAt, as a log likelihood ratio, where
	// noise is as it is believed to be; by simulation.
	usualTail = 0.003
	tailAt    = 5
	leastN    = 200 // cycles before which this is not learnt
)

// calibrate learns how often evidence comes half of its way to the threshold.
func (s *series) calibrate(c context, loss find) {
	if s.N < leastN {
		return
	}
	h := s.uncertain(threshold(c))
	reached := 0.0
	if e := loss.evidence * loss.evidence * s.need(h, windows[0]); e >= tailAt && !loss.few {
		reached = 1
	}
	toward(&s.Tail, reached, min(s.N-leastN+1, spreadMemory))
}

// tail returns by how much the log likelihood ratio that it takes is raised or lowered, because
// in the history of this series evidence came half of its way more or less often than usual: the share of
// cycles above a log likelihood ratio falls by the factor e with each unit more, or a little
// slower, so that what is too often there is too often at the threshold.
func (s *series) tail() float64 {
	const weight, slope, most = 10 / usualTail, 1.5, 6
	n := max(0, min(s.N, spreadMemory)-leastN)
	return clamp(slope*math.Log((n*s.Tail/usualTail+weight)/(n+weight)), -1, most)
}
