package main

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/judge"
)

// sample is what one scrape reads of one series; not present where the exporter has none.
type sample struct {
	float   float64
	native  *histogram.Histogram      // set for native histograms
	delta   *histogram.FloatHistogram // set for records of them
	present bool
}

// series is one series and how it goes on. at is called for one scrape after another.
type series struct {
	labels labels.Labels
	at     func(ms int64) sample
}

func name(metric string, pairs ...string) labels.Labels {
	return labels.FromStrings(append([]string{"__name__", metric, "job", "exo-bench-exporter", "instance", "exo"}, pairs...)...)
}

// constant is a series that never changes.
func constant(v float64, metric string, pairs ...string) series {
	return series{name(metric, pairs...), func(int64) sample { return sample{float: v, present: true} }}
}

// lively is a gauge that differs from scrape to scrape.
func lively(mean, spread float64, metric string, pairs ...string) series {
	rng := rand.New(rand.NewPCG(2, uint64(len(metric)+len(pairs))))
	return series{name(metric, pairs...), func(int64) sample {
		return sample{float: mean + spread*rng.NormFloat64(), present: true}
	}}
}

// counter adds what add says of each event, from 0, and again from 0 after a restart.
func counter[E any](events []E, when func(E) (int64, bool), add func(E) float64, metric string, pairs ...string) series {
	next, total := 0, 0.0
	return series{name(metric, pairs...), func(ms int64) sample {
		for ; next < len(events); next++ {
			end, restarted := when(events[next])
			if end > ms {
				break
			}
			if restarted {
				total = 0
			}
			total += add(events[next])
		}
		return sample{float: total, present: true}
	}}
}

// gauge shows the newest event for which show returns a number.
func gauge[E any](events []E, when func(E) (int64, bool), show func(E) float64, metric string, pairs ...string) series {
	next, current := 0, math.NaN()
	return series{name(metric, pairs...), func(ms int64) sample {
		for ; next < len(events); next++ {
			if end, _ := when(events[next]); end > ms {
				break
			}
			current = show(events[next])
		}
		return sample{float: current, present: !math.IsNaN(current)}
	}}
}

func requestTime(r request) (int64, bool) { return r.end, r.restarted }
func turnTime(t turn) (int64, bool)       { return t.end, t.restarted }

// ofOK counts or shows a figure of good requests only.
func ofOK(otherwise float64, figure func(request) float64) func(request) float64 {
	return func(r request) float64 {
		if !r.ok {
			return otherwise
		}
		return figure(r)
	}
}

// ofPrompt are the series of one prompt put to one model.
func ofPrompt(m, prompt string, all []request) []series {
	pairs := []string{"model", m, "prompt", prompt}
	add := func(metric string, figure func(request) float64) series {
		return counter(all, requestTime, ofOK(0, figure), metric, pairs...)
	}
	show := func(metric string, figure func(request) float64) series {
		return gauge(all, requestTime, ofOK(math.NaN(), figure), metric, pairs...)
	}
	decode := func(r request) float64 { return (r.outputTokens - 1) / r.decode }
	prefill := func(r request) float64 { return r.promptTokens / r.ttft }
	made := []series{
		add("exobench_prompt_tokens_total", func(r request) float64 { return r.promptTokens }),
		add("exobench_output_tokens_total", func(r request) float64 { return r.outputTokens }),
		add("exobench_decode_tokens_total", func(r request) float64 { return r.outputTokens - 1 }),
		add("exobench_decode_seconds_total", func(r request) float64 { return r.decode }),
		show("exobench_output_tokens_per_second", decode),
		show("exobench_prefill_tokens_per_second", prefill),
		show("exobench_server_output_tokens_per_second", func(r request) float64 { return 1.01 * decode(r) }),
		show("exobench_server_prefill_tokens_per_second", func(r request) float64 { return 1.2 * prefill(r) }),
	}
	made = append(made, histogramsOf(all, pairs...)...)
	for _, outcome := range workload.Outcomes() {
		if outcome == workload.OutcomeCanceled {
			continue // an observer is not told of it
		}
		made = append(made, counter(all, requestTime, func(r request) float64 {
			if r.ok && outcome == workload.OutcomeOK || !r.ok && outcome == workload.OutcomeIdleTimeout {
				return 1
			}
			return 0
		}, "exobench_requests_total", append(pairs, "outcome", string(outcome))...))
	}
	return made
}

// ofModel are the series of a model as a whole.
func ofModel(m string, all []turn) []series {
	show := func(metric string, figure func(turn) float64) series {
		return gauge(all, turnTime, figure, metric, "model", m)
	}
	made := []series{
		show("exobench_model_output_tokens_per_second", func(t turn) float64 { return t.decodeRate }),
		show("exobench_model_time_to_first_token_seconds", func(t turn) float64 { return t.ttft }),
		show("exobench_model_resident_memory_bytes", func(t turn) float64 { return t.rss - 1e8 }),
		show("exobench_model_resident_memory_peak_bytes", func(t turn) float64 { return t.rss }),
		show("exobench_model_resident_memory_delta_bytes", func(t turn) float64 { return t.rss - 2e8 }),
		show("exobench_model_unreleased_memory_bytes", func(t turn) float64 { return t.unreleased }),
		show("exobench_model_reported_peak_memory_bytes", func(t turn) float64 { return t.reported }),
		show("exobench_model_load_seconds", func(t turn) float64 { return t.load }),
		show("exobench_last_success_timestamp_seconds", func(t turn) float64 { return float64(t.end) / 1000 }),
		counter(all, turnTime, func(t turn) float64 { return t.joules }, "exobench_energy_joules_total", "model", m),
		counter(all, turnTime, func(t turn) float64 { return t.tokens }, "exobench_energy_output_tokens_total", "model", m),
		constant(1, "exobench_model_up", "model", m),
		constant(1, "exobench_model_info", "model", m, "exo_model", "mlx-community/"+m, "developer", "x", "parameters", "8B", "architecture",
			"x"),
		constant(0, "exobench_token_count_mismatches_total", "model", m),
	}
	for _, outcome := range []string{"ok", "partial", "failed", "unavailable", "skipped"} {
		made = append(made, counter(all, turnTime, func(turn) float64 {
			if outcome == "ok" {
				return 1
			}
			return 0
		}, "exobench_turns_total", "model", m, "outcome", outcome))
	}
	return append(made, judged(m, all)...)
}

