package judge

import "testing"

func TestDaysHaveToAgree(t *testing.T) {
	for name, tt := range map[string]struct {
		days []float64
		want float64
	}{
		"none":                 {nil, 0},
		"one of two":           {[]float64{-0.35, 0}, 0},
		"both":                 {[]float64{-0.35, -0.06}, -0.06},
		"both, the other way":  {[]float64{0.04, 0.06}, 0.04},
		"each its way":         {[]float64{-0.05, 0.05}, 0},
		"two of three":         {[]float64{-0.06, 0, -0.05}, -0.05},
		"one of three in vain": {[]float64{-0.35, 0.01, -0.01}, -0.01},
	} {
		if got := agreed(tt.days); got != tt.want {
			t.Errorf("%s: %g, want %g", name, got, tt.want)
		}
	}
}

// A cycle that is back to normal speaks for the end of a loss, and one whose deviation a habit may explain for nothing.
func TestHabitsThatAreNotSureEndNoLoss(t *testing.T) {
	s := &series{Belief: belief{Phi: 0.5, Var: 0.015 * 0.015 * 0.75}, Points: make([]point, 2)}
	steps := []step{{x: -0.1}, {carried: 0.5, sd: 0.013, x: 0}}
	if got := s.backLLR(-0.1, steps, 1); got <= 0 {
		t.Errorf("%g for a cycle that is as usual", got)
	}
	for width, none := range map[float64]bool{0.02: false, 0.049: false, 0.051: true, 0.2: true} {
		s.Points[1].Lo = -width
		if got := s.backLLR(-0.1, steps, 1); (got == 0) != none {
			t.Errorf("%g where %g is usual at times", got, width)
		}
	}
}
