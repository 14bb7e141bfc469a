package exporter

import (
	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload"
)

// NodeSource returns what is known of machines at this moment. It answers from memory: it is
// asked at every scrape.
type NodeSource func() []workload.NodeStatus

// registerNodes registers what is known of machines. Of two with the same name only the first
// is shown: they would be the same series.
func registerNodes(set *metric.Set, source NodeSource) {
	type node = workload.NodeStatus
	const silent = "where exo does not report it"
	memory := func(state string, bytes func(node) *uint64) metric.Gauge[node] {
		return metric.Gauge[node]{
			Family: metric.Family{
				Name: "node_memory_bytes", Unit: "bytes", Labels: []string{"state"}, Absent: "where neither tells",
				Help: "Memory in bytes of a machine, as exo reports it, or as this machine does where exo is silent; state: total " +
					"or available.",
			},
			Value: func(n node) (float64, bool) { return deref(bytes(n)) },
			Own:   func(node) []string { return []string{state} },
		}
	}
	metric.Snapshot(set, []string{"node"},
		func(emit func(node, ...string)) {
			for _, n := range source() {
				emit(n, n.Name)
			}
		},
		metric.Gauge[node]{
			Family: metric.Family{
				Name: "node_info", Unit: "none", Labels: []string{"machine", "chip", "os"}, Absent: silent,
				Help: "Constant 1; the labels say what a machine is, as exo reports it: its model, its chip and the version of its " +
					"system. Empty where exo does not know.",
			},
			Value: func(n node) (float64, bool) { return 1, n.Machine != "" || n.Chip != "" || n.OS != "" },
			Own:   func(n node) []string { return []string{n.Machine, n.Chip, n.OS} },
		},
		memory("total", func(n node) *uint64 { return n.MemoryTotal }),
		memory("available", func(n node) *uint64 { return n.MemoryAvailable }),
		metric.Gauge[node]{
			Family: metric.Family{
				Name: "node_power_watts", Unit: "watts", Absent: silent,
				Help: "System power in watts of a machine, as exo reports it.",
			},
			Value: func(n node) (float64, bool) { return deref(n.PowerWatts) },
		},
		metric.Gauge[node]{
			Family: metric.Family{
				Name: "node_gpu_utilization_ratio", Unit: "ratio, 0 to 1", Absent: silent,
				Help: "Utilization of the GPU of a machine from 0 to 1, as exo reports it.",
			},
			Value: func(n node) (float64, bool) { return deref(n.GPUUtilization) },
		},
		metric.Gauge[node]{
			Family: metric.Family{
				Name: "node_temperature_celsius", Unit: "degrees Celsius", Absent: silent,
				Help: "Temperature in degrees Celsius of the GPU of a machine, as exo reports it.",
			},
			Value: func(n node) (float64, bool) { return deref(n.TemperatureCelsius) },
		},
	)
}

// deref returns what p points to, and whether it points to anything.
func deref[T int | uint64 | float64](p *T) (float64, bool) {
	if p == nil {
		return 0, false
	}
	return float64(*p), true
}
