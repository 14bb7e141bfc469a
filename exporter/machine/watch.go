package machine

import (
	"time"

	"exo-bench-exporter/workload"
)

// watch is what is seen from the start of a turn's measured requests to their end.
type watch struct {
	first, last sample
	frequency   *float64 // lowest
	thermal     *int     // highest
	memory      *int     // highest
}

// start takes the first sample. Nothing is watched before.
func (w *watch) start(s sample) {
	w.first = s
	w.take(s)
}

// add takes a later sample; one that was begun before the last is passed over.
func (w *watch) add(s sample) {
	if !w.first.at.IsZero() && s.at.After(w.last.at) {
		w.take(s)
	}
}

func (w *watch) take(s sample) {
	w.last = s
	if v := s.FrequencyLimit; v != nil && (w.frequency == nil || *v < *w.frequency) {
		w.frequency = v
	}
	w.thermal, w.memory = higher(w.thermal, s.ThermalPressure), higher(w.memory, s.MemoryPressure)
}

func higher(a, b *int) *int {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}

// conditions returns what was seen: the mean of pressures over the time between the first and the last sample, what was
// counted in it, and the extremes of the rest.
func (w *watch) conditions() workload.Conditions {
	took := w.last.at.Sub(w.first.at)
	if took <= 0 || !w.last.tells() {
		return workload.Conditions{}
	}
	c := workload.Conditions{
		Seconds:          took.Seconds(),
		CoreThrottles:    counted(w.first.CoreThrottles, w.last.CoreThrottles),
		PackageThrottles: counted(w.first.PackageThrottles, w.last.PackageThrottles),
		FrequencyLimit:   w.frequency, ThermalPressure: w.thermal, MemoryPressure: w.memory,
	}
	for resource, last := range w.last.Pressure {
		first, ok := w.first.Pressure[resource]
		if !ok || last.Waiting < first.Waiting {
			continue
		}
		p := workload.Pressure{Waiting: share(last.Waiting-first.Waiting, took)}
		if first.Stalled != nil && last.Stalled != nil && *last.Stalled >= *first.Stalled {
			stalled := share(*last.Stalled-*first.Stalled, took)
			p.Stalled = &stalled
		}
		if c.Pressure == nil {
			c.Pressure = map[workload.Resource]workload.Pressure{}
		}
		c.Pressure[resource] = p
	}
	return c
}

// share returns which part of took a time is; at most 1: the kernel sums up at moments of its own.
func share(part, took time.Duration) float64 { return min(1, part.Seconds()/took.Seconds()) }

// counted returns how far a counter has gone; nil where it is not told, or has gone back, as when a CPU went away.
func counted(first, last *uint64) *uint64 {
	if first == nil || last == nil || *last < *first {
		return nil
	}
	n := *last - *first
	return &n
}
