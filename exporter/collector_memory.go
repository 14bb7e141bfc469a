package exporter

import "exo-bench-exporter/exporter/metric"

// MemorySource returns what exo's processes occupy at this moment, by role of the process
// (node, runner); ok is false when they cannot be seen. It answers from memory: it is asked
// at every scrape.
type MemorySource func() (byRole map[string]RoleMemory, ok bool)

// RoleMemory is what the processes of one role occupy together.
type RoleMemory struct {
	Bytes        uint64 // resident set size (RSS)
	Proportional uint64 // proportional set size (PSS); 0 where it cannot be read
	Processes    int
}

// registerMemory registers what exo's processes occupy now.
func registerMemory(set *metric.Set, source MemorySource) {
	const unseen = "where they cannot be seen"
	metric.Snapshot(set, []string{"role"},
		func(emit func(RoleMemory, ...string)) {
			byRole, ok := source()
			if !ok {
				return
			}
			for role, m := range byRole {
				emit(m, role)
			}
		},
		metric.Gauge[RoleMemory]{
			Family: metric.Family{
				Name: "exo_resident_memory_bytes", Unit: "bytes", Absent: unseen,
				Help: "Resident memory (RSS) in bytes of exo's processes on this machine now; role: node (main process) or runner " +
					"(all runners together). On Apple silicon it may hold all, part or none of the weights.",
			},
			Value: metric.Always(func(m RoleMemory) float64 { return float64(m.Bytes) }),
		},
		metric.Gauge[RoleMemory]{
			Family: metric.Family{
				Name: "exo_proportional_memory_bytes", Unit: "bytes", Absent: "where it cannot be read",
				Help: "Proportional set size (PSS) in bytes of exo's processes on this machine now, by role: as RSS, but a page " +
					"that several processes share counts in parts.",
			},
			Value: func(m RoleMemory) (float64, bool) { return float64(m.Proportional), m.Proportional > 0 },
		},
		metric.Gauge[RoleMemory]{
			Family: metric.Family{
				Name: "exo_processes", Unit: "processes", Absent: unseen,
				Help: "Number of exo's processes on this machine now, by role.",
			},
			Value: metric.Always(func(m RoleMemory) float64 { return float64(m.Processes) }),
		},
	)
}
