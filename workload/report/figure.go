package report

import (
	"fmt"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/compare"
)

// Figure is a number with what a reader needs to believe it, or the reason why there is none.
type Figure struct {
	Quantity compare.Quantity // its unit is that of Value
	Value    float64
	Known    bool
	Range    compare.Interval // 95 %, valid when Sure
	Sure     bool
	N        int    // of what Value was taken from
	Of       string // what that is: turns, requests, gaps
	Absent   string // why it is not known
}

// level is the centre over turns of what they show of q.
func level(q compare.Quantity, turns []workload.Turn, absent string) Figure {
	l, ok := compare.LevelOf(q, turns)
	if !ok {
		return Figure{Quantity: q, Absent: absent}
	}
	return Figure{Quantity: q, Value: l.Value, Known: true, Range: l.Range, Sure: l.Known, N: l.Turns, Of: "turns"}
}

// pooled is the p-quantile, in seconds, of samples d.
func pooled(d Distribution, p float64, of, absent string) Figure {
	f := Figure{Quantity: seconds, N: d.N, Of: of}
	switch v, ok := d.quantile(p); {
	case !ok:
		f.Absent = absent
	case p >= 0.99 && d.N < compare.EnoughForP99:
		f.Absent = fmt.Sprintf("fewer than %d samples", compare.EnoughForP99)
	default:
		f.Value, f.Known = v, true
	}
	return f
}

// quantity returns the one of compare with that name.
func quantity(name string) compare.Quantity {
	q, ok := compare.Named(name)
	if !ok {
		panic("report: compare has no quantity " + name)
	}
	return q
}

var (
	decode    = quantity("decode")
	prefill   = quantity("prefill")
	ttft      = quantity("ttft")
	wholeTime = quantity("e2e")
	memory    = quantity("memory")
	footprint = quantity("footprint")
	energy    = quantity("energy")
	seconds   = compare.Quantity{Unit: "s"}

	serverDecode = compare.PerRequest("server_decode", "tok/s", workload.Result.ServerDecodeRate)
	bandwidth    = compare.PerTurn("mbu", "ratio", workload.Turn.BandwidthUtilization)
	peak         = ofMemory("peak", func(m workload.Memory) uint64 { return m.Peak })
	footprintTop = ofMemory("footprint_peak", func(m workload.Memory) uint64 { return m.FootprintPeak })
	ofGPU        = ofMemory("gpu", func(m workload.Memory) uint64 { return m.GPU })
	proportional = ofMemory("pss", func(m workload.Memory) uint64 { return m.Proportional })
	reported     = compare.PerTurn("reported_peak", "B", func(t workload.Turn) (float64, bool) {
		v, ok := t.PeakReported()
		return float64(v), ok
	})
	weights = compare.PerTurn("weights", "B", func(t workload.Turn) (float64, bool) {
		return float64(t.Host.WeightsBytes), t.Host.WeightsBytes > 0
	})
	load = compare.PerTurn("load", "s", func(t workload.Turn) (float64, bool) {
		return t.Load.Duration.Seconds(), t.Load.Loaded && t.Load.Duration > 0
	})
	idle = compare.PerTurn("idle_power", "W", func(t workload.Turn) (float64, bool) {
		return t.Host.IdleWatts, t.Host.IdleWatts > 0
	})
)

func ofMemory(name string, value func(workload.Memory) uint64) compare.Quantity {
	return compare.PerTurn(name, "B", func(t workload.Turn) (float64, bool) {
		return float64(value(t.Memory)), t.Memory.Samples > 0 && !t.Memory.Shared
	})
}

// unreleased is the median of the memory that exo holds after a model was unloaded beyond what it held before, nothing where it
// holds less.
func unreleased(turns []workload.Turn) Figure {
	var left []float64
	for _, t := range turns {
		if m := t.Memory; m.HasBefore && m.HasAfter {
			left = append(left, max(0, float64(m.After)-float64(m.Before)))
		}
	}
	v, ok := workload.Quantile(left, 0.5)
	return Figure{Quantity: compare.Quantity{Name: "unreleased", Unit: "B"}, Value: v, Known: ok, N: len(left), Of: "turns"}
}
