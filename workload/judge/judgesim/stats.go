package judgesim

import "math"

// Interval is an estimate with its 95 % confidence interval.
type Interval struct {
	Estimate, Low, High float64
}

// Wilson returns the share of hits among n trials with Wilson's score interval.
func Wilson(hits, n int) Interval {
	if n == 0 {
		return Interval{math.NaN(), 0, 1}
	}
	const z = 1.959964
	p, m := float64(hits)/float64(n), float64(n)
	centre := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return Interval{p, max(0, centre-half), min(1, centre+half)}
}

// Poisson returns the rate of events per unit of exposure with Garwood's exact interval.
func Poisson(events int, exposure float64) Interval {
	low := 0.0
	if events > 0 {
		low = solve(func(mean float64) float64 { return 1 - poissonCDF(events-1, mean) - 0.025 }, float64(events))
	}
	high := solve(func(mean float64) float64 { return 0.025 - poissonCDF(events, mean) }, 4*float64(events)+10)
	return Interval{float64(events) / exposure, low / exposure, high / exposure}
}

// solve finds the zero of an increasing function between 0 and hi.
func solve(f func(float64) float64, hi float64) float64 {
	lo := 0.0
	for range 100 {
		mid := (lo + hi) / 2
		if f(mid) < 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

func poissonCDF(k int, mean float64) float64 {
	term, sum := math.Exp(-mean), 0.0
	for i := 0; i <= k; i++ {
		sum += term
		term *= mean / float64(i+1)
	}
	return sum
}
