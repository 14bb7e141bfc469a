package exporter

import (
	"flag"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"exo-bench-exporter/workload"
)

var update = flag.Bool("update", false, "write golden files instead of comparing with them")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// quiet is for what need not be logged.
var quiet = slog.New(slog.DiscardHandler)

// epoch is when everything in these tests begins.
var epoch = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func testOptions() Options {
	return Options{
		Target: "http://localhost:52415",
		Models: []workload.Model{{Name: "llama-3.2-1b"}, {Name: "mistral-7b", ExoID: "mlx-community/Mistral-7B-Instruct-v0.3-4bit"}},
		Suite: workload.Suite{
			Version: "test-1", Seed: 42,
			Prompts: []workload.Prompt{
				{ID: "short", Kind: "chat", MaxTokens: 3, Messages: []workload.Message{{Role: "user", Content: "Hello"}}},
				{ID: "long", Kind: "code", MaxTokens: 5, Messages: []workload.Message{{Role: "user", Content: "Write a loop"}}},
			},
		},
		Interval: 15 * time.Minute,
	}
}

// firstMethod is that of okResult.
var firstMethod = workload.Epoch{
	SHA256: strings.Repeat("5f", 32), Dialect: workload.DialectExo1, Endpoint: workload.EndpointV1, Nonce: true, Engine: "exo",
	Version: "1.0.71",
}

// okResult is a request that took 200 ms to its first token and then 10 ms for each of four more.
func okResult(model, prompt string) workload.Result {
	const gap = 10 * time.Millisecond
	return workload.Result{
		Model: model, ExoModel: "mlx-community/" + model, Prompt: prompt, Kind: "chat",
		Endpoint: workload.EndpointV1, Start: epoch, Outcome: workload.OutcomeOK, Timed: true, AskedTokens: 5, Epoch: firstMethod,
		TTFT: 200 * time.Millisecond, TTFO: 200 * time.Millisecond, Decode: 4 * gap, E2E: 200*time.Millisecond + 4*gap,
		Gaps: []time.Duration{gap, gap, gap, gap}, TokenEvents: 5, PromptTokens: 50, CachedTokens: 10, OutputTokens: 5,
		TokenSource: workload.TokensFromUsage, FinishReason: "length",
		Server: &workload.ServerStats{
			PromptTPS: 260, GenerationTPS: 104, PromptTokens: 50, GenerationTokens: 5, PeakMemoryBytes: 800e6, PrefixCacheHit: "none",
		},
	}
}

func failedResult(model, prompt string, outcome workload.Outcome) workload.Result {
	return workload.Result{Model: model, Prompt: prompt, Start: epoch, Outcome: outcome, Err: "it went wrong", Endpoint: workload.EndpointV1}
}

// turnOf is a good turn of the given results, in which the model was loaded and unloaded.
func turnOf(model string, outcome workload.TurnOutcome, results ...workload.Result) workload.Turn {
	return workload.Turn{
		Model: model, ExoModel: "mlx-community/" + model, Start: epoch, Duration: 8 * time.Second, Outcome: outcome,
		Load: workload.Load{Loaded: true, Duration: 3 * time.Second},
		Host: workload.Host{IdleWatts: 6.5, WeightsBytes: 4_500_000_000, MemoryBandwidth: 273e9},
		Memory: workload.Memory{
			Samples: 20, Median: 900e6, Peak: 1000e6, PeakSource: "samples",
			Before: 100e6, HasBefore: true, After: 130e6, HasAfter: true, Proportional: 800e6,
			Footprint: 950e6, FootprintPeak: 1010e6, FootprintKind: workload.FootprintPhysical, GPU: 700e6,
		},
		Conditions: hot(),
		Results:    results,
	}
}

// goodTurn plays a turn in which every prompt succeeds to o.
func goodTurn(o workload.Observer, model string) {
	results := []workload.Result{okResult(model, "short"), okResult(model, "long")}
	results[1].Sensors = warm()
	o.TurnStarted(model, epoch)
	for _, r := range results {
		o.RequestDone(r)
	}
	o.TurnDone(turnOf(model, workload.TurnOK, results...))
}
