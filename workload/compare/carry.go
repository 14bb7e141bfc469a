package compare

import (
	"math"
	"slices"

	"exo-bench-exporter/workload"
)

// What a turn carries over to the next makes turns tell less than as many independent ones would. A few turns
// cannot tell how much that is; usualCarry is taken for it as if usualTurns more had shown it.
const (
	usualCarry = 0.3
	usualTurns = 6
	mostCarry  = 0.9
	sane       = 3 // deviations beyond which a turn is an outlier, in robust standard deviations
)

// carry estimates how much of a turn's deviation the next one shows (the first-order autocorrelation), from
// both sides together, without outliers and without the bias of few values (Marriott and Pope, 1954).
func carry(sides ...[]float64) float64 {
	product, square, n := 0.0, 0.0, 0
	for _, side := range sides {
		centre := median(side)
		scale := spread(side, centre)
		if scale == 0 {
			continue
		}
		before := 0.0
		for i, v := range side {
			x := max(-sane, min(sane, (v-centre)/scale))
			square += x * x
			if i > 0 {
				product += x * before
			}
			before = x
		}
		n += len(side)
	}
	if n == 0 || square == 0 {
		return usualCarry
	}
	each := float64(n) / float64(len(sides))
	found := product / square
	found = max(-usualCarry, min(mostCarry, found+(1+3*found)/each))
	return max(0, (found*each+usualCarry*usualTurns)/(each+usualTurns))
}

// inflation returns how many times as far the mean of n values that carry over rho scatters as that of
// independent ones.
func inflation(rho, n float64) float64 {
	return math.Sqrt((1+rho)/(1-rho) - 2*rho*(1-math.Pow(rho, n))/(n*(1-rho)*(1-rho)))
}

// spread returns the standard deviation of values around centre by the median of their distances.
func spread(values []float64, centre float64) float64 {
	var far []float64
	for _, v := range values {
		far = append(far, math.Abs(v-centre))
	}
	return median(far) * 1.4826
}

// median returns the median of values, at least one.
func median(values []float64) float64 {
	m, _ := workload.Quantile(values, 0.5)
	return m
}

// middle returns the mean of the middle half of values, which it sorts: what is odd at either end has no weight.
func middle(values []float64) float64 {
	slices.Sort(values)
	n := float64(len(values))
	sum := 0.0
	for i, v := range values {
		part := min(float64(i+1), 0.75*n) - max(float64(i), 0.25*n)
		sum += max(0, part) * v
	}
	return sum / (n / 2)
}
