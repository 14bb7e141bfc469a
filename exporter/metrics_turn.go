package exporter

import (
	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload"
)

func goodTurnOnly(t workload.Turn) bool { return t.Outcome.Good() }

// turnOutcome tells how turns ended.
func turnOutcome() metric.Group[workload.Turn] {
	return metric.Group[workload.Turn]{
		Labels: modelLabels,
		Keep:   true,
		Counters: []metric.Counter[workload.Turn]{{
			Family: metric.Family{
				Name: "turns_total", Unit: "turns", Labels: []string{"outcome"},
				Help: "Turns by how they ended; a turn is one model's part of a cycle.",
			},
			Values: turnOutcomes, Of: func(t workload.Turn) string { return string(t.Outcome) },
		}},
		Gauges: []metric.Gauge[workload.Turn]{{
			Family: metric.Family{
				Name: "model_up", Unit: "1 or 0", Absent: "before its first turn",
				Help: "1 when the model's last turn was ok or partial, 0 otherwise.",
			},
			Value: metric.Always(func(t workload.Turn) float64 { return boolValue(t.Outcome.Good()) }),
		}},
	}
}

// turnFigures are what a turn as a whole yielded.
func turnFigures() metric.Group[workload.Turn] {
	return metric.Group[workload.Turn]{
		Labels: modelLabels,
		Known:  goodTurnOnly,
		Absent: badTurn,
		Gauges: append(append(energyGauges(), answerFigures()...), []metric.Gauge[workload.Turn]{
			{
				Family: metric.Family{
					Name: "model_output_tokens_per_second", Unit: "tokens per second", Absent: "when no request yielded it",
					Help: "Decode rate in tokens per second over the last turn: decode tokens of its successful requests " +
						"over their decode seconds. One value a cycle. Requests that were contended or starved, or whose rate the " +
						"server contradicts, are left out.",
				},
				Value: workload.Turn.DecodeRate,
			},
			{
				Family: metric.Family{
					Name: "model_time_to_first_token_seconds", Unit: "seconds", Absent: "when no request yielded it",
					Help: "Median time to first token in seconds over the prompts of the last turn. One value a cycle.",
				},
				Value: func(t workload.Turn) (float64, bool) {
					ttft, ok := t.MedianTTFT()
					return ttft.Seconds(), ok
				},
			},
			{
				Family: metric.Family{
					Name: "model_reported_peak_memory_bytes", Unit: "bytes", Absent: "where exo does not report it",
					Help: "Highest peak_memory_usage in bytes that exo reported in the last turn, as reported: the high-water mark " +
						"of MLX's allocator, weights included. exo takes MLX's gigabytes for gibibytes, so that it is 7.37 % more than was " +
						"allocated: divide it by 1.073741824. Never add it to RSS.",
				},
				Value: func(t workload.Turn) (float64, bool) {
					peak, ok := t.PeakReported()
					return float64(peak), ok
				},
			},
			{
				Family: metric.Family{
					Name: "model_weights_bytes", Unit: "bytes", Absent: "where exo does not say",
					Help: "Size in bytes of the model's weights, as exo gives it: what a machine has to hold, and what decoding reads for every token.",
				},
				Value: func(t workload.Turn) (float64, bool) { return float64(t.Host.WeightsBytes), t.Host.WeightsBytes > 0 },
			},
			{
				Family: metric.Family{
					Name: "model_memory_bandwidth_utilization_ratio", Unit: "ratio",
					Absent: "where the bandwidth is not known (EXOBENCH_MEMORY_BANDWIDTH), several machines hold the model, or it came to more than " +
						"110 %, so that what is read for a token is not all of the weights",
					Help: "Share of the memory's peak bandwidth that decoding used in the last turn (MBU): decode rate × exobench_model_weights_bytes / " +
						"bandwidth. 1 is what the hardware could do at best; without what is read of the cache of keys and values.",
				},
				Value: workload.Turn.BandwidthUtilization,
			},
			{
				Family: metric.Family{
					Name: "model_load_seconds", Unit: "seconds", Absent: "where the model was loaded already",
					Help: "Time in seconds from asking for the model to its being ready, download excluded, in the last turn.",
				},
				Value: func(t workload.Turn) (float64, bool) {
					return t.Load.Duration.Seconds(), t.Load.Loaded && t.Load.Duration > 0
				},
			},
		}...),
	}
}

// goodCycles count the turns that gave a decode rate under one method.
func goodCycles() metric.Group[workload.Turn] {
	return metric.Group[workload.Turn]{
		Labels: []string{"model", "epoch"},
		Known: func(t workload.Turn) bool {
			_, ok := t.DecodeRate()
			return ok && t.Outcome.Good()
		},
		Counters: []metric.Counter[workload.Turn]{{
			Family: metric.Family{
				Name: "model_good_cycles_total", Unit: "cycles",
				Help: "Cycles that gave the model a value of exobench_model_output_tokens_per_second by the method of this epoch, see " +
					"exobench_epoch_info. It begins anew with the epoch.",
				Absent: "before a result under the present configuration",
			},
		}},
	}
}

// measured is a model under the id that the node was asked for.
type measured struct {
	model workload.Model
	id    string
}

// identity tells which model is measured under a name.
func identity() metric.Group[measured] {
	return metric.Group[measured]{
		Labels: modelLabels,
		Gauges: []metric.Gauge[measured]{{
			Family: metric.Family{
				Name: "model_info", Unit: "none", Labels: []string{"exo_model", "developer", "parameters", "architecture"},
				Help: "Constant 1; the labels say which model is measured under this name: the id that the node was asked for, and " +
					"who made it.",
			},
			Value: metric.Constant[measured],
			Own: func(m measured) []string {
				f := m.model.Facts()
				return []string{m.id, f.Developer, f.Parameters, f.Architecture}
			},
		}},
	}
}
