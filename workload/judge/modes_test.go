package judge

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestModesAreToldFromOtherNoise looks at means of which it is known what they are of.
func TestModesAreToldFromOtherNoise(t *testing.T) {
	const sd = 0.01
	r := rand.New(rand.NewPCG(1, 2))
	means := func(level func(i int) float64) []float64 {
		all := make([]float64, modeMeans)
		for i := range all {
			all[i] = level(i) + sd*r.NormFloat64()
		}
		return all
	}
	toAndFro := func(i int) float64 { return 0.02 - 0.04*float64(i/3%2) }
	for name, tt := range map[string]struct {
		means []float64
		two   bool
	}{
		"to and fro": {means(toAndFro), true},
		"outliers beside": {means(func(i int) float64 {
			if i%40 == 7 {
				return -0.35
			}
			return toAndFro(i)
		}), true},
		"rarely the other": {means(func(i int) float64 {
			if i%16 < 2 {
				return -0.045
			}
			return 0.005
		}), true},
		"one level":           {means(func(int) float64 { return 0 }), false},
		"too near each other": {means(func(i int) float64 { return -0.012 * float64(i/3%2) }), false},
		"a change for good":   {means(func(i int) float64 { return -0.04 * float64(i/200) }), false},
		"two changes":         {means(func(i int) float64 { return -0.04 * float64(i/100%2) }), false},
		"little by little":    {means(func(i int) float64 { return -0.0003 * float64(i) }), false},
		"always the same":     {make([]float64, modeMeans), false},
		"from one to the other, and back now and then": {means(func(i int) float64 {
			if (i%5 == 0) == (i < modeMeans/2) {
				return -0.02
			}
			return 0.02
		}), false},
		"beside the baseline": {means(func(i int) float64 { return toAndFro(i) - 0.03 }), false},
	} {
		m := modes{Means: tt.means}
		m.look(&series{Points: make([]point, 1)})
		if two := m.High > m.Low; two != tt.two {
			t.Errorf("%s: two levels %t, want %t: %+v", name, two, tt.two, split(tt.means))
		}
		if name == "to and fro" && (math.Abs(m.High-m.Low-0.04) > 0.004 || math.Abs(m.Share-0.5) > 0.05) {
			t.Errorf("%s: %.4f to %.4f, %.2f of them in the lower", name, m.Low, m.High, m.Share)
		}
	}
}

// TestTailsRaiseWhatEvidenceTakes compares a machine whose evidence comes and goes as usual with one where it does so
// more often, and farther.
func TestTailsRaiseWhatEvidenceTakes(t *testing.T) {
	const h = 4.5
	usual := tails{N: 20_000, Rate: usualTail, Excess: usualExcess, Beyond: 20_000 * usualTail}
	if got := usual.raise(h); math.Abs(got) > 1e-9 {
		t.Errorf("raised by %.3f where all is usual", got)
	}
	often, far, seldom, far2 := usual, usual, usual, usual
	often.Rate *= 2
	far.Excess *= 1.3
	seldom.Rate /= 2
	far2.Excess *= 10
	for name, tt := range map[string]struct {
		tails
		low, high float64
	}{
		"twice as often": {often, 0.4, usualExcess * math.Ln2}, "farther": {far, 1, 0.3 * (h*h/2 - tailAt)},
		"half as often": {seldom, -0.65, -0.4}, "much farther": {far2, 2.5, 2.5}, "nothing seen": {tails{}, 0, 0},
	} {
		if got := tt.raise(h); got < tt.low || got > tt.high {
			t.Errorf("%s: raised by %.3f, want %.3f to %.3f", name, got, tt.low, tt.high)
		}
	}
}
