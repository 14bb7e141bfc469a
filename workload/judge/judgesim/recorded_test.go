package judgesim

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// moments returns the variance of vs and how much of it carries over to the next.
func moments(vs []float64) (variance, carryOver float64) {
	mean := 0.0
	for _, v := range vs {
		mean += v / float64(len(vs))
	}
	product := 0.0
	for i, v := range vs {
		variance += (v - mean) * (v - mean) / float64(len(vs))
		if i > 0 {
			product += (v - mean) * (vs[i-1] - mean) / float64(len(vs))
		}
	}
	return variance, product / variance
}

// TestBlocksAreLikeTheRecord makes much of little that carries over.
func TestBlocksAreLikeTheRecord(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var c carry
	record := make([]float64, 500)
	for i := range record {
		record[i] = c.next(Noise{Rho: 0.7}, r)
	}
	var b block
	var long []float64
	for range 100_000 {
		v := b.next(record, r)
		if !slices.Contains(record, v) {
			t.Fatalf("%g was not recorded", v)
		}
		long = append(long, v)
	}
	variance, carryOver := moments(record)
	got, carried := moments(long)
	if math.Abs(got/variance-1) > 0.1 || math.Abs(carried-carryOver*(blockLength-1)/blockLength) > 0.05 {
		t.Errorf("variance %.3f, carry-over %.3f, of a record with %.3f and %.3f", got, carried, variance, carryOver)
	}
}

func TestRecordsAreWhole(t *testing.T) {
	all := engine.Noise.Recorded
	if len(all) < 300 {
		t.Errorf("%d turns", len(all))
	}
	sorted := slices.Sorted(slices.Values(all))
	if m := sorted[len(sorted)/2]; m != 0 {
		t.Errorf("median %g", m)
	}
}
