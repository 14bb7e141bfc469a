package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/workload"
)

// promptMetrics are gauges of the last request of each prompt. A series exists only while the
// last request yielded the figure.
type promptMetrics struct {
	output, prefill             *prometheus.GaugeVec
	serverOutput, serverPrefill *prometheus.GaugeVec
}

func newPromptMetrics() promptMetrics {
	const absent = " Absent when that request failed or other people's work ran meanwhile."
	return promptMetrics{
		output: newGauge("output_tokens_per_second",
			"Decode rate in tokens per second of the last request, as the client saw it: (tokens - 1) / (last - first token)."+absent, promptLabels...),
		prefill: newGauge("prefill_tokens_per_second",
			"Uncached prompt tokens per second of time to first token of the last request, as the client saw it."+absent, promptLabels...),
		serverOutput: newGauge("server_output_tokens_per_second",
			"exo's own decode rate in tokens per second of the last request (generation_tps). What it exceeds the client's figure by is the cost of the way to the client."+absent, promptLabels...),
		serverPrefill: newGauge("server_prefill_tokens_per_second",
			"exo's own prefill rate in tokens per second of the last request (prompt_tps)."+absent, promptLabels...),
	}
}

func (p *promptMetrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{p.output, p.prefill, p.serverOutput, p.serverPrefill}
}

// set shows the figures of r, and removes those that r did not yield.
func (p *promptMetrics) set(r workload.Result) {
	decode, hasDecode := r.DecodeRate()
	prefill, hasPrefill := r.PrefillRate()
	var server workload.ServerStats
	if r.Server != nil {
		server = *r.Server
	}
	fair := r.OK() && !r.Contended
	setOrRemove(p.output, decode, fair && hasDecode, r.Model, r.Prompt)
	setOrRemove(p.prefill, prefill, fair && hasPrefill, r.Model, r.Prompt)
	setOrRemove(p.serverOutput, server.GenerationTPS, fair && server.GenerationTPS > 0, r.Model, r.Prompt)
	setOrRemove(p.serverPrefill, server.PromptTPS, fair && server.PromptTPS > 0, r.Model, r.Prompt)
}

func (p *promptMetrics) remove(model, prompt string) {
	for _, g := range []*prometheus.GaugeVec{p.output, p.prefill, p.serverOutput, p.serverPrefill} {
		g.DeleteLabelValues(model, prompt)
	}
}

// setOrRemove shows value in the series with those label values, or removes the series when
// the value is not known.
func setOrRemove(g *prometheus.GaugeVec, value float64, known bool, labels ...string) {
	if known {
		g.WithLabelValues(labels...).Set(value)
	} else {
		g.DeleteLabelValues(labels...)
	}
}
