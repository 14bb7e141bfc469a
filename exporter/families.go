package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload/judge"
)

// Families returns every metric family under the exporter's own name, of one that measures and
// of a memory agent, in the order of their names.
func Families() []metric.Declared {
	unseen := func() (ExoMemory, bool) { return ExoMemory{}, false }
	elsewhere := func() (MachineState, bool) { return MachineState{}, false }
	unjudged := func() []judge.Verdict { return nil }
	return metric.Families(
		newProcessSet(prometheus.NewRegistry()),
		NewMetrics(prometheus.NewRegistry(), Options{Memory: unseen, Machine: elsewhere, Judge: unjudged}).set,
		NewAgent(prometheus.NewRegistry(), AgentOptions{Memory: unseen, Machine: elsewhere}).set,
	)
}
