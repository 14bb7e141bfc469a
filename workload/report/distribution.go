package report

import (
	"maps"
	"math"
	"slices"
	"time"

	"exo-bench-exporter/workload"
)

// binsPerOctave is how many bins of a Distribution cover a factor of two: those of the exporter's native histograms.
const binsPerOctave = 8

// Distribution is how many samples of a time fall into each bin. Bin k is of the times above Bound(k-1) up to Bound(k).
type Distribution struct {
	N    int
	Bins map[int]float64
	// exact are the samples in seconds; nil where only the bins are known.
	exact []float64
}

// Bound returns the upper bound of bin k in seconds.
func Bound(k int) float64 { return math.Exp2(float64(k) / binsPerOctave) }

// binOf returns the bin of a time in seconds.
func binOf(v float64) int { return int(math.Ceil(binsPerOctave*math.Log2(v) - 1e-9)) }

func (d *Distribution) add(v time.Duration) {
	if v <= 0 {
		return
	}
	if d.Bins == nil {
		d.Bins = map[int]float64{}
	}
	d.N++
	d.exact = append(d.exact, v.Seconds())
	d.Bins[binOf(v.Seconds())]++
}

// Binned makes a Distribution of counts of a histogram with its own bounds, in seconds: what is between two of them is spread
// evenly over the logarithm. What is below the first positive bound is taken to be in the upper half of it, what is beyond the last
// finite one within twice as much. A bucket around zero, and one without any bound, say nothing of a time.
func Binned(buckets []Bucket) Distribution {
	d := Distribution{Bins: map[int]float64{}}
	total := 0.0
	for _, b := range buckets {
		if b.Low == -b.High {
			continue
		}
		if b.Low <= 0 {
			b.Low = b.High / 2
		}
		if math.IsInf(b.High, 1) {
			b.High = 2 * b.Low
		}
		if !(b.Count > 0 && b.Low > 0 && b.High > b.Low) {
			continue
		}
		total += b.Count
		low, high := binsPerOctave*math.Log2(b.Low), binsPerOctave*math.Log2(b.High)
		for k := int(math.Floor(low + 1e-9)); float64(k) < high-1e-9; k++ {
			part := min(high, float64(k+1)) - max(low, float64(k))
			d.Bins[k+1] += b.Count * part / (high - low)
		}
	}
	d.N = int(math.Round(total))
	return d
}

// Bucket is one of a histogram: Count samples above Low up to High, in seconds; either bound may be infinite.
type Bucket struct{ Low, High, Count float64 }

// quantile returns the p-quantile in seconds; false where there are no samples.
func (d Distribution) quantile(p float64) (float64, bool) {
	if d.exact != nil {
		return workload.Quantile(d.exact, p)
	}
	total := 0.0
	for _, n := range d.Bins {
		total += n
	}
	rank := p * total
	for _, k := range d.keys() {
		n := d.Bins[k]
		if rank <= n && n > 0 {
			return math.Exp2((float64(k-1) + rank/n) / binsPerOctave), true
		}
		rank -= n
	}
	return 0, false
}

// keys returns the bins that have samples, from the shortest time on.
func (d Distribution) keys() []int { return slices.Sorted(maps.Keys(d.Bins)) }

// Span returns the first and the last bin that have samples; false where there are none.
func (d Distribution) Span() (first, last int, ok bool) {
	keys := d.keys()
	if len(keys) == 0 {
		return 0, 0, false
	}
	return keys[0], keys[len(keys)-1], true
}
