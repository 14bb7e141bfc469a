package judge

import "math"

// carry is what a cycle hands on to the next: its deviation, and what that would be if the cycle was
// an outlier, of which nothing stays. The next cycle tells which it was, so that neither an outlier
// by itself nor a jolt that wears off slowly spoils what follows (a robust filter as Masreliez's and
// Martin's, with two branches in place of a bound).
type carry struct{ With, Without float64 }

// step takes the deviation x, of which carried is the share of the state before that stays and precision the
// inverse of the standard deviation of what is new. It returns what is new, its density up to a factor that
// depends on precision alone, and the probability that x is an outlier.
func (s *carry) step(x, carried, precision float64, m mixture) (e, density, isOdd float64) {
	mean := carried * s.With
	density, isOdd = m.density((x - mean) * precision)
	if other := carried * s.Without; abs(other-mean)*precision > 0.1 {
		d, o := m.density((x - other) * precision)
		if d > density {
			mean, isOdd = other, o
		}
		density = (density + d) / 2
	}
	e = x - mean
	s.With, s.Without = x, mean+(1-isOdd)*e
	return e, density, isOdd
}

// mixture is how standardized innovations are distributed: normal ones are standard normal, outliers have
// Cauchy's density with a wide scale (Tukey's contaminated normal).
type mixture struct{ normal, outlier float64 } // densities at zero

const wide = 4

// contaminated returns the mixture in which the share odd are outliers.
func contaminated(odd float64) mixture {
	return mixture{normal: (1 - odd) / math.Sqrt(2*math.Pi), outlier: odd / (math.Pi * wide)}
}

// density returns the density at z, and the probability that z is an outlier.
func (m mixture) density(z float64) (density, isOdd float64) {
	const unheard = 150 // square of the score from which on a normal density is as good as nothing
	normal, square := 0.0, z*z
	if square < unheard {
		normal = m.normal * math.Exp(-square/2)
	}
	outlier := m.outlier / (1 + square/(wide*wide))
	return normal + outlier, outlier / (normal + outlier)
}

// odd returns the usual share of outliers among cycles.
func (s *series) odd() float64 {
	const weight, prior, least, most = 50, 0.01, 0.003, 0.25
	return clamp((s.N*s.Odd+weight*prior)/(s.N+weight), least, most)
}

// tails is how often evidence comes part of its way to the threshold without a loss, and how far then, in all
// series of one quantity of a node: what is odd about a machine shows in each of its models, and rarely.
type tails struct {
	N      float64 // cycles
	Rate   float64 // in how many of them evidence that went beyond tailAt went back
	Excess float64 // by how much it had gone beyond that, in the mean
	Beyond float64 // times that Excess rests on
}

const (
	// Where noise is as it is believed to be, evidence goes beyond tailAt, as a log likelihood ratio, and back again
	// usualTail times a cycle, by usualExcess at most in the mean; by simulation.
	tailAt      = 4
	usualTail   = 0.005
	usualExcess = 0.87
	leastN      = 200 // cycles of a series before which nothing is learnt of it
	tailMemory  = 80 * noiseMemory
)

// calibrate learns from a cycle without a loss. Evidence that stays is one event, and none while it may become one.
func (s *series) calibrate(c context, loss find) {
	if s.N < leastN {
		return
	}
	t, back := c.tails, 0.0
	h := s.uncertain(threshold(c))
	switch e := loss.evidence * loss.evidence * t.need(h, windows[0]); {
	case loss.evidence >= 1:
		s.Peak = 0
	case e >= tailAt && !loss.few:
		s.Peak = max(s.Peak, e)
	case s.Peak > 0:
		back = 1
		t.Beyond = min(t.Beyond+1, tailMemory*usualTail)
		toward(&t.Excess, s.Peak-tailAt, t.Beyond)
		s.Peak = 0
	}
	t.N = min(t.N+1, tailMemory)
	toward(&t.Rate, back, t.N)
}

// raise returns by how much the log likelihood ratio that it takes is raised or lowered where evidence came part of
// its way more or less often than usual, or farther. What goes beyond a high value is distributed exponentially,
// about, so that how often it goes beyond another follows from its mean (peaks over a threshold, after Pickands).
func (t *tails) raise(h float64) float64 {
	const weight, weightExcess, lowest, most = 6 / usualTail, 40, -1, 2.5
	often := (t.N*t.Rate/usualTail + weight) / (t.N + weight)
	excess := (t.Beyond*t.Excess/usualExcess + weightExcess) / (t.Beyond + weightExcess)
	way := max(0, h*h/2-tailAt)
	return clamp(excess*(way+usualExcess*math.Log(often))-way, lowest, most)
}

// need returns the log likelihood ratio that a window of n cycles takes, h being the score that
// corresponds to it at best. Short windows need more, because runs of outliers harm them most, and
// long ones because a loss that they alone can find is small.
func (t *tails) need(h float64, n int) float64 {
	const best, short, long = 8, 0.5, 0.7
	x := float64(n) / best
	more := long * math.Log(x)
	if x < 1 {
		more = short * (1/x - 1)
	}
	return h*h/2 + t.raise(h) + more
}
