package judge_test

import (
	"math"
	"strings"
	"testing"

	"exo-bench-exporter/workload/judge"
)

// TestTwoSpeedsAreNormal has a model go to and fro between two speeds, 4 % apart, every three hours. That is how it is,
// and what goes beyond the lower one is a loss, whichever of them it begins in.
func TestTwoSpeedsAreNormal(t *testing.T) {
	const dwell, low = 12, 0.96
	at := func(cycle int) float64 {
		if cycle/dwell%2 == 1 {
			return 50 * low
		}
		return 50
	}
	known := judge.New(judge.Options{})
	for c := range 14 * 96 {
		known.Add(noisy(c, at(c)))
		if k := worst(t, known); c >= 4*96 && k != "" && k != judge.Unstable {
			t.Fatalf("%s without cause in cycle %d", k, c)
		}
	}
	kept, err := known.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, onset := range []int{14 * 96, 14*96 + dwell} {
		j, err := judge.Restore(kept, judge.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for c := 14 * 96; c < onset; c++ {
			j.Add(noisy(c, at(c)))
		}
		v, _ := j.Model("m", judge.Decode)
		if math.Abs(v.Apart-0.0417) > 0.006 || math.Abs(v.Noise-0.0227) > 0.004 {
			t.Errorf("speeds %.4f apart, noise %.4f", v.Apart, v.Noise)
		}
		if grounds := v.Grounds(); !strings.Contains(grounds, "and two speeds are usual, 3.") {
			t.Error(grounds)
		}
		for c := onset; c < onset+8; c++ {
			j.Add(noisy(c, 0.9*at(c)))
		}
		v, _ = j.Model("m", judge.Decode)
		a, ok := v.Worst()
		if !ok || a.Kind != judge.Drop {
			t.Fatalf("%+v, want a drop after %d cycles", v, onset)
		}
		// The baseline is between the two: from one of them it is 8 % to the new speed, from the other 12 %.
		if a.Low > -0.1 || a.High < -0.1 || a.Ratio < -0.13 || a.Ratio > -0.07 {
			t.Errorf("a loss of 10 %% is %.3f (%.3f to %.3f)", a.Ratio, a.Low, a.High)
		}
	}
}

// TestTwoStallsInARow has a model that stalls for three cycles every week. Two such times next to each other are as
// little news as one; a collapse that stays is.
func TestTwoStallsInARow(t *testing.T) {
	const week = 7 * 96
	j := judge.New(judge.Options{})
	c := 0
	for range 3 {
		tell(j, c, c+week-3, 50)
		tell(j, c+week-3, c+week, 25)
		c += week
	}
	tell(j, c, c+96, 50)
	c += 96
	for range 6 {
		tell(j, c, c+1, 25)
		if k := worst(t, j); k != "" {
			t.Fatalf("%s after so many slow cycles as two stalls have", k)
		}
		c++
	}
	tell(j, c, c+20, 50)
	if k := worst(t, j); k != "" {
		t.Fatalf("%s when they were over", k)
	}
	tell(j, c+20, c+28, 25)
	if k := worst(t, j); k != judge.Collapse {
		t.Errorf("%q after eight slow cycles, want a collapse", k)
	}
}
