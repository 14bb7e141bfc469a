package exporter

import (
	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload"
)

// tokenCounters are the sums that rates over any window are made of.
func tokenCounters() []metric.Counter[workload.Result] {
	return []metric.Counter[workload.Result]{
		{
			Family: metric.Family{
				Name: "prompt_tokens_total", Unit: "tokens",
				Help: "Prompt tokens of successful requests, as the server counts them, cached ones included.",
			},
			Value: func(r workload.Result) float64 { return float64(r.PromptTokens) },
		},
		{
			Family: metric.Family{
				Name: "cached_prompt_tokens_total", Unit: "tokens",
				Help: "Prompt tokens of successful requests that the server found in a prefix cache. It stays at 0 where cold " +
					"prompts are measured as they should be.",
			},
			Value: func(r workload.Result) float64 { return float64(r.CachedTokens) },
		},
		{
			Family: metric.Family{
				Name: "output_tokens_total", Unit: "tokens", Help: "Output tokens of successful requests, as far as they are known.",
			},
			Value: func(r workload.Result) float64 { return float64(r.CountedTokens()) },
		},
		{
			Family: metric.Family{
				Name: "decode_tokens_total", Unit: "tokens",
				Help: "Output tokens of successful requests that came after those of the first event: all but one where an event " +
					"is a token. Its rate over the rate of exobench_decode_seconds_total is the throughput in tokens per second over any window.",
			},
			Value: func(r workload.Result) float64 { return float64(r.DecodeTokens()) },
		},
		{
			Family: metric.Family{
				Name: "decode_seconds_total", Unit: "seconds",
				Help: "Time in seconds from the first to the last token of successful requests: what exobench_decode_tokens_total took.",
			},
			Value: func(r workload.Result) float64 {
				if r.DecodeTokens() == 0 {
					return 0
				}
				return r.Decode.Seconds()
			},
		},
		{
			Family: metric.Family{
				Name: "prefill_tokens_total", Unit: "tokens",
				Help: "Prompt tokens of successful requests that were not found in a cache. Its rate over the rate of " +
					"exobench_prefill_seconds_total is the prefill throughput as the client saw it.",
			},
			Value: func(r workload.Result) float64 {
				if _, ok := r.PrefillRate(); !ok {
					return 0
				}
				return float64(r.PrefillTokens())
			},
		},
		{
			Family: metric.Family{
				Name: "prefill_seconds_total", Unit: "seconds",
				Help: "Time to first token in seconds, summed over the requests in exobench_prefill_tokens_total.",
			},
			Value: func(r workload.Result) float64 {
				if _, ok := r.PrefillRate(); !ok {
					return 0
				}
				return r.TTFT.Seconds()
			},
		},
	}
}

// lastFigures are those of the last request.
func lastFigures() []metric.Gauge[workload.Result] {
	const unit = "tokens per second"
	return []metric.Gauge[workload.Result]{
		{
			Family: metric.Family{
				Name: "output_tokens_per_second", Unit: unit,
				Help: "Decode rate in tokens per second of the last request, as the client saw it: tokens after those of the first " +
					"event over (last - first token event).",
			},
			Value: workload.Result.DecodeRate,
		},
		{
			Family: metric.Family{
				Name: "tokens_per_event", Unit: "tokens", Absent: "where no event was seen",
				Help: "Mean number of tokens that one token event of the last request carried: " +
					"1 where the server sends every token by itself.",
			},
			Value: workload.Result.TokensPerEvent,
		},
		{
			Family: metric.Family{
				Name: "prefill_tokens_per_second", Unit: unit,
				Help: "Uncached prompt tokens per second of time to first token of the last request, as the client saw it.",
			},
			Value: workload.Result.PrefillRate,
		},
		{
			Family: metric.Family{
				Name: "server_output_tokens_per_second", Unit: unit, Absent: "where exo does not report it, or one that cannot be true",
				Help: "exo's own decode rate in tokens per second of the last request (generation_tps). What it exceeds the " +
					"client's figure by is the cost of the way to the client. One that is more than twice or less than half of the " +
					"client's, beyond any machine, or slower than the whole request is not believed.",
			},
			Value: workload.Result.ServerDecodeRate,
		},
		{
			Family: metric.Family{
				Name: "server_prefill_tokens_per_second", Unit: unit, Absent: "where exo does not report it, or one that cannot be true",
				Help: "exo's own prefill rate in tokens per second of the last request (prompt_tps). One by which the prompt would have " +
					"taken longer than the first token did is not believed.",
			},
			Value: workload.Result.ServerPrefillRate,
		},
	}
}