// judged are what the exporter says of the speed of a model in which it finds nothing.
func judged(m string, all []turn) []series {
	var made []series
	for _, q := range judge.Quantities() {
		pairs := []string{"model", m, "quantity", string(q)}
		for metric, v := range map[string]float64{
			"speed_change_ratio": 0, "speed_change_low_ratio": 0, "speed_change_high_ratio": 0, "speed_change_evidence": 0.3,
			"speed_baseline": profiles[m].decode, "speed_noise_ratio": 0.015, "judge_history_cycles": 1500, "judge_learning": 0,
		} {
			made = append(made, constant(v, "exobench_"+metric, pairs...))
		}
		made = append(made, gauge(all, turnTime, func(t turn) float64 { return t.decodeRate/profiles[m].decode - 1 },
			"exobench_speed_last_cycle_change_ratio", pairs...))
		for _, k := range judge.Kinds() {
			made = append(made, constant(0, "exobench_speed_alarm", append(pairs, "kind", string(k))...))
		}
	}
	return made
}

// ofNode are the series of the machine and of the exporter itself.
func ofNode(all []turn) []series {
	busy := 0.0
	var node []series
	for _, q := range judge.Quantities() {
		pairs := []string{"quantity", string(q)}
		node = append(node, constant(0, "exobench_node_speed_change_ratio", pairs...),
			constant(0.2, "exobench_node_speed_change_evidence", pairs...))
		for _, k := range judge.Kinds() {
			node = append(node, constant(0, "exobench_node_speed_alarm", append(pairs, "kind", string(k))...))
		}
	}
	return append(node, []series{
		constant(1, "up"), constant(0, "exobench_simulated"), constant(1, "exobench_exo_up"),
		constant(1, "exobench_exo_info", "dialect", "exo1", "endpoint", "bench"),
		constant(1, "exobench_workload_info", "version", "standard-1", "sha256", "abc"),
		constant(1, "exobench_epoch_info", "epoch", "2f1acd8e5b77", "dialect", "exo1", "endpoint", "bench", "engine", "exo", "version", "1.0.71",
			"sha256", "abc"),
		constant(1, "exobench_build_info", "version", "1.0.0"),
		constant(1, "exobench_config_last_reload_successful"),
		constant(float64(time.Now().Unix()), "exobench_config_last_reload_success_timestamp_seconds"),
		constant(cycleInterval.Seconds(), "exobench_cycle_interval_seconds"),
		constant(0, "exobench_cycle_running"),
		constant(1, "exobench_exo_processes", "role", "node"), constant(1, "exobench_exo_processes", "role", "runner"),
		gauge(all, turnTime, func(t turn) float64 { return 600 + math.Mod(t.decodeRate, 1) }, "exobench_cycle_duration_seconds"),
		counter(all, turnTime, func(turn) float64 { return 1 }, "exobench_cycles_total", "outcome", "ok"),
		constant(0, "exobench_cycles_total", "outcome", "partial"), constant(0, "exobench_cycles_total", "outcome", "failed"),
		lively(3e8, 1e6, "exobench_exo_resident_memory_bytes", "role", "node"),
		lively(4e9, 1e8, "exobench_exo_resident_memory_bytes", "role", "runner"),
		lively(24e9, 1e8, "exobench_node_memory_bytes", "node", "mac", "state", "available"),
		constant(64e9, "exobench_node_memory_bytes", "node", "mac", "state", "total"),
		lively(30, 2, "exobench_node_power_watts", "node", "mac"),
		lively(0.5, 0.1, "exobench_node_gpu_utilization_ratio", "node", "mac"),
		lively(60, 2, "exobench_node_temperature_celsius", "node", "mac"),
		lively(0.001, 0.0001, "exobench_exo_rtt_seconds"),
		lively(0.005, 0.001, "scrape_duration_seconds"), constant(7500, "scrape_samples_scraped"),
		lively(25e6, 1e6, "process_resident_memory_bytes"), lively(20, 2, "go_goroutines"),
		constant(1, "exobench:alert:info", "alertname", "ExoBenchThroughputDrop", "about", "model", "summary", "x", "dashboard", "exobench-model",
			"panel", "1", "anchor", "x"),
		constant(1, "exobench:dashboard_rules:info"),
		{name("process_cpu_seconds_total"), func(int64) sample { busy += 0.01; return sample{float: busy, present: true} }},
		// An alert that fires for two hours of each day.
		{
			name("ALERTS", "alertname", "ExoBenchThroughputDrop", "alertstate", "firing", "severity", "warning", "model", "llama-3.1-8b"),
			func(ms int64) sample { return sample{float: 1, present: ms/time.Hour.Milliseconds()%24 < 2} },
		},
	}...)
}
