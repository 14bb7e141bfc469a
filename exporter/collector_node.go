package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/workload"
)

// NodeSource returns what is known of machines at this moment. It answers from memory: it is
// asked at every scrape.
type NodeSource func() []workload.NodeStatus

// nodeCollector asks a NodeSource at every scrape.
type nodeCollector struct {
	source                          NodeSource
	memory, power, gpu, temperature *prometheus.Desc
}

func newNodeCollector(source NodeSource) *nodeCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
	}
	return &nodeCollector{
		source: source,
		memory: desc("node_memory_bytes",
			"Memory in bytes of a machine, as exo reports it, or as this machine does where exo is silent; state: total or available.", "node", "state"),
		power: desc("node_power_watts",
			"System power in watts of a machine, as exo reports it. Absent where exo does not.", "node"),
		gpu: desc("node_gpu_utilization_ratio",
			"Utilization of the GPU of a machine from 0 to 1, as exo reports it. Absent where exo does not.", "node"),
		temperature: desc("node_temperature_celsius",
			"Temperature in degrees Celsius of the GPU of a machine, as exo reports it. Absent where exo does not.", "node"),
	}
}

// Describe implements prometheus.Collector.
func (c *nodeCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.memory, c.power, c.gpu, c.temperature} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *nodeCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	seen := make(map[string]bool)
	for _, n := range c.source() {
		if seen[n.Name] {
			continue // a second machine of that name would be the same series
		}
		seen[n.Name] = true
		if n.MemoryTotal != nil {
			gauge(c.memory, float64(*n.MemoryTotal), n.Name, "total")
		}
		if n.MemoryAvailable != nil {
			gauge(c.memory, float64(*n.MemoryAvailable), n.Name, "available")
		}
		optional := func(d *prometheus.Desc, value *float64) {
			if value != nil {
				gauge(d, *value, n.Name)
			}
		}
		optional(c.power, n.PowerWatts)
		optional(c.gpu, n.GPUUtilization)
		optional(c.temperature, n.TemperatureCelsius)
	}
}
