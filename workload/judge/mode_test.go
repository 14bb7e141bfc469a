package judge_test

import (
	"testing"

	"exo-bench-exporter/workload/judge"
)

// TestTwoOutliersAreNotADeeperMode has a model be slower for half a day again and again, which is no news the third
// time: neither are two slow cycles in it, and a loss beside it is.
func TestTwoOutliersAreNotADeeperMode(t *testing.T) {
	const slow, lasts = 50 * 0.96, 48
	j := judge.New(judge.Options{})
	tell(j, 0, learnt, 50)
	c := learnt
	for range 2 {
		tell(j, c, c+lasts, slow)
		tell(j, c+lasts, c+3*96, 50)
		c += 3 * 96
	}
	tell(j, c, c+20, slow)
	if k := worst(t, j); k != judge.Unstable {
		t.Fatalf("%q the third time, want unstable", k)
	}
	for i := range 12 {
		rate := slow
		if i < 2 {
			rate *= 0.7
		}
		j.Add(noisy(c+20+i, rate))
		if k := worst(t, j); k != judge.Unstable {
			t.Fatalf("%q in cycle %d, of which the first two are outliers", k, i)
		}
	}
	tell(j, c+32, c+40, slow*0.9)
	if k := worst(t, j); k != judge.Drop {
		t.Errorf("%q after a loss of 10 %% beside it, want a drop", k)
	}
}
