package e2e

import (
	"slices"

	"exo-bench-exporter/workload"
)

var models = []string{"llama-3.1-8b", "llama-3.2-1b", "mistral-7b", "qwen-1.5-7b", "deepseek-r1"}

// series is what the demo must export under one name: the values of each label, in full. A
// label with no values may have any, but not none; the number of series is then count.
type series struct {
	name   string
	labels map[string][]string
	count  int
}

// classicBuckets is the number of classic buckets of each histogram, +Inf included.
const classicBuckets = 21

var histograms = []string{
	"exobench_time_to_first_token_seconds", "exobench_inter_token_latency_seconds",
	"exobench_time_per_output_token_seconds", "exobench_request_duration_seconds",
}

// catalogue lists the metrics of an exporter that has measured all models on the simulator.
// Names and labels are written out because they are a contract: dashboards and rules of users
// rest on them.
func catalogue(suite workload.Suite) []series {
	var (
		requests = []string{
			"ok", "connect_error", "exporter_error", "http_error", "stream_error", "truncated", "first_token_timeout", "idle_timeout",
			"total_timeout", "model_mismatch", "protocol_error", "empty", "buffered",
		}
		turns         = []string{"ok", "partial", "failed", "unavailable", "skipped"}
		prompts       []string
		byModel       = map[string][]string{"model": models}
		byRole        = map[string][]string{"role": {"node", "runner"}}
		alone         = map[string][]string{}
		all           []series
		node          = map[string][]string{"node": nil}
		versionLabels = map[string][]string{
			"version": nil, "revision": nil, "branch": nil, "goversion": nil, "goos": nil, "goarch": nil, "tags": nil,
		}
	)
	for _, p := range suite.Prompts {
		prompts = append(prompts, p.ID)
	}
	byPrompt := map[string][]string{"model": models, "prompt": prompts}

	add := func(labels map[string][]string, names ...string) {
		count := 1
		for _, values := range labels {
			count *= max(1, len(values))
		}
		for _, name := range names {
			all = append(all, series{name, labels, count})
		}
	}
	for _, h := range histograms {
		add(byPrompt, h, h+"_count", h+"_sum")
		all = append(
			all,
			series{h + "_bucket", map[string][]string{"model": models, "prompt": prompts, "le": nil}, len(models) * len(prompts) * classicBuckets},
		)
	}
	add(map[string][]string{"model": models, "prompt": prompts, "outcome": requests}, "exobench_requests_total")
	add(byPrompt, "exobench_prompt_tokens_total", "exobench_output_tokens_total",
		"exobench_decode_tokens_total", "exobench_decode_seconds_total",
		"exobench_prefill_tokens_total", "exobench_prefill_seconds_total",
		"exobench_output_tokens_per_second", "exobench_prefill_tokens_per_second", "exobench_tokens_per_event",
		"exobench_server_output_tokens_per_second", "exobench_server_prefill_tokens_per_second")
	add(map[string][]string{"model": models, "outcome": turns}, "exobench_turns_total")
	add(map[string][]string{"model": models, "prompt": append(slices.Clone(prompts), "canary")}, "exobench_answer_fingerprint_changes_total")
	add(map[string][]string{"model": models, "sign": {"repetition", "garbled", "script"}}, "exobench_degenerate_answers_total")
	thinks := func(model string) bool { return model == "deepseek-r1" } // and is not asked
	add(map[string][]string{"model": slices.DeleteFunc(slices.Clone(models), thinks)}, "exobench_canary_correct_ratio")
	add(map[string][]string{"outcome": {"ok", "partial", "failed"}}, "exobench_cycles_total")
	add(map[string][]string{"model": models, "source": {"usage", "stats", "events", "unknown"}}, "exobench_token_counts_total")
	all = append(all, series{"exobench_model_good_cycles_total", map[string][]string{"model": models, "epoch": nil}, len(models)})
	add(byModel, "exobench_token_count_mismatches_total", "exobench_contended_requests_total", "exobench_starved_requests_total",
		"exobench_coalesced_events_total", "exobench_withheld_gaps_total", "exobench_rate_disagreements_total",
		"exobench_model_output_tokens_per_second", "exobench_model_time_to_first_token_seconds",
		"exobench_model_footprint_bytes", "exobench_model_footprint_peak_bytes",
		"exobench_model_resident_memory_bytes", "exobench_model_resident_memory_peak_bytes",
		"exobench_model_resident_memory_delta_bytes", "exobench_model_unreleased_memory_bytes",
		"exobench_model_reported_peak_memory_bytes", "exobench_model_load_seconds", "exobench_model_weights_bytes",
		"exobench_model_up", "exobench_answer_degenerate_ratio", "exobench_last_success_timestamp_seconds")
	all = append(
		all,
		series{
			"exobench_model_info",
			map[string][]string{"model": models, "exo_model": nil, "developer": nil, "parameters": nil, "architecture": nil},
			len(models),
		},
	)
	add(map[string][]string{"model": models, "quantity": {"decode", "prefill", "ttft"}},
		"exobench_judge_history_cycles", "exobench_judge_learning")
	add(byRole, "exobench_exo_resident_memory_bytes", "exobench_exo_processes")
	add(map[string][]string{"source": {"simulator"}, "footprint": {"physical"}}, "exobench_memory_source_info")
	add(map[string][]string{"dialect": {"exo1"}, "endpoint": {"bench"}}, "exobench_exo_info")
	add(alone, "exobench_exo_up", "exobench_exo_rtt_seconds",
		"exobench_cycle_duration_seconds", "exobench_cycle_interval_seconds", "exobench_cycle_running",
		"exobench_simulated", "exobench_config_last_reload_successful", "exobench_config_last_reload_success_timestamp_seconds",
		"go_goroutines", "process_resident_memory_bytes")
	add(map[string][]string{"version": {suite.Version}, "sha256": {suite.SHA256()}}, "exobench_workload_info")
	all = append(all, series{"exobench_epoch_info", map[string][]string{
		"epoch": nil, "dialect": {"exo1"}, "endpoint": {"bench"}, "engine": {"exo"}, "sha256": {suite.SHA256()},
	}, 1})
	add(map[string][]string{"what": {"series", "strings", "records"}}, "exobench_dropped_total")
	add(map[string][]string{"node": nil, "state": {"total", "available"}}, "exobench_node_memory_bytes")
	add(map[string][]string{"node": nil, "machine": nil, "chip": nil, "os": nil}, "exobench_node_info")
	add(node, "exobench_node_power_watts", "exobench_node_gpu_utilization_ratio", "exobench_node_temperature_celsius")
	add(versionLabels, "exobench_build_info")
	add(map[string][]string{"code": {"200", "500", "503"}}, "promhttp_metric_handler_requests_total")
	return all
}
