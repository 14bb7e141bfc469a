package e2e

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	promapi "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"exo-bench-exporter/e2e/internal/stack"
	"exo-bench-exporter/workload"
)

// TestDemo runs the demo as the README starts it, has a real Prometheus scrape it, and asks
// Prometheus for everything that the exporter promises, and then for everything that the
// dashboards ask.
func TestDemo(t *testing.T) {
	address := stack.FreeAddress(t)
	prometheus := stack.StartPrometheus(t, address, nil)
	demo := stack.Start(t, []string{"EXOBENCH_LISTEN_ADDRESS=" + address}, stack.Exporter, "-demo")

	stack.Eventually(t, 90*time.Second-time.Since(demo.Started), time.Second, "all five models have figures on /metrics", func() bool {
		body, err := stack.Get("http://" + address + "/metrics")
		return err == nil && strings.Count(string(body), "\nexobench_model_output_tokens_per_second{") == len(models)
	})
	t.Logf("five models had figures %.1f s after the start", time.Since(demo.Started).Seconds())
	when := settled(t, prometheus)
	t.Logf("scraped after a whole cycle, %.1f s after the start", when.Sub(demo.Started).Seconds())

	suite := workload.StandardSuite()
	t.Run("catalogue", func(t *testing.T) {
		for _, s := range catalogue(suite) {
			checkSeries(t, s, prometheus.At(t, when, "%s", s.name))
		}
	})
	t.Run("counts", func(t *testing.T) { checkCounts(t, prometheus, when, suite) })
	t.Run("values", func(t *testing.T) { checkValues(t, prometheus, when) })
	t.Run("rules", func(t *testing.T) { checkRules(t, prometheus) })
	t.Run("alertmanager", func(t *testing.T) {
		found, err := prometheus.API.AlertManagers(t.Context())
		if err != nil || len(found.Active) != 1 {
			t.Errorf("Prometheus sends to Alertmanagers %v (%v), want the one that runs", found.Active, err)
		}
	})
	when = twoCycles(t, prometheus)
	t.Logf("scraped after two whole cycles, %.1f s after the start", when.Sub(demo.Started).Seconds())
	t.Run("dashboards", func(t *testing.T) { checkDashboards(t, prometheus, when) })
}

// settled waits until Prometheus has scraped between two cycles, when no model's part is
// half done, and returns when that was.
func settled(t *testing.T, p stack.Prometheus) time.Time {
	t.Helper()
	var when time.Time
	stack.Eventually(t, 2*time.Minute, time.Second, "Prometheus has scraped the exporter between two cycles", func() bool {
		// timestamp gives the time of the scrape; of one scrape all series have the same.
		got := p.At(
			t, time.Now(), `timestamp(exobench_cycle_running) and (exobench_cycle_running == 0) and on() (sum(exobench_cycles_total) > 0)`,
		)
		if len(got) != 1 {
			return false
		}
		when = time.UnixMilli(int64(math.Round(float64(got[0].Value) * 1000)))
		return true
	})
	return when
}

// checkSeries compares what Prometheus has under a name with what must be there.
func checkSeries(t *testing.T, want series, got model.Vector) {
	t.Helper()
	if len(got) != want.count {
		t.Errorf("%s has %d series, want %d", want.name, len(got), want.count)
	}
	seen := map[string]bool{}
	for _, s := range got {
		labels := maps.Clone(model.LabelSet(s.Metric))
		for _, name := range []model.LabelName{model.MetricNameLabel, model.JobLabel, model.InstanceLabel} {
			if labels[name] == "" {
				t.Errorf("%v has no label %s", s.Metric, name)
			}
			delete(labels, name)
		}
		key := labels.String()
		if seen[key] {
			t.Errorf("%s is there twice", s.Metric)
		}
		seen[key] = true
		for name, values := range want.labels {
			value, ok := labels[model.LabelName(name)]
			switch {
			case len(values) > 0 && !slices.Contains(values, string(value)):
				t.Errorf("%v: label %s is %q, want one of %q", s.Metric, name, value, values)
			case len(values) == 0 && !ok && !mayBeEmpty[name]:
				t.Errorf("%v has no label %s", s.Metric, name)
			}
			delete(labels, model.LabelName(name))
		}
		if len(labels) > 0 {
			t.Errorf("%v has labels that are not in the contract: %v", s.Metric, labels)
		}
	}
}

// mayBeEmpty are labels that Prometheus drops because the exporter has no value for them.
var mayBeEmpty = map[string]bool{"branch": true, "tags": true, "revision": true}

