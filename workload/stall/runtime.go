package stall

import (
	"math"
	"runtime/metrics"
	"time"
)

// waitsMetric is the runtime's histogram of how long goroutines were ready before they ran.
const waitsMetric = "/sched/latencies:seconds"

// runtimeWaits returns that histogram since the process started; nil when this Go has none.
func runtimeWaits() *metrics.Float64Histogram {
	s := []metrics.Sample{{Name: waitsMetric}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindFloat64Histogram {
		return nil
	}
	return s[0].Value.Float64Histogram()
}

// longestWait returns the lower bound of the highest bucket that grew from one histogram to
// the other; 0 when none did, or where there is no histogram.
func longestWait(from, to *metrics.Float64Histogram) time.Duration {
	if from == nil || to == nil {
		return 0
	}
	for i := min(len(from.Counts), len(to.Counts)) - 1; i >= 0; i-- {
		if to.Counts[i] > from.Counts[i] {
			return seconds(to.Buckets[i])
		}
	}
	return 0
}

func seconds(s float64) time.Duration {
	if math.IsInf(s, 0) || s < 0 {
		return 0 // the first bucket begins at minus infinity
	}
	return time.Duration(s * float64(time.Second))
}
