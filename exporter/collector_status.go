package exporter

import (
	"sync"

	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload"
)

// seen is what is known of the node at one moment.
type seen struct {
	workload.Status
	endpoint workload.Endpoint // of the last request
}

// statusHolder holds what is known of the node, for scrapes to read.
type statusHolder struct {
	mu    sync.Mutex
	known bool // a status has been set
	seen  seen
}

func (h *statusHolder) set(s workload.Status) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen.Status, h.known = s, true
}

func (h *statusHolder) setEndpoint(e workload.Endpoint) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen.endpoint = e
}

func (h *statusHolder) get() (s seen, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.seen, h.known
}

// registerStatus registers what h holds of the node and its machines.
func registerStatus(set *metric.Set, h *statusHolder) {
	metric.Snapshot(set, nil,
		func(emit func(seen, ...string)) {
			if s, known := h.get(); known {
				emit(s)
			}
		},
		metric.Gauge[seen]{
			Family: metric.Family{
				Name: "exo_up", Unit: "1 or 0", Absent: "before it was asked first, and while the exporter itself cannot ask",
				Help: "1 when the node answered when it was last asked, 0 otherwise.",
			},
			Value: func(s seen) (float64, bool) { return boolValue(s.Up), !s.Unknown },
		},
		metric.Gauge[seen]{
			Family: metric.Family{
				Name: "exo_info", Unit: "none", Labels: []string{"dialect", "endpoint"}, Absent: "while no dialect was found",
				Help: "Constant 1; dialect: the API that was found, one of those of EXOBENCH_DIALECT; " +
					"endpoint: the route that served the last request.",
			},
			Value: func(s seen) (float64, bool) { return 1, s.Dialect != "" },
			Own:   func(s seen) []string { return []string{string(s.Dialect), string(s.endpoint)} },
		},
		metric.Gauge[seen]{
			Family: metric.Family{
				Name: "exo_rtt_seconds", Unit: "seconds", Absent: "while the node is down",
				Help: "Round trip in seconds of a trivial GET to the node: what the way to it costs any figure.",
			},
			Value: func(s seen) (float64, bool) { return s.RTT.Seconds(), s.Up && s.RTT > 0 },
		},
	)
	registerNodes(set, func() []workload.NodeStatus {
		s, _ := h.get()
		return s.Nodes
	})
}
