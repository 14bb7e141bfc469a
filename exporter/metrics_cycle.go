package exporter

import (
	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload"
)

// cycleOutcomes are those that a cycle can have.
var cycleOutcomes = []string{string(workload.TurnOK), string(workload.TurnPartial), string(workload.TurnFailed)}

// cycleMetrics are the series of cycles and of what is configured.
type cycleMetrics struct {
	done       *metric.Series[workload.Cycle]
	running    *metric.Series[bool]
	configured *metric.Series[Options]
	simulated  *metric.Series[bool]
}

func newCycleMetrics(set *metric.Set) cycleMetrics {
	return cycleMetrics{
		done:       metric.Register(set, doneCycles()).With(),
		running:    alone(set, "cycle_running", "1 or 0", "1 while a cycle runs, 0 otherwise.", "", boolValue),
		configured: metric.Register(set, configuration()).With(),
		simulated:  newSimulated(set),
	}
}

// alone registers a gauge without labels. It exists from its first record on.
func alone[T any](set *metric.Set, name, unit, help, absent string, value func(T) float64) *metric.Series[T] {
	return metric.Register(set, metric.Group[T]{Gauges: []metric.Gauge[T]{{
		Family: metric.Family{Name: name, Unit: unit, Help: help, Absent: absent}, Value: metric.Always(value),
	}}}).With()
}

// newSimulated registers what tells a reader that figures are not those of a machine.
func newSimulated(set *metric.Set) *metric.Series[bool] {
	return alone(set, "simulated", "1 or 0",
		"1 when the target is the built-in simulator, so that no figure says anything about a real machine; 0 otherwise.",
		"at a memory agent that has not reached its driver yet", boolValue)
}

func doneCycles() metric.Group[workload.Cycle] {
	return metric.Group[workload.Cycle]{
		Counters: []metric.Counter[workload.Cycle]{{
			Family: metric.Family{
				Name: "cycles_total", Unit: "cycles", Labels: []string{"outcome"},
				Help: "Cycles by how they ended: ok (every turn was), failed (no turn yielded figures) or partial. A cycle is one " +
					"pass over all models.",
			},
			Values: cycleOutcomes, Of: func(c workload.Cycle) string { return string(c.Outcome) },
		}},
		Gauges: []metric.Gauge[workload.Cycle]{{
			Family: metric.Family{
				Name: "cycle_duration_seconds", Unit: "seconds", Absent: "before the first",
				Help: "Time in seconds that the last complete cycle took.",
			},
			Value: metric.Always(func(c workload.Cycle) float64 { return c.Duration.Seconds() }),
		}},
	}
}

func configuration() metric.Group[Options] {
	return metric.Group[Options]{
		Gauges: []metric.Gauge[Options]{
			{
				Family: metric.Family{
					Name: "cycle_interval_seconds", Unit: "seconds",
					Help: "Configured time in seconds from the start of one cycle to the start of the next.",
				},
				Value: metric.Always(func(o Options) float64 { return o.Interval.Seconds() }),
			},
			{
				Family: metric.Family{
					Name: "workload_info", Unit: "none", Labels: []string{"version", "sha256"},
					Help: "Constant 1; version and SHA-256 of the suite, over prompts and parameters in canonical form. Figures " +
						"under different hashes do not compare.",
				},
				Value: metric.Constant[Options],
				Own:   func(o Options) []string { return []string{o.Suite.Version, o.Suite.SHA256()} },
			},
		},
	}
}
