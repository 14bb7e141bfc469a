package exporter

import (
	"github.com/prometheus/client_golang/prometheus"
)

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

// memoryCollector asks a MemorySource at every scrape.
type memoryCollector struct {
	source       MemorySource
	resident     *prometheus.Desc
	proportional *prometheus.Desc
	processes    *prometheus.Desc
}

func newMemoryCollector(source MemorySource) *memoryCollector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, []string{"role"}, nil)
	}
	return &memoryCollector{
		source: source,
		resident: desc("exo_resident_memory_bytes",
			"Resident memory (RSS) in bytes of exo's processes on this machine now; role: node (main process) or runner (all runners together). On Apple silicon the weights sit largely outside RSS. Absent where the processes cannot be seen."),
		proportional: desc("exo_proportional_memory_bytes",
			"Proportional set size (PSS) in bytes of exo's processes on this machine now, by role: as RSS, but a page that several processes share counts in parts. Absent where it cannot be read."),
		processes: desc("exo_processes",
			"Number of exo's processes on this machine now, by role. Absent where they cannot be seen."),
	}
}

// Describe implements prometheus.Collector.
func (c *memoryCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.resident
	ch <- c.proportional
	ch <- c.processes
}

// Collect implements prometheus.Collector.
func (c *memoryCollector) Collect(ch chan<- prometheus.Metric) {
	byRole, ok := c.source()
	if !ok {
		return
	}
	for role, m := range byRole {
		ch <- prometheus.MustNewConstMetric(c.resident, prometheus.GaugeValue, float64(m.Bytes), role)
		if m.Proportional > 0 {
			ch <- prometheus.MustNewConstMetric(c.proportional, prometheus.GaugeValue, float64(m.Proportional), role)
		}
		ch <- prometheus.MustNewConstMetric(c.processes, prometheus.GaugeValue, float64(m.Processes), role)
	}
}
