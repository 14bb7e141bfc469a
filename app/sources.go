package app

import (
	"os"
	"sync"
	"time"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/exporter/machine"
	"exo-bench-exporter/exporter/memory"
	"exo-bench-exporter/workload"
)

// residentMemory returns what the sampler saw last, for a scrape.
func residentMemory(sampler *memory.Sampler) (exporter.ExoMemory, bool) {
	c, ok := sampler.Current()
	if !ok {
		return exporter.ExoMemory{}, false
	}
	byRole := map[string]exporter.RoleMemory{}
	for role, u := range c.Roles {
		byRole[string(role)] = exporter.RoleMemory{Bytes: u.RSS, Proportional: u.PSS, Processes: u.Processes}
	}
	return exporter.ExoMemory{Roles: byRole, By: c.By, Footprint: c.Footprint}, true
}

// thisMachine returns what the sampler knows of the machine's memory.
func thisMachine(sampler *memory.Sampler) []workload.NodeStatus {
	host, ok := sampler.Host()
	if !ok {
		return nil
	}
	return []workload.NodeStatus{{Name: hostname(), MemoryTotal: &host.Total, MemoryAvailable: &host.Available}}
}

// conditions returns what the sampler knows of this machine, for a scrape.
func conditions(sampler *machine.Sampler) (exporter.MachineState, bool) {
	r, ok := sampler.Current()
	if !ok {
		return exporter.MachineState{}, false
	}
	m := exporter.MachineState{
		Name: hostname(), CoreThrottles: r.CoreThrottles, PackageThrottles: r.PackageThrottles, FrequencyLimit: r.FrequencyLimit,
		ThermalPressure: r.ThermalPressure, MemoryPressure: r.MemoryPressure, Waiting: map[workload.Resource]time.Duration{},
		Stalled: map[workload.Resource]time.Duration{},
	}
	for resource, s := range r.Pressure {
		m.Waiting[resource] = s.Waiting
		if s.Stalled != nil {
			m.Stalled[resource] = *s.Stalled
		}
	}
	return m, true
}

// hostname names this machine where exo does not name its own. It is asked for once: scrapes read memory.
var hostname = sync.OnceValue(func() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "localhost"
	}
	return name
})
