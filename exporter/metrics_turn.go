package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/workload"
)

// turnMetrics are what turns feed.
type turnMetrics struct {
	turns      *prometheus.CounterVec
	goodCycles *prometheus.CounterVec

	output, ttft          *prometheus.GaugeVec
	memory                memoryMetrics
	reportedPeak, load    *prometheus.GaugeVec
	info, up, lastSuccess *prometheus.GaugeVec
}

func newTurnMetrics() turnMetrics {
	const (
		absent  = " Absent when the last turn was not ok or partial."
		already = " Absent where the model was loaded already, and when the last turn was not ok or partial."
	)
	return turnMetrics{
		turns: newCounter("turns_total",
			"Turns by how they ended; a turn is one model's part of a cycle.", "model", "outcome"),
		goodCycles: newCounter("model_good_cycles_total",
			"Cycles that gave the model a value of exobench_model_output_tokens_per_second under the workload with this hash: the evidence that a baseline rests on.", "model", "sha256"),

		output: newGauge("model_output_tokens_per_second",
			"Decode rate in tokens per second over the last turn: decode tokens of all its successful requests over their decode seconds. One value a cycle. Requests during which other people's work ran are left out."+absent, modelLabels...),
		ttft: newGauge("model_time_to_first_token_seconds",
			"Median time to first token in seconds over the prompts of the last turn. One value a cycle."+absent, modelLabels...),
		memory: newMemoryMetrics(),
		reportedPeak: newGauge("model_reported_peak_memory_bytes",
			"Highest peak_memory_usage in bytes that exo reported in the last turn, as reported: the high-water mark of MLX's allocator, weights included. Never add it to RSS."+absent, modelLabels...),
		load: newGauge("model_load_seconds",
			"Time in seconds from asking for the model to its being ready, download excluded, in the last turn."+already, modelLabels...),

		info: newGauge("model_info",
			"Constant 1; the labels say which model is measured under this name: the id that the node was asked for, and who made it.",
			"model", "exo_model", "developer", "parameters", "architecture"),
		up: newGauge("model_up",
			"1 when the model's last turn was ok or partial, 0 otherwise. Absent before its first turn.", modelLabels...),
		lastSuccess: newGauge("last_success_timestamp_seconds",
			"Unix time in seconds at which the model's last successful request ended. Absent before the first.", modelLabels...),
	}
}

func (t *turnMetrics) collectors() []prometheus.Collector {
	return append(t.memory.collectors(),
		t.turns, t.goodCycles, t.output, t.ttft, t.reportedPeak, t.load, t.info, t.up, t.lastSuccess)
}

// set shows the figures of turn, and removes those that it did not yield.
func (t *turnMetrics) set(turn workload.Turn) {
	good := turn.Outcome.Good()
	rate, hasRate := turn.DecodeRate()
	ttft, hasTTFT := turn.MedianTTFT()
	reported, hasReported := turn.PeakReported()

	show := func(g *prometheus.GaugeVec, value float64, known bool) {
		setOrRemove(g, value, good && known, turn.Model)
	}
	show(t.output, rate, hasRate)
	show(t.ttft, ttft.Seconds(), hasTTFT)
	t.memory.set(turn.Model, turn.Memory, good)
	show(t.reportedPeak, float64(reported), hasReported)
	show(t.load, turn.Load.Duration.Seconds(), turn.Load.Loaded && turn.Load.Duration > 0)
	t.up.WithLabelValues(turn.Model).Set(boolValue(good))
}

// withdraw removes every figure that a turn of model has set, except whether it was good.
func (t *turnMetrics) withdraw(model string) {
	t.memory.set(model, workload.Memory{}, false)
	for _, g := range []*prometheus.GaugeVec{t.output, t.ttft, t.reportedPeak, t.load} {
		g.DeleteLabelValues(model)
	}
}
