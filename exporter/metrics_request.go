package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload"
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

// requestOutcomes and turnOutcomes are those that an observer is told of: what the exporter gave
// up itself says nothing about exo.
var (
	requestOutcomes = told(workload.Outcomes(), workload.OutcomeCanceled)
	turnOutcomes    = told(workload.TurnOutcomes(), workload.TurnCanceled)
)

func told[O ~string](all []O, canceled O) []string {
	var values []string
	for _, o := range all {
		if o != canceled {
			values = append(values, string(o))
		}
	}
	return values
}

// promptAttempts count every request, whatever came of it, by prompt.
func promptAttempts() metric.Group[workload.Result] {
	return metric.Group[workload.Result]{
		Labels: promptLabels,
		Counters: []metric.Counter[workload.Result]{{
			Family: metric.Family{
				Name: "requests_total", Unit: "requests", Labels: []string{"outcome"},
				Help: "Requests by how they ended. Only outcome ok enters histograms, sums and gauges, and only where the request was " +
					"neither contended nor starved.",
			},
			Values: requestOutcomes, Of: func(r workload.Result) string { return string(r.Outcome) },
		}},
	}
}

// modelAttempts count every request, whatever came of it, by model.
func modelAttempts() metric.Group[workload.Result] {
	return metric.Group[workload.Result]{
		Labels: modelLabels,
		Counters: []metric.Counter[workload.Result]{
			{
				Family: metric.Family{
					Name: "contended_requests_total", Unit: "requests",
					Help: "Requests during which other people's work ran on the node. Nothing else is taken from them than how they ended.",
				},
				Value: func(r workload.Result) float64 { return boolValue(r.Contended) },
			},
			{
				Family: metric.Family{
					Name: "starved_requests_total", Unit: "requests",
					Help: "Requests during which the exporter itself did not get the processor, or the machine slept. " +
						"Nothing else is taken from them than how they ended.",
				},
				Value: func(r workload.Result) float64 { return boolValue(r.Starved) },
			},
		},
	}
}

// successes are of requests that succeeded, by model, whatever disturbed them.
func successes() metric.Group[workload.Result] {
	return metric.Group[workload.Result]{
		Labels: modelLabels,
		Known:  workload.Result.OK,
		Keep:   true,
		Gauges: []metric.Gauge[workload.Result]{{
			Family: metric.Family{
				Name: "last_success_timestamp_seconds", Unit: "seconds since 1970", Absent: "before the first",
				Help: "Unix time in seconds at which the model's last successful request ended.",
			},
			Value: metric.Always(func(r workload.Result) float64 { return unixSeconds(r.Start.Add(r.E2E)) }),
		}},
	}
}

// modelRequests are sums over clean requests by model.
func modelRequests() metric.Group[workload.Result] {
	return metric.Group[workload.Result]{
		Labels: modelLabels,
		Known:  workload.Result.Clean,
		Counters: []metric.Counter[workload.Result]{
			{
				Family: metric.Family{
					Name: "token_count_mismatches_total", Unit: "requests",
					Help: "Successful requests whose token events disagreed with the number of tokens that the server reported.",
				},
				Value: func(r workload.Result) float64 { return boolValue(r.TokenMismatch) },
			},
			{
				Family: metric.Family{
					Name: "token_counts_total", Unit: "requests", Labels: []string{"source"},
					Help: "Successful requests by where their number of output tokens came from: usage (the answer's usage), stats " +
						"(exo's generation_stats), events (counted token events) or unknown (nobody counts, and by their text the events " +
						"are no tokens), in which case there is no rate.",
				},
				Values: []string{
					string(workload.TokensFromUsage), string(workload.TokensFromStats), string(workload.TokensFromEvents), string(workload.TokensUnknown),
				},
				Of: func(r workload.Result) string { return string(r.TokenSource) },
			},
			{
				Family: metric.Family{
					Name: "coalesced_events_total", Unit: "events",
					Help: "Token events of successful requests that shared a read with the one before: something on the way let them " +
						"through in clumps. No gap of theirs is a sample of exobench_inter_token_latency_seconds.",
				},
				Value: func(r workload.Result) float64 { return float64(r.Coalesced) },
			},
			{
				Family: metric.Family{
					Name: "withheld_gaps_total", Unit: "gaps",
					Help: "Gaps between tokens of successful requests that are no sample of exobench_inter_token_latency_seconds because of the " +
						"exporter: by the kernel's own receive time it read one of their ends late by more than a tenth of the gap, or it " +
						"asked exo for the machines' power in the gap or the one before.",
				},
				Value: func(r workload.Result) float64 { return float64(r.Withheld) },
			},
			{
				Family: metric.Family{
					Name: "rate_disagreements_total", Unit: "requests",
					Help: "Successful requests whose decode rate as the client saw it and the server's own differ by more than 5 %, " +
						"so that at least one is wrong. Such a rate is kept out of exobench_model_output_tokens_per_second.",
				},
				Value: func(r workload.Result) float64 { return boolValue(r.RateDisagrees()) },
			},
			{
				Family: metric.Family{
					Name: "energy_joules_total", Unit: "joules", Absent: "until that of a request is known",
					Help: "Energy in joules that the machines which hold the model took for successful requests, whatever else ran on them: " +
						"exo's own figure where its answer has one, else the integral over the power that exo shows once a second, of " +
						"requests that took long enough for two readings and whose tokens are known. exobench_model_energy_info says which.",
				},
				Value: energy, Late: true,
			},
			{
				Family: metric.Family{
					Name: "energy_output_tokens_total", Unit: "tokens", Absent: "until that of a request is known",
					Help: "Output tokens of the successful requests whose energy is in exobench_energy_joules_total: what to divide it by.",
				},
				Value: energyTokens, Late: true,
			},
		},
	}
}

