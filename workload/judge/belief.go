package judge

import "math"

// belief is what is taken for granted of a series while its points are looked at. It follows what is learnt
// at intervals, so that a cycle costs no more than its own step.
type belief struct {
	Base      float64 // baseline
	Low, High float64 // about Base, between which a level is one of the modes
	Phi       float64 // correlation from one cycle to the next
	Var       float64 // variance of innovations
	Odd       float64 // share of outliers
}

// refreshed is the number of cycles after which a belief follows what was learnt, where much is known already.
const refreshed = 16

// believe makes what is known now the belief.
func (s *series) believe() {
	s.Belief = belief{Base: s.Base, Low: s.Modes.Low, High: s.Modes.High, Odd: s.odd()}
	s.Belief.Phi = s.correlation()
	s.Belief.Var = max(s.S2, leastSD*leastSD*(1-s.Belief.Phi*s.Belief.Phi))
	s.Since = 0
	s.steps = s.steps[:0]
}

// correlation returns the correlation from one cycle to the next as far as it is learnt.
func (s *series) correlation() float64 {
	const weight, prior = 20, 0.5
	if s.C0 <= 0 {
		return prior
	}
	return clamp((s.NoiseN*s.C1/s.C0+weight*prior)/(s.NoiseN+weight), 0, 0.95)
}

func (s *series) phi() float64 { return s.Belief.Phi }

// sd returns the standard deviation of a cycle.
func (s *series) sd() float64 { return math.Sqrt(s.Belief.Var / (1 - s.Belief.Phi*s.Belief.Phi)) }

// baseVar returns the variance of the baseline.
func (s *series) baseVar() float64 {
	phi, sd := s.phi(), s.sd()
	return sd * sd * (1 + phi) / (1 - phi) / max(1, s.BaseN)
}

// deviation returns how far p is from what is usual.
func (b *belief) deviation(p *point) float64 {
	d := p.Y - b.Base
	return d - clamp(d, p.Lo+b.Low, p.Hi+b.High)
}

func (s *series) deviation(p point) float64 { return s.Belief.deviation(&p) }

// unusual returns how far p is from what is usual at its time, whether or not there are modes.
func (s *series) unusual(p point) float64 {
	d := p.Y - s.Belief.Base
	return d - clamp(d, p.Lo, p.Hi)
}

// fit computes baseline and noise from all points.
func (s *series) fit() {
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
	for i, p := range s.Points {
		ys[i] = p.Y - s.Base
	}
	s.fitNoise(ys, scale)
	s.Habit.Var, s.Habit.N = s.sd()*s.sd(), s.N
}

// fitNoise computes variance and correlation from residuals that follow each other, scale being about their
// standard deviation, and believes them.
func (s *series) fitNoise(xs []float64, scale float64) {
	n := float64(len(xs))
	s.C0, s.C1 = 0, 0
	for i, x := range xs[1:] {
		before := xs[i]
		if abs(x) < outlier*scale && abs(before) < outlier*scale {
			s.C0 += (x*x + before*before) / 2 / n
			s.C1 += x * before / n
		}
	}
	s.NoiseN = n
	phi := s.correlation()
	s.S2 = scale * scale * (1 - phi*phi)
	s.believe()
	if len(xs) < 5 {
		return
	}
	for range 6 {
		sum, n := 0.0, 0.0
		for i, x := range xs[1:] {
			if before := xs[i]; abs(before) < outlier*s.sd() {
				sum += s.innovation(x, before) / huberMean
				n++
			}
		}
		if n == 0 {
			return
		}
		s.S2 = sum / n
		s.believe()
	}
}
