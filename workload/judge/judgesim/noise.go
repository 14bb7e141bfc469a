package judgesim

import (
	"math"
	"math/rand/v2"
	"time"
)

// Noise is how the speed of a model scatters from cycle to cycle.
type Noise struct {
	SD  float64 // standard deviation of the logarithm
	Rho float64 // correlation from one cycle to the next
	// Lasts is the time in which a deviation falls to 1/e, as that of what a machine does beside does. Where it is
	// set, Rho follows from it and the time between cycles.
	Lasts       time.Duration
	Tail        float64 // degrees of freedom of Student's t in place of the normal; 0 for normal
	Outliers    float64 // share of cycles that are outliers
	OutlierLoss float64 // share of the speed that an outlier loses
	Common      float64 // share of the variance of SD that all models of a node have in common
	// Recorded is noise that was recorded, as logarithms, turn after turn. Where it is set, it comes in place of what
	// SD, Rho, Lasts, Tail and Common make.
	Recorded []float64
	// PromptSD and PromptOutliers are of each request by itself, beside what a turn's requests share.
	PromptSD, PromptOutliers float64
}

// Reference is the noise at which the bars are set.
var Reference = Noise{SD: 0.015, Rho: 0.5, Outliers: 0.01, OutlierLoss: 0.3}

// carry is noise that carries over.
type carry struct{ state float64 }

// next returns the next value, of standard deviation 1.
func (c *carry) next(n Noise, r *rand.Rand) float64 {
	e := r.NormFloat64()
	if n.Tail > 2 {
		e = student(n.Tail, r)
	}
	c.state = n.Rho*c.state + math.Sqrt(1-n.Rho*n.Rho)*e
	return c.state
}

// student returns Student's t with dof degrees of freedom, scaled to standard deviation 1.
func student(dof float64, r *rand.Rand) float64 {
	chi := 0.0
	for range int(dof) {
		z := r.NormFloat64()
		chi += z * z
	}
	return r.NormFloat64() / math.Sqrt(chi/dof) * math.Sqrt((dof-2)/dof)
}
