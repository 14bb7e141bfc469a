package workload

import (
	"math"
	"testing"
	"time"
)

func TestBandwidthUtilization(t *testing.T) {
	turn := func(rate float64, h Host) Turn {
		r := Result{Outcome: OutcomeOK, Timed: true, Decode: time.Duration(100 / rate * 1e9), OutputTokens: 101}
		return Turn{Host: h, Results: []Result{r}}
	}
	for name, c := range map[string]struct {
		turn Turn
		want float64 // 0 for unknown
	}{
		"a Mac mini":          {turn(48, Host{WeightsBytes: 4_500_000_000, MemoryBandwidth: 273e9}), 48 * 4.5 / 273},
		"just believed":       {turn(50, Host{WeightsBytes: 2_100_000_000, MemoryBandwidth: 100e9}), 1.05},
		"more than there is":  {turn(50, Host{WeightsBytes: 4_500_000_000, MemoryBandwidth: 100e9}), 0},
		"unknown bandwidth":   {turn(48, Host{WeightsBytes: 4_500_000_000}), 0},
		"unknown weights":     {turn(48, Host{MemoryBandwidth: 273e9}), 0},
		"nothing was decoded": {Turn{Host: Host{WeightsBytes: 4_500_000_000, MemoryBandwidth: 273e9}}, 0},
	} {
		got, ok := c.turn.BandwidthUtilization()
		if ok != (c.want > 0) || ok && math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%s: %v, %v; want %v", name, got, ok, c.want)
		}
	}
}
