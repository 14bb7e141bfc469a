package exporter

import (
	"time"

	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload"
)

// MachineSource returns the conditions of the exporter's machine at this moment; ok is false where exo is on another one.
// It answers from memory: it is asked at every scrape.
type MachineSource func() (m MachineState, ok bool)

// MachineState is what a machine's system tells of its conditions. What it does not tell is nil, or not in the map.
type MachineState struct {
	Name string
	// Waiting and Stalled are since the start of the machine.
	Waiting, Stalled                map[workload.Resource]time.Duration
	CoreThrottles, PackageThrottles *uint64
	FrequencyLimit                  *float64
	ThermalPressure, MemoryPressure *int
}

// Where a machine's conditions are not known. They stand in the help of several families.
const (
	notHere      = "where exo is on another machine"
	withoutPSI   = "where the kernel does not tell it (Linux with PSI does), and " + notHere
	withoutMacOS = "where the system is not macOS, and " + notHere
	withoutHeat  = "where it is not told (Linux on Intel's processors does, but not in a container), and " + notHere
	withoutLimit = "where it is not told (Linux with cpufreq does), and " + notHere

	thermalLevels = "0 nominal, 1 moderate, 2 heavy, 3 trapping, 4 sleeping"
	memoryLevels  = "1 normal, 2 warning, 4 critical"
	frequencyIs   = "the lowest share of its own maximum at which a CPU may run, which heat, power and settings reduce"
)

// registerMachine registers the conditions of the exporter's machine.
func registerMachine(set *metric.Set, source MachineSource) {
	type machine = MachineState
	emit := func(emit func(machine, ...string)) {
		if m, ok := source(); ok {
			emit(m, m.Name)
		}
	}
	metric.Snapshot(set, []string{"node"}, emit,
		metric.Gauge[machine]{
			Family: metric.Family{
				Name: "node_thermal_pressure", Unit: "level", Absent: withoutMacOS,
				Help: "Thermal pressure of this machine now, as macOS tells it: " + thermalLevels + ".",
			},
			Value: func(m machine) (float64, bool) { return deref(m.ThermalPressure) },
		},
		metric.Gauge[machine]{
			Family: metric.Family{
				Name: "node_memory_pressure", Unit: "level", Absent: withoutMacOS,
				Help: "Memory pressure of this machine now, as macOS tells it: " + memoryLevels + ".",
			},
			Value: func(m machine) (float64, bool) { return deref(m.MemoryPressure) },
		},
		metric.Gauge[machine]{
			Family: metric.Family{
				Name: "node_cpu_frequency_limit_ratio", Unit: "ratio, 0 to 1", Absent: withoutLimit,
				Help: "Limit of the frequency of this machine's CPUs now: " + frequencyIs + ".",
			},
			Value: func(m machine) (float64, bool) { return deref(m.FrequencyLimit) },
		},
	)
	metric.SnapshotTotals(set, []string{"node"}, emit, machineTotals()...)
}

func machineTotals() []metric.Total[MachineState] {
	throttles := func(name, of string, count func(MachineState) *uint64) metric.Total[MachineState] {
		return metric.Total[MachineState]{
			Family: metric.Family{
				Name: name, Unit: "times", Absent: withoutHeat,
				Help: "How often " + of + " of this machine were slowed down for heat since it was started.",
			},
			Value: func(m MachineState) (float64, bool) { return deref(count(m)) },
		}
	}
	all := []metric.Total[MachineState]{
		throttles("node_cpu_core_throttles_total", "the cores", func(m MachineState) *uint64 { return m.CoreThrottles }),
		throttles("node_cpu_package_throttles_total", "processors as a whole", func(m MachineState) *uint64 { return m.PackageThrottles }),
	}
	for _, resource := range workload.Resources() {
		stalls := func(name, who, which string, of func(MachineState) map[workload.Resource]time.Duration) metric.Total[MachineState] {
			return metric.Total[MachineState]{
				Family: metric.Family{
					Name: name, Unit: "seconds", Labels: []string{"resource"}, Absent: withoutPSI,
					Help: "Time in seconds in which " + who + " waited for a resource of this machine (" + which + ") since it was " +
						"started: Linux' pressure stall information (PSI).",
				},
				Value: func(m MachineState) (float64, bool) {
					d, ok := of(m)[resource]
					return d.Seconds(), ok
				},
				Own: func(MachineState) []string { return []string{string(resource)} },
			}
		}
		all = append(
			all,
			stalls("node_pressure_waiting_seconds_total", "one task at least", "cpu, memory, io",
				func(m MachineState) map[workload.Resource]time.Duration { return m.Waiting }),
			stalls("node_pressure_stalled_seconds_total", "all tasks that had something to do", "memory, io",
				func(m MachineState) map[workload.Resource]time.Duration { return m.Stalled }),
		)
	}
	return all
}