// energy is that of a request whose tokens are known.
func energy(r workload.Result) float64 {
	if r.CountedTokens() == 0 {
		return 0
	}
	return r.EnergyJoules
}

// energyTokens are the output tokens of a request of which the energy is known.
func energyTokens(r workload.Result) float64 {
	if r.EnergyJoules <= 0 {
		return 0
	}
	return float64(r.CountedTokens())
}

// promptRequests are sums, distributions and last figures of clean requests by prompt. Of times
// that the client did not see (an answer that came as one document) there are none.
func promptRequests() metric.Group[workload.Result] {
	return metric.Group[workload.Result]{
		Labels:     promptLabels,
		Known:      workload.Result.Clean,
		Absent:     "when that request failed, or was contended or starved",
		Histograms: latencies(),
		Counters:   tokenCounters(),
		Gauges:     lastFigures(),
	}
}

func latencies() []metric.Histogram[workload.Result] {
	return []metric.Histogram[workload.Result]{
		{
			Family: metric.Family{
				Name: "time_to_first_token_seconds", Unit: "seconds",
				Help: "Time in seconds from writing the request on an established connection to the first token (TTFT), of " +
					"successful requests. Connecting is not part of it. exo 1.x plans every 100 ms, which adds 0 to 0.1 s.",
			},
			Buckets: ttftBuckets,
			Samples: func(r workload.Result, o prometheus.Observer) {
				if r.Timed {
					o.Observe(r.TTFT.Seconds())
				}
			},
		},
		{
			Family: metric.Family{
				Name: "inter_token_latency_seconds", Unit: "seconds",
				Help: "Time in seconds between successive tokens as the client saw them, of successful requests. A gap before an event " +
					"of k tokens is k samples of a k-th each; one before an event that shared a read with the one before is none, nor is one " +
					"that the exporter itself has spoilt (exobench_withheld_gaps_total).",
			},
			Buckets: itlBuckets,
			Samples: func(r workload.Result, o prometheus.Observer) {
				for _, gap := range r.Gaps {
					o.Observe(gap.Seconds())
				}
			},
		},
		{
			Family: metric.Family{
				Name: "time_per_output_token_seconds", Unit: "seconds",
				Help: "Mean time in seconds per output token after those of the first event (TPOT), one sample a successful request: " +
					"what exobench_decode_seconds_total grows by over what exobench_decode_tokens_total does.",
			},
			Buckets: itlBuckets,
			Samples: func(r workload.Result, o prometheus.Observer) {
				if tpot, ok := r.TPOT(); ok {
					o.Observe(tpot.Seconds())
				}
			},
		},
		{
			Family: metric.Family{
				Name: "request_duration_seconds", Unit: "seconds",
				Help: "Time in seconds from writing the request to the last token (E2E), of successful requests. The closing of " +
					"the stream is not part of it.",
			},
			Buckets: e2eBuckets,
			Samples: func(r workload.Result, o prometheus.Observer) {
				if r.Timed {
					o.Observe(r.E2E.Seconds())
				}
			},
		},
	}
}
