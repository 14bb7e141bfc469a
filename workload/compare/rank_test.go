package compare

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The distribution against SciPy's own (scipy.stats, exact method of mannwhitneyu).
func TestDistribution(t *testing.T) {
	for _, c := range []struct {
		n, m int
		want map[int]float64
	}{
		{5, 5, map[int]float64{0: 0.003968253968253968, 1: 0.007936507936507936, 2: 0.015873015873015872, 5: 0.07539682539682539, 12: 0.5}},
		{10, 5, map[int]float64{0: 0.000333000333000333, 5: 0.006327006327006327, 8: 0.019980019980019977, 12: 0.06460206460206461}},
		{7, 12, map[int]float64{0: 1.9845995078193222e-05, 5: 0.00037707390648567115, 12: 0.004882114789235533}},
	} {
		got := distribution(c.n, c.m)
		for k, want := range c.want {
			if math.Abs(got[k]/want-1) > 1e-9 {
				t.Errorf("P(U ≤ %d) of %d and %d values: %v, want %v", k, c.n, c.m, got[k], want)
			}
		}
		if last := got[len(got)-1]; math.Abs(last-1) > 1e-9 || len(got) != c.n*c.m+1 {
			t.Errorf("%d and %d: ends with %v after %d", c.n, c.m, last, len(got))
		}
	}
}

// Hollander's and Wolfe's own example (table 4.1: permeability of membranes), of which R's wilcox.test says
// an estimate of 0.305 and an interval from -0.15 to 0.76, with a confidence of 96 %. With 95 % it is a little shorter.
func TestShift(t *testing.T) {
	x := []float64{0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46}
	y := []float64{1.15, 0.88, 0.90, 0.74, 1.21}
	i, ok := shift(y, x, 0.05)
	var d []float64
	for _, a := range x {
		for _, b := range y {
			d = append(d, a-b)
		}
	}
	slices.Sort(d)
	next := [2]float64{d[slices.IndexFunc(d, func(v float64) bool { return v > -0.15+1e-9 })], 0}
	for _, v := range d {
		if v < 0.76-1e-9 {
			next[1] = v
		}
	}
	if !ok || math.Abs(i.Centre-0.305) > 1e-9 || i.Low < -0.15-1e-9 || i.Low > next[0] || i.High > 0.76+1e-9 || i.High < next[1] {
		t.Errorf("%+v, %v; neighbours %v", i, ok, next)
	}
}

func TestShiftOfFew(t *testing.T) {
	for _, c := range []struct {
		n, m  int
		alpha float64
		ok    bool
	}{
		{1, 1, 0.05, false},
		{3, 3, 0.05, false}, // 2 of 20 orders are as far apart
		{4, 4, 0.05, true},  // 2 of 70
		{4, 4, 0.01, false},
		{5, 5, 0.01, true}, // 2 of 252
		{0, 5, 0.05, false},
	} {
		_, ok := shift(make([]float64, c.n), make([]float64, c.m), c.alpha)
		if ok != c.ok {
			t.Errorf("%d and %d values at %v: %v", c.n, c.m, c.alpha, ok)
		}
	}
}

// The order statistics of all differences, also of many and of equal ones, are those that sorting finds.
func TestDifferences(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var a, b, all []float64
		for range 1 + r.IntN(12) {
			a = append(a, math.Round(r.NormFloat64()*4)/2)
		}
		for range 1 + r.IntN(12) {
			b = append(b, math.Round(r.NormFloat64()*4)/2)
		}
		for _, x := range a {
			for _, y := range b {
				all = append(all, y-x)
			}
		}
		slices.Sort(all)
		d := newDifferences(a, b)
		for k, want := range all {
			if got := d.at(k); math.Abs(got-want) > 1e-9 {
				t.Fatalf("%v, %v: difference %d is %v, want %v", a, b, k, got, want)
			}
		}
	}
}

// Many values are judged by the normal distribution, which joins the exact one.
func TestBeyondJoins(t *testing.T) {
	exact, _ := beyond(50, 50, 0.05)
	normal, _ := beyond(50, 51, 0.05)
	if grown := normal - exact; grown < 10 || grown > 40 {
		t.Errorf("from 50·50 to 50·51 pairs what lies beyond grows from %v to %v", exact, normal)
	}
}

func TestMiddle(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{1, 2}, 1.5},
		{[]float64{0, 1, 2, 100}, 1.5},
		{[]float64{-50, 1, 2, 3, 4, 5, 6, 70}, 3.5},
	} {
		if got := middle(c.values); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("middle of %v is %v, want %v", c.values, got, c.want)
		}
	}
}
