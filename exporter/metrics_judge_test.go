package exporter

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload/judge"
)

// someVerdicts are of a node that is slower as a whole, a model that is and has slow prompts beside it, one
// that is learning, and one that is not configured.
func someVerdicts() []judge.Verdict {
	since := epoch.Add(-40 * time.Minute)
	slower := judge.Change{Ratio: -0.1, Low: -0.12, High: -0.08}
	return []judge.Verdict{
		{
			Quantity: judge.Decode, Change: slower, Evidence: 1.5, Cycles: 90,
			Alarms: []judge.Alarm{{Kind: judge.Drop, Since: since, Change: slower}},
		},
		{
			Model: "llama-3.2-1b", Quantity: judge.Decode, Change: slower, Latest: -0.11, Evidence: 1.7, Baseline: 245, Noise: 0.015, Cycles: 100,
			Alarms: []judge.Alarm{
				{Kind: judge.Drop, Since: since, Change: slower, Shared: true},
				{Kind: judge.Partial, Since: epoch, Change: judge.Change{Ratio: -0.3, Low: -0.3, High: -0.3}, Prompts: []string{"a", "b"}},
			},
		},
		{Model: "llama-3.2-1b", Quantity: judge.TTFT, Baseline: 0.25, Noise: 0.02, Cycles: 100},
		{Model: "mistral-7b", Quantity: judge.Decode, Baseline: 55, Cycles: 14, Learning: true},
	}
}

func TestVerdictsAreExported(t *testing.T) {
	opts := testOptions()
	now := someVerdicts()
	opts.Judge = func() []judge.Verdict { return now }
	_, reg := newTestMetrics(t, opts)
	const decode, ttft, mistral = `{model="llama-3.2-1b",quantity="decode"}`, `{model="llama-3.2-1b",quantity="ttft"}`,
		`{model="mistral-7b",quantity="decode"}`
	of := func(kind judge.Kind) string {
		return `{kind="` + string(kind) + `",model="llama-3.2-1b",quantity="decode"}`
	}
	expect(t, reg, map[string]string{
		"speed_change_ratio" + decode: "-0.1", "speed_change_low_ratio" + decode: "-0.12", "speed_change_high_ratio" + decode: "-0.08",
		"speed_last_cycle_change_ratio" + decode: "-0.11",
		"speed_change_evidence" + decode:         "1.7", "speed_baseline" + decode: "245", "speed_noise_ratio" + decode: "0.015",
		"judge_history_cycles" + decode: "100", "judge_learning" + decode: "0",
		"speed_alarm" + of(judge.Drop): "1", "speed_alarm" + of(judge.Partial): "1", "speed_alarm" + of(judge.Gain): "0",
		"speed_alarm" + of(judge.Collapse): "0", "speed_alarm_shared" + of(judge.Drop): "1", "speed_alarm_shared" + of(judge.Partial): "0",
		"speed_alarm_change_ratio" + of(judge.Drop): "-0.1", "speed_alarm_change_ratio" + of(judge.Partial): "-0.3",
		"speed_alarm_prompts" + of(judge.Drop): "", "speed_alarm_prompts" + of(judge.Partial): "2",
		"speed_alarm_change_ratio" + of(judge.Gain): "", "speed_alarm_shared" + of(judge.Gain): "",

		// Nothing was found.
		"speed_change_ratio" + ttft: "0", "speed_change_evidence" + ttft: "0", "speed_baseline" + ttft: "0.25",

		// Nothing is said while it learns but that it does.
		"speed_change_ratio" + mistral: "", "speed_change_low_ratio" + mistral: "", "speed_change_high_ratio" + mistral: "",
		"speed_last_cycle_change_ratio" + mistral: "",
		"speed_change_evidence" + mistral:         "", "speed_baseline" + mistral: "", "speed_noise_ratio" + mistral: "",
		"judge_history_cycles" + mistral: "14", "judge_learning" + mistral: "1",
		`speed_alarm{kind="drop",model="mistral-7b",quantity="decode"}`: "",

		`node_speed_change_ratio{quantity="decode"}`: "-0.1", `node_speed_change_evidence{quantity="decode"}`: "1.5",
		`node_speed_alarm{kind="drop",quantity="decode"}`: "1", `node_speed_alarm{kind="collapse",quantity="decode"}`: "0",
	})
	shown := series(t, reg)
	for name, at := range map[string]time.Time{
		"exobench_speed_alarm_since_timestamp_seconds" + of(judge.Drop):                    epoch.Add(-40 * time.Minute),
		"exobench_speed_alarm_since_timestamp_seconds" + of(judge.Partial):                 epoch,
		`exobench_node_speed_alarm_since_timestamp_seconds{kind="drop",quantity="decode"}`: epoch.Add(-40 * time.Minute),
	} {
		if parsed, err := strconv.ParseFloat(shown[name], 64); err != nil || parsed != unixSeconds(at) {
			t.Errorf("%s = %s, want %v", name, shown[name], unixSeconds(at))
		}
	}

	// What is not said any more vanishes.
	now = nil
	for name := range series(t, reg) {
		if strings.Contains(name, "_speed_") || strings.Contains(name, "_judge_") {
			t.Errorf("%s is still there", name)
		}
	}
}

func TestPageSaysHowSpeedsChanged(t *testing.T) {
	opts := testOptions()
	opts.Judge = someVerdicts
	s := NewStore(opts)
	goodTurn(s, "llama-3.2-1b")
	clock := epoch.Add(-40 * time.Minute).UTC().Format("15:04 UTC")
	expectPage(t, showPage(t, s), []string{
		"All models", ">10.0 % slower since " + clock + " (8.0 to 12.0 %), evidence 1.5 ×<",
		">10.0 % slower since " + clock + " (8.0 to 12.0 %), evidence 1.7 ×, as the whole node<", "2 prompts: 30.0 % slower since",
		"learning: 14 of 24 cycles",
	}, []string{"steady"})

	opts.Judge = func() []judge.Verdict {
		return []judge.Verdict{{Quantity: judge.Decode, Cycles: 90}, {Model: "llama-3.2-1b", Quantity: judge.Decode, Cycles: 90}}
	}
	s = NewStore(opts)
	goodTurn(s, "llama-3.2-1b")
	expectPage(t, showPage(t, s), []string{`<span class="good">steady</span>`}, []string{"All models", "slower"})
}
