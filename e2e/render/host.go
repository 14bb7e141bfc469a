package render

import (
	"context"
	"sync/atomic"
	"time"

	"exo-bench-exporter/exporter/machine"
	"exo-bench-exporter/workload"
)

// host tells of every condition that any system tells of. Tasks wait for its processor for a twentieth of the time, and for
// nothing else, until it swaps.
type host struct {
	begin time.Time
	swaps atomic.Pointer[time.Time] // since when; nil while it does not
}

func newHost() *host { return &host{begin: time.Now()} }

// Shares of the time.
const (
	cpuWaiting     = 0.05
	memoryWaiting  = 0.4
	memoryStalled  = 0.3
	frequencyLimit = 0.6
)

// swap has the machine swap and grow hot from now on.
func (h *host) swap() {
	now := time.Now()
	h.swaps.Store(&now)
}

// Read implements machine.Source.
func (h *host) Read(context.Context) machine.Reading {
	var swapping time.Duration
	thermal, memory, limit := 0, 1, 1.0
	if since := h.swaps.Load(); since != nil {
		swapping = time.Since(*since)
		thermal, memory, limit = 2, 4, frequencyLimit
	}
	share := func(of time.Duration, part float64) time.Duration { return time.Duration(float64(of) * part) }
	stalled, none, throttles := share(swapping, memoryStalled), time.Duration(0), uint64(swapping/time.Minute)
	return machine.Reading{
		Pressure: map[workload.Resource]machine.Stalls{
			workload.ResourceCPU:    {Waiting: share(time.Since(h.begin), cpuWaiting)},
			workload.ResourceMemory: {Waiting: share(swapping, memoryWaiting), Stalled: &stalled},
			workload.ResourceIO:     {Stalled: &none},
		},
		CoreThrottles: &throttles, PackageThrottles: &throttles, FrequencyLimit: &limit, ThermalPressure: &thermal, MemoryPressure: &memory,
	}
}
