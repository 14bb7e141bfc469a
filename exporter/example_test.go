package exporter_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/workload"
)

// Every series exists from the start; an Observer feeds them with what the runner measures.
func ExampleNewMetrics() {
	reg := exporter.NewRegistry()
	metrics := exporter.NewMetrics(reg, exporter.Options{
		Models: []workload.Model{{Name: "mistral-7b"}}, Suite: workload.StandardSuite(), Interval: 15 * time.Minute,
	})
	exporter.NewObserver(metrics).RequestDone(workload.Result{
		Model: "mistral-7b", Prompt: "chat-short", Outcome: workload.OutcomeOK, Timed: true,
		TTFT: 200 * time.Millisecond, Decode: 700 * time.Millisecond, E2E: 900 * time.Millisecond,
		PromptTokens: 60, OutputTokens: 64, TokenEvents: 64, TokenSource: workload.TokensFromUsage,
	})

	w := httptest.NewRecorder()
	promhttp.HandlerFor(reg, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, `exobench_output_tokens_per_second{`) || strings.HasPrefix(
			line, `exobench_requests_total{model="mistral-7b",outcome="ok",prompt="chat-short"`,
		) {
			fmt.Print(line)
		}
	}
	// Output:
	// exobench_output_tokens_per_second{model="mistral-7b",prompt="chat-short"} 90
	// exobench_requests_total{model="mistral-7b",outcome="ok",prompt="chat-short"} 1
}
