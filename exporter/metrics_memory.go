package exporter

import (
	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload"
)

// badTurn says when the figures of a turn are absent.
const badTurn = "when the last turn was not ok or partial"

// turnMemory is what exo's processes on this machine occupied during a model's last turn. Where
// nothing was seen, or the turn was not good, its record is a zero Memory.
func turnMemory() metric.Group[workload.Memory] {
	const rss = " On Apple silicon it may hold all, part or none of the weights: read exobench_model_reported_peak_memory_bytes beside it."
	gauge := func(name, help, absent string, value func(workload.Memory) (float64, bool)) metric.Gauge[workload.Memory] {
		return metric.Gauge[workload.Memory]{Family: metric.Family{Name: name, Unit: "bytes", Help: help, Absent: absent}, Value: value}
	}
	return metric.Group[workload.Memory]{
		Labels: modelLabels,
		Known:  func(m workload.Memory) bool { return m.Samples > 0 },
		Absent: badTurn + ", and where exo's processes are not seen",
		Gauges: []metric.Gauge[workload.Memory]{
			gauge("model_resident_memory_bytes",
				"Median over the last turn of the resident memory (RSS) in bytes of exo's whole process tree on this machine, "+
					"with the model loaded."+rss,
				"", func(m workload.Memory) (float64, bool) { return float64(m.Median), true }),
			gauge("model_resident_memory_peak_bytes",
				"Maximum over the last turn of the resident memory (RSS) in bytes of exo's whole process tree on this machine."+rss,
				"", func(m workload.Memory) (float64, bool) { return float64(m.Peak), true }),
			gauge("model_resident_memory_delta_bytes",
				"Peak resident memory (RSS) in bytes of the last turn minus that just before the model was loaded."+rss,
				"where the model was loaded already",
				func(m workload.Memory) (float64, bool) { return float64(m.Peak) - float64(m.Before), m.HasBefore }),
			gauge("model_unreleased_memory_bytes",
				"Resident memory (RSS) in bytes of exo's process tree after the model was unloaded minus that before it was "+
					"loaded: what was not given back.",
				"where the model was not both loaded and unloaded in the last turn",
				func(m workload.Memory) (float64, bool) {
					return float64(m.After) - float64(m.Before), m.HasBefore && m.HasAfter
				}),
			gauge("model_proportional_memory_bytes",
				"Proportional set size (PSS) in bytes of exo's whole process tree on this machine, once in the last turn, between "+
					"the last measured request and the unloading: as RSS, but a page that several processes share counts in parts.",
				"where it cannot be read (only Linux has it, for the same user or root)",
				func(m workload.Memory) (float64, bool) { return float64(m.Proportional), m.Proportional > 0 }),
		},
	}
}
