package exporter

import (
	"strings"
	"testing"

	"exo-bench-exporter/workload"
)

func TestSeriesVanishWithTheModel(t *testing.T) {
	m, reg := newTestMetrics(t, testOptions())
	observeSequence(m)
	opts := testOptions()
	opts.Models = append(opts.Models[:1:1], workload.Model{Name: "new"})
	m.Apply(opts)
	// what comes late from a turn that was running does not bring the series back
	goodTurn(NewObserver(m), "mistral-7b")
	got := exposition(t, reg)
	if strings.Contains(got, `"mistral-7b"`) {
		t.Error("series of mistral-7b are left, which is not configured any more")
	}
	expect(t, reg, map[string]string{
		`requests_total{model="new",outcome="ok",prompt="short"}`:                        "0",
		`requests_total{model="llama-3.2-1b",outcome="ok",prompt="short"}`:               "1",
		`model_output_tokens_per_second{model="llama-3.2-1b"}`:                           "100",
		`time_to_first_token_seconds_count{model="llama-3.2-1b",prompt="short"}`:         "1",
		`model_good_cycles_total{epoch="` + firstMethod.ID() + `",model="llama-3.2-1b"}`: "1",
	})
}

func TestWorkloadChange(t *testing.T) {
	m, reg := newTestMetrics(t, testOptions())
	o := NewObserver(m)
	goodTurn(o, "llama-3.2-1b")
	old := testOptions()
	opts := testOptions()
	opts.Suite.Version = "test-2"
	opts.Suite.Prompts = append(opts.Suite.Prompts[:1:1], workload.Prompt{ID: "other", Kind: "chat", MaxTokens: 3})
	m.Apply(opts)
	o.RequestDone(okResult("llama-3.2-1b", "long")) // a prompt of the old workload
	if strings.Contains(exposition(t, reg), `prompt="long"`) {
		t.Error("series of the prompt long are left, which is not in the suite any more")
	}
	expect(t, reg, absent(promptGauges))
	expect(t, reg, absent(turnGauges))
	expect(t, reg, map[string]string{
		`workload_info{sha256="` + old.Suite.SHA256() + `",version="test-1"}`:  "",
		`workload_info{sha256="` + opts.Suite.SHA256() + `",version="test-2"}`: "1",
		`requests_total{model="llama-3.2-1b",outcome="ok",prompt="short"}`:     "1",
		`requests_total{model="llama-3.2-1b",outcome="ok",prompt="other"}`:     "0",
		`model_up{model="llama-3.2-1b"}`:                                       "1",
	})
}

func TestApplyKeepsWhatIsStillTrue(t *testing.T) {
	m, reg := newTestMetrics(t, testOptions())
	observeSequence(m)
	before := exposition(t, reg)
	m.Apply(testOptions())
	if after := exposition(t, reg); after != before {
		t.Errorf("applying the same configuration changed the series:\n%s", firstDifference(after, before))
	}
	opts := testOptions()
	opts.Simulated, opts.Interval = true, 0
	m.Apply(opts)
	expect(t, reg, map[string]string{"simulated": "1", "cycle_interval_seconds": "0"})
	expect(t, reg, turnGauges)
}
