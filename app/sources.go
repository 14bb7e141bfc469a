package app

import (
	"os"
	"sync"

	"exo-bench-exporter/exporter"
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

// hostname names this machine where exo does not name its own. It is asked for once: scrapes read memory.
var hostname = sync.OnceValue(func() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "localhost"
	}
	return name
})
