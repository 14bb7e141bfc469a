package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/workload"
)

// memoryMetrics are what exo's processes on this machine occupied during turns, by model.
type memoryMetrics struct {
	resident, peak, delta, unreleased, proportional *prometheus.GaugeVec
}

func newMemoryMetrics() memoryMetrics {
	const (
		absent  = " Absent when the last turn was not ok or partial."
		already = " Absent where the model was loaded already, and when the last turn was not ok or partial."
		rss     = " On Apple silicon the weights sit largely outside RSS: read exobench_model_reported_peak_memory_bytes beside it."
	)
	return memoryMetrics{
		resident: newGauge("model_resident_memory_bytes",
			"Median over the last turn of the resident memory (RSS) in bytes of exo's whole process tree on this machine, with the model loaded."+rss+absent, modelLabels...),
		peak: newGauge("model_resident_memory_peak_bytes",
			"Maximum over the last turn of the resident memory (RSS) in bytes of exo's whole process tree on this machine."+rss+absent, modelLabels...),
		delta: newGauge("model_resident_memory_delta_bytes",
			"Peak resident memory (RSS) in bytes of the last turn minus that just before the model was loaded."+already+rss, modelLabels...),
		unreleased: newGauge("model_unreleased_memory_bytes",
			"Resident memory (RSS) in bytes of exo's process tree after the model was unloaded minus that before it was loaded: what was not given back. Absent where the model was not both loaded and unloaded in the last turn, and when that was not ok or partial.", modelLabels...),
		proportional: newGauge("model_proportional_memory_bytes",
			"Proportional set size (PSS) in bytes of exo's whole process tree on this machine, once in the last turn, between the last measured request and the unloading: as RSS, but a page that several processes share counts in parts. Absent where it cannot be read (only Linux has it, for the same user or root), and when the last turn was not ok or partial.", modelLabels...),
	}
}

func (m *memoryMetrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.resident, m.peak, m.delta, m.unreleased, m.proportional}
}

// set shows what model's last turn occupied, and removes what is not known of it; everything
// unless the turn was good.
func (m *memoryMetrics) set(model string, mem workload.Memory, good bool) {
	seen := good && mem.Samples > 0
	setOrRemove(m.resident, float64(mem.Median), seen, model)
	setOrRemove(m.peak, float64(mem.Peak), seen, model)
	setOrRemove(m.delta, float64(mem.Peak)-float64(mem.Before), seen && mem.HasBefore, model)
	setOrRemove(m.unreleased, float64(mem.After)-float64(mem.Before), seen && mem.HasBefore && mem.HasAfter, model)
	setOrRemove(m.proportional, float64(mem.Proportional), seen && mem.Proportional > 0, model)
}

// reset removes everything.
func (m *memoryMetrics) reset() {
	for _, c := range m.collectors() {
		c.(*prometheus.GaugeVec).Reset()
	}
}