// checkCounts compares what was counted with what was asked, and the counts with each other.
func checkCounts(t *testing.T, p stack.Prometheus, when time.Time, suite workload.Suite) {
	turns := byModel(p.At(t, when, `exobench_turns_total{outcome="ok"}`))
	ok := byPrompt(p.At(t, when, `exobench_requests_total{outcome="ok"}`))
	output := byPrompt(p.At(t, when, `exobench_output_tokens_total`))
	decode := byPrompt(p.At(t, when, `exobench_decode_tokens_total`))
	decodeSeconds := byPrompt(p.At(t, when, `exobench_decode_seconds_total`))
	prompt := byPrompt(p.At(t, when, `exobench_prompt_tokens_total`))
	prefill := byPrompt(p.At(t, when, `exobench_prefill_tokens_total`))
	prefillSeconds := byPrompt(p.At(t, when, `exobench_prefill_seconds_total`))

	for _, query := range []string{
		`exobench_requests_total{outcome!="ok"} > 0`, `exobench_turns_total{outcome!="ok"} > 0`,
		`exobench_cycles_total{outcome!="ok"} > 0`, `exobench_token_count_mismatches_total > 0`,
	} {
		if got := p.At(t, when, "%s", query); len(got) > 0 {
			t.Errorf("%s: got %v, want nothing", query, got)
		}
	}
	cycles := float64(p.At(t, when, `exobench_cycles_total{outcome="ok"}`)[0].Value)
	if cycles < 1 {
		t.Fatalf("%g cycles are done", cycles)
	}
	// What the exporter's own want of the processor spoiled enters no figure, and events that shared a read
	// have no gap between them, nor have those that were read late: on a busy machine there are some of each.
	clean := byPrompt(p.At(t, when, `exobench_time_to_first_token_seconds_count`))
	gaps := byPrompt(p.At(t, when, `exobench_inter_token_latency_seconds_count`))
	starved := byModel(p.At(t, when, `exobench_starved_requests_total`))
	coalesced := byModel(p.At(t, when, `exobench_coalesced_events_total`))
	withheld := byModel(p.At(t, when, `exobench_withheld_gaps_total`))
	for _, m := range models {
		equal(t, cycles, turns[m], "turns of %s and cycles", m)
		var marked, after, seen float64
		for _, pr := range suite.Prompts {
			key := [2]string{m, pr.ID}
			n := clean[key]
			equal(t, cycles, ok[key], "requests of %v and cycles", key)
			equal(t, n*float64(pr.MaxTokens), output[key], "output tokens of %v and what was asked for", key)
			if least := output[key] - n - coalesced[m]; decode[key] < least || decode[key] > output[key]-n {
				t.Errorf("%v: %g decode tokens of %g after the first, with %g events that shared a read", key, decode[key], output[key]-n, coalesced[m])
			}
			if n > 0 && (prompt[key] <= 0 || prefill[key] <= 0 || prefill[key] > prompt[key]) {
				t.Errorf("%v: %g prompt tokens, of them %g not cached", key, prompt[key], prefill[key])
			}
			marked, after, seen = marked+ok[key]-n, after+output[key]-n, seen+gaps[key]
		}
		equal(t, starved[m], marked, "requests of %s without figures and starved ones", m)
		equal(t, after, seen+coalesced[m]+withheld[m], "gaps of %s, withheld ones and events that shared a read, and tokens after the first", m)
	}

	counts := map[string]map[[2]string]float64{
		"exobench_time_to_first_token_seconds": clean, "exobench_time_per_output_token_seconds": clean,
		"exobench_request_duration_seconds": clean, "exobench_inter_token_latency_seconds": gaps,
	}
	for name, want := range counts {
		classic := byPrompt(p.At(t, when, `%s_count`, name))
		inf := byPrompt(p.At(t, when, `%s_bucket{le="+Inf"}`, name))
		native := byPrompt(p.At(t, when, `histogram_count(%s)`, name))
		for _, m := range models {
			for _, pr := range suite.Prompts {
				key := [2]string{m, pr.ID}
				equal(t, want[key], classic[key], "%s_count of %v and what was counted", name, key)
				equal(t, want[key], inf[key], "last bucket of %s of %v and what was counted", name, key)
				equal(t, want[key], native[key], "native count of %s of %v and what was counted", name, key)
			}
		}
	}
	ttft, ttftNative := byPrompt(p.At(t, when, `exobench_time_to_first_token_seconds_sum`)),
		byPrompt(p.At(t, when, `histogram_sum(exobench_time_to_first_token_seconds)`))
	itl, itlNative := byPrompt(p.At(t, when, `exobench_inter_token_latency_seconds_sum`)),
		byPrompt(p.At(t, when, `histogram_sum(exobench_inter_token_latency_seconds)`))
	for key, v := range decodeSeconds {
		near(t, prefillSeconds[key], ttft[key], 1e-6, "sum of the times to first token of %v and the seconds counted", key)
		near(t, ttft[key], ttftNative[key], 1e-6, "native and classic sum of the times to first token of %v", key)
		near(t, itl[key], itlNative[key], 1e-6, "native and classic sum of the gaps of %v", key)
		if gaps[key] == output[key]-clean[key] {
			near(t, v, itl[key], 1e-6, "sum of the gaps of %v and the seconds counted", key)
		} else if itl[key] > v {
			t.Errorf("%v: gaps of %g s within %g s of decoding", key, itl[key], v)
		}
	}
	if cycles == 1 { // the gauges show the last turn, the counters all of them
		gauge := byModel(p.At(t, when, `exobench_model_output_tokens_per_second`))
		for _, m := range models {
			var tokens, seconds float64
			for _, pr := range suite.Prompts {
				key := [2]string{m, pr.ID}
				tokens, seconds = tokens+decode[key], seconds+decodeSeconds[key]
			}
			// Requests in which client and server disagree by more than 5 % are in the counters alone.
			near(t, tokens/seconds, gauge[m], 0.05, "decode rate of %s and its counters", m)
		}
	}
}

