package compare

import (
	"math"
	"sort"

	"exo-bench-exporter/workload"
)

// Level is what turns of one model show of a quantity.
type Level struct {
	Value          float64 // geometric mean over the prompts, of the median over turns each
	Turns, Prompts int
	// Range is the 95 % interval of Value; Known says whether there is one.
	Range Interval
	Known bool
}

// LevelOf returns what turns of one model and one method show of q; false where they show nothing.
func LevelOf(q Quantity, turns []workload.Turn) (Level, bool) {
	series := q.series(turns)
	centre := centres(series)
	if len(centre) == 0 {
		return Level{}, false
	}
	off := levels(series, centre)
	l := Level{Value: mean(centre, centre), Turns: len(series), Prompts: len(centre)}
	around, ok := located(off, shown)
	if ok {
		around = around.widened(inflation(carry(off), float64(len(off))))
		l.Range, l.Known = Interval{l.Value, l.Value * math.Exp(around.Low), l.Value * math.Exp(around.High)}, true
	}
	return l, true
}

// Between compares two models, or two sets of turns of one, by what they show of q on the prompts that both have. ok is
// false where they have none.
func Between(q Quantity, a, b []workload.Turn, margin float64) (c Change, ok bool) {
	return of(q, q.series(a), q.series(b), margin)
}

// located bounds the median of what values are drawn from: between those of its order statistics beyond which the sign test
// would reject it at the level alpha, interpolated as in beyond. The bounds are as distances from the centre, so the centre is 0.
// ok is false where so few values cannot give such an interval.
func located(values []float64, alpha float64) (i Interval, ok bool) {
	n := len(values)
	below := signs(n)
	next := sort.Search(len(below), func(k int) bool { return below[k] > alpha/2 })
	if next == 0 || n == 0 {
		return Interval{}, false
	}
	at := float64(next-1) + (alpha/2-below[next-1])/(below[next]-below[next-1])
	last := float64(n - 1)
	low, _ := workload.Quantile(values, at/last)
	high, _ := workload.Quantile(values, 1-at/last)
	centre := median(values)
	return Interval{0, min(0, low-centre), max(0, high-centre)}, true
}

// signs returns P(B ≤ k) of n fair coins for each k.
func signs(n int) []float64 {
	p := make([]float64, n+1)
	sum := 0.0
	whole, _ := math.Lgamma(float64(n + 1))
	for k := range p {
		heads, _ := math.Lgamma(float64(k + 1))
		tails, _ := math.Lgamma(float64(n - k + 1))
		sum += math.Exp(whole - heads - tails - float64(n)*math.Ln2)
		p[k] = sum
	}
	return p
}
