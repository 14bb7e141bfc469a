package exporter

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/workload"
)

// cycleOutcomes are those that a cycle can have.
var cycleOutcomes = []workload.TurnOutcome{workload.TurnOK, workload.TurnPartial, workload.TurnFailed}

// cycleMetrics are what cycles and the configuration feed.
type cycleMetrics struct {
	cycles               *prometheus.CounterVec
	duration             *prometheus.GaugeVec // without labels; a vector, so that it can be absent
	interval, running    prometheus.Gauge
	workload             *prometheus.GaugeVec
	simulated            *prometheus.GaugeVec // without labels
	reloadOK, reloadedAt prometheus.Gauge
}

func newCycleMetrics() cycleMetrics {
	plain := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
	}
	c := cycleMetrics{
		cycles: newCounter("cycles_total",
			"Cycles by how they ended: ok (every turn was), failed (no turn yielded figures) or partial. A cycle is one pass over all models.", "outcome"),
		duration: newGauge("cycle_duration_seconds",
			"Time in seconds that the last complete cycle took. Absent before the first."),
		interval: plain("cycle_interval_seconds",
			"Configured time in seconds from the start of one cycle to the start of the next."),
		running: plain("cycle_running", "1 while a cycle runs, 0 otherwise."),
		workload: newGauge("workload_info",
			"Constant 1; version and SHA-256 of the suite, over prompts and parameters in canonical form. Figures under different hashes do not compare.", "version", "sha256"),
		simulated: newSimulated(),
		reloadOK: plain("config_last_reload_successful",
			"1 when the configuration that was read last could be used, 0 otherwise."),
		reloadedAt: plain("config_last_reload_success_timestamp_seconds",
			"Unix time in seconds at which a configuration was last read that could be used."),
	}
	for _, o := range cycleOutcomes {
		c.cycles.WithLabelValues(string(o))
	}
	return c
}

// newSimulated returns a gauge without labels; a vector, so that it can be absent.
func newSimulated() *prometheus.GaugeVec {
	return newGauge("simulated",
		"1 when the target is the built-in simulator, so that no figure says anything about a real machine; 0 otherwise.")
}

func (c *cycleMetrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{
		c.cycles, c.duration, c.interval, c.running, c.workload, c.simulated, c.reloadOK, c.reloadedAt,
	}
}

func (c *cycleMetrics) apply(opts Options, sha256 string) {
	c.interval.Set(opts.Interval.Seconds())
	c.workload.Reset()
	c.workload.WithLabelValues(opts.Suite.Version, sha256).Set(1)
}

func (c *cycleMetrics) reloaded(ok bool, at time.Time) {
	c.reloadOK.Set(boolValue(ok))
	if ok {
		c.reloadedAt.Set(unixSeconds(at))
	}
}

func (c *cycleMetrics) done(cycle workload.Cycle) {
	c.running.Set(0)
	c.cycles.WithLabelValues(string(cycle.Outcome)).Inc()
	c.duration.WithLabelValues().Set(cycle.Duration.Seconds())
}
