package judgesim

import (
	"math"
	"testing"
)

// Reference values: R's prop.test(correct = FALSE) and poisson.test.
func TestIntervals(t *testing.T) {
	for _, tt := range []struct {
		name string
		got  Interval
		want Interval
	}{
		{"wilson", Wilson(95, 100), Interval{0.95, 0.88825, 0.97846}},
		{"wilson, all", Wilson(100, 100), Interval{1, 0.96300, 1}},
		{"poisson", Poisson(10, 20), Interval{0.5, 0.23977, 0.91952}},
		{"poisson, none", Poisson(0, 10), Interval{0, 0, 0.36889}},
	} {
		for _, d := range []float64{tt.got.Estimate - tt.want.Estimate, tt.got.Low - tt.want.Low, tt.got.High - tt.want.High} {
			if math.Abs(d) > 1e-4 {
				t.Errorf("%s: %+v, want %+v", tt.name, tt.got, tt.want)
				break
			}
		}
	}
}
