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
	const rss = " On Apple silicon it may hold all, part or none of the weights: look at exobench_model_footprint_bytes first."
	const footprint = " On macOS that is the physical footprint, which Activity Monitor shows and which has the GPU's buffers in it; on " +
		"Linux the proportional set size and what is swapped out. exobench_memory_source_info says which."
	gauge := func(name, help, absent string, value func(workload.Memory) (float64, bool)) metric.Gauge[workload.Memory] {
		return metric.Gauge[workload.Memory]{Family: metric.Family{Name: name, Unit: "bytes", Help: help, Absent: absent}, Value: value}
	}
	return metric.Group[workload.Memory]{
		Labels: modelLabels,
		Known:  func(m workload.Memory) bool { return m.Samples > 0 },
		Absent: badTurn + ", and where exo's processes are not seen",
		Gauges: []metric.Gauge[workload.Memory]{
			gauge("model_footprint_bytes",
				"Footprint in bytes of exo's whole process tree on this machine in the last turn, with the model loaded: on macOS the median "+
					"over the turn, on Linux once between the last measured request and the unloading."+footprint,
				"where some process of exo's belongs to another user, or memory is read by ps",
				func(m workload.Memory) (float64, bool) { return float64(m.Footprint), m.Footprint > 0 }),
			gauge("model_footprint_peak_bytes",
				"Maximum over the last turn of the footprint in bytes of exo's whole process tree on this machine, also between two samples."+
					footprint,
				"where the system keeps no such mark (Linux), and where there is no exobench_model_footprint_bytes",
				func(m workload.Memory) (float64, bool) { return float64(m.FootprintPeak), m.FootprintPeak > 0 }),
			gauge("model_gpu_memory_bytes",
				"Memory in bytes that exo's processes on this machine hold of NVIDIA's GPUs, as nvidia-smi says, once in the last turn, "+
					"between the last measured request and the unloading.",
				"where there is no nvidia-smi, or it does not tell of exo's processes",
				func(m workload.Memory) (float64, bool) { return float64(m.GPU), m.GPU > 0 }),
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
