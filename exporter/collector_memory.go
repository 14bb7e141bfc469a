package exporter

import (
	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload"
)

// MemorySource returns what exo's processes occupy at this moment; ok is false when they cannot be
// seen. It answers from memory: it is asked at every scrape.
type MemorySource func() (now ExoMemory, ok bool)

// ExoMemory is what exo's processes occupy, and how that is known.
type ExoMemory struct {
	Roles     map[string]RoleMemory  // by role of the process: node, runner
	By        string                 // way in which memory is read
	Footprint workload.FootprintKind // what the footprint of a turn is that is read in that way
}

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
			now, ok := source()
			if !ok {
				return
			}
			for role, m := range now.Roles {
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
	metric.Snapshot(set, nil,
		func(emit func(ExoMemory, ...string)) {
			if now, ok := source(); ok {
				emit(now)
			}
		},
		metric.Gauge[ExoMemory]{
			Family: metric.Family{
				Name: "memory_source_info", Unit: "none", Labels: []string{"source", "footprint"}, Absent: unseen,
				Help: "Constant 1; source: how the memory of exo's processes is read: procfs (Linux), rusage (macOS, by its kernel), ps (macOS, " +
					"where a process of exo's is another user's, or what the kernel says was not what ps says), simulator or system. " +
					"footprint: what exobench_model_footprint_bytes is: physical (macOS), pss_swap (Linux) or none.",
			},
			Value: metric.Constant[ExoMemory],
			Own:   func(m ExoMemory) []string { return []string{m.By, string(m.Footprint)} },
		},
	)
}
