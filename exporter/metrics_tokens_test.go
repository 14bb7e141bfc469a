package exporter

import (
	"testing"

	"exo-bench-exporter/workload"
)

// What a server says of its speeds is in no series where it cannot be true; what the client saw is.
func TestServersRatesThatCannotBeTrue(t *testing.T) {
	m, reg := newTestMetrics(t, testOptions())
	r := okResult("llama-3.2-1b", "short")
	NewObserver(m).RequestDone(r)
	const labels = `{model="llama-3.2-1b",prompt="short"}`
	expect(t, reg, map[string]string{"server_output_tokens_per_second" + labels: "104", "server_prefill_tokens_per_second" + labels: "260"})
	r.Server = &workload.ServerStats{GenerationTPS: 1000, GenerationTokens: 5, PromptTPS: 100, PromptTokens: 50}
	NewObserver(m).RequestDone(r)
	expect(t, reg, map[string]string{
		"server_output_tokens_per_second" + labels:       "",
		"server_prefill_tokens_per_second" + labels:      "",
		"output_tokens_per_second" + labels:              "100",
		`rate_disagreements_total{model="llama-3.2-1b"}`: "1",
		"output_tokens_total" + labels:                   "10",
	})
}

// Tokens of which nobody knows how many they were are in no sum, and that is said.
func TestUnknownTokensAreCountedAsSuch(t *testing.T) {
	m, reg := newTestMetrics(t, testOptions())
	r := okResult("llama-3.2-1b", "short")
	r.TokenSource, r.SilentTokens, r.Gaps, r.Server, r.EnergyJoules = workload.TokensUnknown, r.OutputTokens, nil, nil, 3
	NewObserver(m).RequestDone(r)
	const labels = `{model="llama-3.2-1b",prompt="short"}`
	expect(t, reg, map[string]string{
		"output_tokens_total" + labels:                                     "0",
		"decode_tokens_total" + labels:                                     "0",
		"output_tokens_per_second" + labels:                                "",
		"tokens_per_event" + labels:                                        "",
		`token_counts_total{model="llama-3.2-1b",source="unknown"}`:        "1",
		`token_counts_total{model="llama-3.2-1b",source="events"}`:         "0",
		`energy_joules_total{model="llama-3.2-1b"}`:                        "",
		`energy_output_tokens_total{model="llama-3.2-1b"}`:                 "",
		`requests_total{model="llama-3.2-1b",outcome="ok",prompt="short"}`: "1",
	})
}
