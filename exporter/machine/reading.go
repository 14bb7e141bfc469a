package machine

import (
	"context"
	"strings"
	"time"

	"exo-bench-exporter/workload"
)

// Source reads the conditions of one machine.
type Source interface {
	// Read returns what the system tells at this moment. What it does not tell is nil: not every system has everything,
	// and not everything may be read by everybody. It is safe for concurrent use.
	Read(ctx context.Context) Reading
}

// SourceFunc is a Source that is a function.
type SourceFunc func(ctx context.Context) Reading

// Read implements Source.
func (f SourceFunc) Read(ctx context.Context) Reading { return f(ctx) }

// Reading is what a system tells at one moment.
type Reading struct {
	Pressure map[workload.Resource]Stalls
	// CoreThrottles and PackageThrottles are how often each core, and each processor as a whole, has been slowed down
	// for heat since the start, in sum.
	CoreThrottles, PackageThrottles *uint64
	// FrequencyLimit is the lowest share of its maximum at which a CPU may run.
	FrequencyLimit *float64
	// ThermalPressure and MemoryPressure are the levels of workload.Conditions.
	ThermalPressure, MemoryPressure *int
}

// Stalls are how long tasks have waited for a resource since the start of the machine.
type Stalls struct {
	Waiting time.Duration  // at least one task
	Stalled *time.Duration // all that had something to do; nil where that means nothing, or is not told
}

// String names what r tells of, for people.
func (r Reading) String() string {
	var told []string
	for _, resource := range workload.Resources() {
		if _, ok := r.Pressure[resource]; ok {
			told = append(told, "pressure on "+string(resource))
		}
	}
	for _, one := range []struct {
		known bool
		what  string
	}{
		{r.ThermalPressure != nil, "thermal pressure"},
		{r.MemoryPressure != nil, "memory pressure"},
		{r.CoreThrottles != nil || r.PackageThrottles != nil, "throttling"},
		{r.FrequencyLimit != nil, "limit of the CPU's frequency"},
	} {
		if one.known {
			told = append(told, one.what)
		}
	}
	if len(told) == 0 {
		return "nothing of its conditions"
	}
	return strings.Join(told, ", ")
}

// tells reports whether r tells anything.
func (r Reading) tells() bool {
	return len(r.Pressure) > 0 || r.CoreThrottles != nil || r.PackageThrottles != nil || r.FrequencyLimit != nil ||
		r.ThermalPressure != nil || r.MemoryPressure != nil
}
