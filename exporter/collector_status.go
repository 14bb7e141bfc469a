package exporter

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/workload"
)

// statusCollector shows the latest workload.Status as a whole, so that no scrape sees half of
// an update.
type statusCollector struct {
	up, info, rtt                   *prometheus.Desc
	memory, power, gpu, temperature *prometheus.Desc

	mu       sync.Mutex
	known    bool // a status has been set
	status   workload.Status
	endpoint workload.Endpoint // of the last request
}

func newStatusCollector() *statusCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
	}
	return &statusCollector{
		up: desc("exo_up", "1 when the node answered when it was last asked, 0 otherwise."),
		info: desc("exo_info",
			"Constant 1; dialect: the API that was found (exo1, exo0, openai); endpoint: the route that served the last request (v1, bench, bench_json). Absent while none was found.", "dialect", "endpoint"),
		rtt: desc("exo_rtt_seconds",
			"Round trip in seconds of a trivial GET to the node: what the way to it costs any figure. Absent while the node is down."),
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

func (c *statusCollector) set(s workload.Status) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status, c.known = s, true
}

func (c *statusCollector) setEndpoint(e workload.Endpoint) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endpoint = e
}

// Describe implements prometheus.Collector.
func (c *statusCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.up, c.info, c.rtt, c.memory, c.power, c.gpu, c.temperature} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *statusCollector) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	s, known, endpoint := c.status, c.known, c.endpoint
	c.mu.Unlock()
	if !known {
		return
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	gauge(c.up, boolValue(s.Up))
	if s.Dialect != "" {
		gauge(c.info, 1, string(s.Dialect), string(endpoint))
	}
	if s.Up && s.RTT > 0 {
		gauge(c.rtt, s.RTT.Seconds())
	}
	seen := make(map[string]bool)
	for _, n := range s.Nodes {
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