// checkValues compares values with what they can be.
func checkValues(t *testing.T, p stack.Prometheus, when time.Time) {
	for _, query := range []string{
		// What is 1 in a demo that works.
		`exobench_simulated != 1`, `exobench_exo_up != 1`, `exobench_model_up != 1`, `exobench_model_info != 1`,
		`exobench_workload_info != 1`, `exobench_exo_info != 1`, `exobench_config_last_reload_successful != 1`,
		// What cannot be.
		`exobench_model_resident_memory_peak_bytes < exobench_model_resident_memory_bytes`,
		`exobench_model_resident_memory_delta_bytes > exobench_model_resident_memory_peak_bytes`,
		`exobench_model_resident_memory_bytes < 5e8`, // the smallest model's weights are larger
		`exobench_node_memory_bytes{state="available"} > on(node) exobench_node_memory_bytes{state="total"}`,
		`exobench_node_gpu_utilization_ratio < 0 or exobench_node_gpu_utilization_ratio > 1`,
		`abs(time() - exobench_last_success_timestamp_seconds) > 600`,
		`exobench_cycle_duration_seconds <= 0`,
		`exobench_exo_processes{role="node"} != 2`, // the main process and its resource tracker
		// Client and server look at the same stream.
		`abs(exobench_output_tokens_per_second / exobench_server_output_tokens_per_second - 1) > 0.2`,
	} {
		if got := p.At(t, when, "%s", query); len(got) > 0 {
			t.Errorf("%s: got %v, want nothing", query, got)
		}
	}
	for _, h := range histograms {
		for _, s := range p.At(t, when, "%s", h) {
			if s.Histogram == nil || len(s.Histogram.Buckets) == 0 {
				t.Errorf("%v is no native histogram with buckets", s.Metric)
			}
		}
	}
}

// checkRules asserts that no rule fails and that nothing fires, for a demo is a machine in
// good health. A rule whose group has a long interval may not have been evaluated yet.
func checkRules(t *testing.T, p stack.Prometheus) {
	result, err := p.API.Rules(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range result.Groups {
		for _, r := range group.Rules {
			switch r := r.(type) {
			case promapi.RecordingRule:
				if r.Health == promapi.RuleHealthBad {
					t.Errorf("recording rule %s is %s: %s", r.Name, r.Health, r.LastError)
				}
			case promapi.AlertingRule:
				if r.Health == promapi.RuleHealthBad {
					t.Errorf("alert %s is %s: %s", r.Name, r.Health, r.LastError)
				}
				if r.State == string(promapi.AlertStateFiring) {
					t.Errorf("alert %s fires: %v", r.Name, r.Alerts)
				}
			}
		}
	}
}

func byModel(v model.Vector) map[string]float64 {
	m := map[string]float64{}
	for _, s := range v {
		m[string(s.Metric["model"])] = float64(s.Value)
	}
	return m
}

func byPrompt(v model.Vector) map[[2]string]float64 {
	m := map[[2]string]float64{}
	for _, s := range v {
		m[[2]string{string(s.Metric["model"]), string(s.Metric["prompt"])}] = float64(s.Value)
	}
	return m
}

func equal(t *testing.T, want, got float64, what string, args ...any) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %g is not %g", fmt.Sprintf(what, args...), got, want)
	}
}

// near asserts that got differs from want by no more than a share of want.
func near(t *testing.T, want, got, share float64, what string, args ...any) {
	t.Helper()
	if math.Abs(got-want) > share*math.Abs(want) {
		t.Errorf("%s: %g is not %g (off by %.2f %%)", fmt.Sprintf(what, args...), got, want, 100*(got/want-1))
	}
}
