package exporter

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	modelLabels  = []string{"model"}
	promptLabels = []string{"model", "prompt"}
)

// Classic buckets in seconds, dense where the five models are on current machines.
var (
	ttftBuckets = []float64{.01, .02, .04, .06, .08, .1, .15, .25, .5, .75, 1, 1.5, 2.5, 5, 7.5, 10, 20, 40, 80, 160}
	itlBuckets  = []float64{.001, .002, .004, .006, .008, .01, .0125, .015, .02, .025, .03, .04, .06, .08, .1, .2, .4, .8, 2, 5}
	e2eBuckets  = []float64{.1, .25, .5, .75, 1, 1.5, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 45, 60, 120, 300, 600}
)

// Native histograms resolve 10 % steps; 160 buckets then span a factor of 4 million, and a
// histogram that needs more is reset at most once an hour.
const (
	nativeBucketFactor     = 1.1
	nativeMaxBuckets       = 160
	nativeMinResetDuration = time.Hour
)

// requestMetrics are the histograms and counters that requests feed. They only ever grow.
type requestMetrics struct {
	ttft, itl, tpot, e2e *prometheus.HistogramVec

	requests                      *prometheus.CounterVec
	promptTokens, cachedTokens    *prometheus.CounterVec
	outputTokens                  *prometheus.CounterVec
	decodeTokens, decodeSeconds   *prometheus.CounterVec
	prefillTokens, prefillSeconds *prometheus.CounterVec
	mismatches, tokenCounts       *prometheus.CounterVec
	contended                     *prometheus.CounterVec
	energy                        *prometheus.CounterVec
}

func newRequestMetrics() requestMetrics {
	return requestMetrics{
		ttft: newHistogram("time_to_first_token_seconds", ttftBuckets,
			"Time in seconds from writing the request on an established connection to the first token (TTFT), of successful requests. Connecting is not part of it. exo 1.x plans every 100 ms, which adds 0 to 0.1 s."),
		itl: newHistogram("inter_token_latency_seconds", itlBuckets,
			"Gap in seconds between successive tokens as the client saw them, one sample a gap, of successful requests."),
		tpot: newHistogram("time_per_output_token_seconds", itlBuckets,
			"Mean time in seconds per output token after the first (TPOT): (last - first token) / (tokens - 1), one sample a successful request."),
		e2e: newHistogram("request_duration_seconds", e2eBuckets,
			"Time in seconds from writing the request to the last token (E2E), of successful requests. The closing of the stream is not part of it."),

		requests: newCounter("requests_total",
			"Requests by how they ended. Only outcome ok enters the latency histograms.", "model", "prompt", "outcome"),
		promptTokens: newCounter("prompt_tokens_total",
			"Prompt tokens of successful requests, as the server counts them, cached ones included.", promptLabels...),
		cachedTokens: newCounter("cached_prompt_tokens_total",
			"Prompt tokens of successful requests that the server found in a prefix cache. It stays at 0 where cold prompts are measured as they should be.", promptLabels...),
		outputTokens: newCounter("output_tokens_total",
			"Output tokens of successful requests.", promptLabels...),
		decodeTokens: newCounter("decode_tokens_total",
			"Output tokens after the first of each successful request. Its rate over the rate of exobench_decode_seconds_total is the throughput in tokens per second over any window.", promptLabels...),
		decodeSeconds: newCounter("decode_seconds_total",
			"Time in seconds from the first to the last token of successful requests: what exobench_decode_tokens_total took.", promptLabels...),
		prefillTokens: newCounter("prefill_tokens_total",
			"Prompt tokens of successful requests that were not found in a cache. Its rate over the rate of exobench_prefill_seconds_total is the prefill throughput as the client saw it.", promptLabels...),
		prefillSeconds: newCounter("prefill_seconds_total",
			"Time to first token in seconds, summed over the requests in exobench_prefill_tokens_total.", promptLabels...),
		mismatches: newCounter("token_count_mismatches_total",
			"Successful requests whose token events disagreed with the number of tokens that the server reported.", modelLabels...),
		tokenCounts: newCounter("token_counts_total",
			"Successful requests by where their number of output tokens came from: usage (the answer's usage), stats (exo's generation_stats) or events (counted token events).", "model", "source"),
		contended: newCounter("contended_requests_total",
			"Requests during which other people's work ran on the node. They count everywhere but in the throughput gauges.", modelLabels...),
		energy: newCounter("energy_joules_total",
			"Energy in joules that exo reports for the requests. Absent until exo reports any.", modelLabels...),
	}
}

func (r *requestMetrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{
		r.ttft, r.itl, r.tpot, r.e2e, r.requests, r.promptTokens, r.cachedTokens, r.outputTokens,
		r.decodeTokens, r.decodeSeconds, r.prefillTokens, r.prefillSeconds,
		r.mismatches, r.tokenCounts, r.contended, r.energy,
	}
}

func newHistogram(name string, buckets []float64, help string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace:                       namespace,
		Name:                            name,
		Help:                            help,
		Buckets:                         buckets,
		NativeHistogramBucketFactor:     nativeBucketFactor,
		NativeHistogramMaxBucketNumber:  nativeMaxBuckets,
		NativeHistogramMinResetDuration: nativeMinResetDuration,
	}, promptLabels)
}

func newCounter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func newGauge(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
}
