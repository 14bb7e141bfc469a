package judge

import (
	"math"
	"slices"
)

func clamp(x, lo, hi float64) float64 { return max(lo, min(hi, x)) }

// median returns the median of xs, which it sorts; 0 of none.
func median(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	slices.Sort(xs)
	n := len(xs)
	return (xs[(n-1)/2] + xs[n/2]) / 2
}

// weighed is a value with its weight.
type weighed struct {
	value, weight float64
	of            int // which it is of
}

// midmean returns the weighted mean of the middle half of vs, which it sorts: nearly as precise as
// the mean where noise is normal, and blind to a quarter on either side (Tukey's trimmed mean).
func midmean(vs []weighed) float64 {
	slices.SortFunc(vs, func(a, b weighed) int {
		switch {
		case a.value < b.value:
			return -1
		case a.value > b.value:
			return 1
		}
		return 0
	})
	return midmeanWithout(vs, -1)
}

// midmeanWithout is the midmean of those of vs, which are sorted, that are not of one; 0 where none is left.
func midmeanWithout(vs []weighed, one int) float64 {
	total := 0.0
	for _, v := range vs {
		if v.of != one {
			total += v.weight
		}
	}
	var sum, used, below float64
	for _, v := range vs {
		if v.of == one {
			continue
		}
		part := min(below+v.weight, 0.75*total) - max(below, 0.25*total)
		if part > 0 {
			sum += part * v.value
			used += part
		}
		below += v.weight
	}
	if used == 0 {
		return 0
	}
	return sum / used
}

// upper returns the standard normal quantile that is exceeded with probability p, 0 < p < 1.
func upper(p float64) float64 { return -math.Sqrt2 * math.Erfinv(2*p-1) }

// ratio turns a difference of logarithms into a relative change.
func ratio(x float64) float64 { return math.Expm1(x) }

// toward moves mean by the share 1/n of its distance to x.
func toward(mean *float64, x, n float64) { *mean += (x - *mean) / n }
