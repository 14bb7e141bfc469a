package exporter

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/workload"
)

// statusCollector shows the latest workload.Status but for the machines, which nodeCollector
// shows; as a whole, so that no scrape sees half of an update.
type statusCollector struct {
	up, info, rtt *prometheus.Desc

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
			"Constant 1; dialect: the API that was found, one of those of EXOBENCH_DIALECT; endpoint: the route that served the last request. Absent while none was found.", "dialect", "endpoint"),
		rtt: desc("exo_rtt_seconds",
			"Round trip in seconds of a trivial GET to the node: what the way to it costs any figure. Absent while the node is down."),
	}
}

func (c *statusCollector) set(s workload.Status) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status, c.known = s, true
}

// nodes returns what is known of the machines.
func (c *statusCollector) nodes() []workload.NodeStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status.Nodes
}

func (c *statusCollector) setEndpoint(e workload.Endpoint) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endpoint = e
}

// Describe implements prometheus.Collector.
func (c *statusCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.up, c.info, c.rtt} {
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
}
