package workload

import (
	"encoding/json"
	"math"
	"testing"
	"time"
)

func timed(n int, ttft, decode time.Duration) Result {
	return Result{
		Model: "m", Prompt: "p", Outcome: OutcomeOK, Timed: true, TTFT: ttft, TTFO: ttft, Decode: decode,
		E2E: ttft + decode, TokenEvents: n, OutputTokens: n, PromptTokens: 100, CachedTokens: 20,
	}
}

func TestResultRates(t *testing.T) {
	r := timed(11, 400*time.Millisecond, 500*time.Millisecond)
	if got, ok := r.DecodeRate(); !ok || got != 20 {
		t.Errorf("decode rate %v %v, want 10 tokens / 0.5 s = 20", got, ok)
	}
	if got, ok := r.TPOT(); !ok || got != 50*time.Millisecond {
		t.Errorf("TPOT %v %v, want 50ms", got, ok)
	}
	if got, ok := r.PrefillRate(); !ok || got != 200 {
		t.Errorf("prefill rate %v %v, want 80 uncached tokens / 0.4 s = 200", got, ok)
	}
}

func TestResultRatesAreUndefinedRatherThanWrong(t *testing.T) {
	for name, r := range map[string]Result{
		"one token":       timed(1, time.Second, 0),
		"all at once":     timed(10, time.Second, 0),
		"not timed":       {Outcome: OutcomeOK, OutputTokens: 10, E2E: time.Second, PromptTokens: 10},
		"nothing arrived": {Outcome: OutcomeEmpty, Timed: true},
	} {
		if v, ok := r.DecodeRate(); ok {
			t.Errorf("%s: decode rate %v", name, v)
		}
		if v, ok := r.TPOT(); ok {
			t.Errorf("%s: TPOT %v", name, v)
		}
	}
	r := timed(10, time.Second, time.Second)
	r.CachedTokens = r.PromptTokens
	if v, ok := r.PrefillRate(); ok {
		t.Errorf("a wholly cached prompt has prefill rate %v", v)
	}
}

func TestTurnFigures(t *testing.T) {
	failed := timed(100, time.Hour, time.Second)
	failed.Outcome = OutcomeTruncated
	contended := timed(100, time.Hour, time.Second)
	contended.Contended = true
	turn := Turn{Results: []Result{
		timed(11, 100*time.Millisecond, time.Second), // 10 tokens in 1 s
		failed, contended,
		timed(91, 300*time.Millisecond, time.Second), // 90 tokens in 1 s
		timed(1, 200*time.Millisecond, 0),            // no decode at all
	}}
	if got, ok := turn.DecodeRate(); !ok || got != 50 {
		t.Errorf("turn decode rate %v %v, want (10+90)/(1+1) = 50", got, ok)
	}
	if got, ok := turn.MedianTTFT(); !ok || got != 200*time.Millisecond {
		t.Errorf("turn TTFT %v %v, want 200ms", got, ok)
	}
	if _, ok := (Turn{}).DecodeRate(); ok {
		t.Error("an empty turn has no decode rate")
	}
	if _, ok := (Turn{}).MedianTTFT(); ok {
		t.Error("an empty turn has no TTFT")
	}
}

func TestQuantile(t *testing.T) {
	in := []time.Duration{40, 10, 30, 20}
	for q, want := range map[float64]time.Duration{0: 10, 0.5: 25, 1: 40, 0.25: 17} {
		if got, ok := Quantile(in, q); !ok || got != want {
			t.Errorf("Quantile(%v) = %v %v, want %v", q, got, ok, want)
		}
	}
	if in[0] != 40 {
		t.Error("Quantile sorted the caller's slice")
	}
}

func TestJSONGivesSecondsAndLeavesOutWhatIsUnknown(t *testing.T) {
	r := timed(11, 400*time.Millisecond, 500*time.Millisecond)
	r.Gaps = []time.Duration{50 * time.Millisecond}
	turn := Turn{Model: "m", Outcome: TurnOK, Results: []Result{r, {Outcome: OutcomeHTTPError, Err: "HTTP 500"}}}
	watched := turn
	watched.Memory = Memory{
		Samples: 3, Median: 9, Peak: 10, PeakSource: "samples", Proportional: 7,
		Footprint: 8, FootprintPeak: 11, FootprintKind: FootprintPhysical, GPU: 12,
	}
	b, err := json.Marshal(Cycle{Outcome: TurnOK, Turns: []Turn{turn, watched}})
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Turns []struct {
			TPS     float64          `json:"output_tokens_per_second"`
			Memory  map[string]any   `json:"resident_memory"`
			Results []map[string]any `json:"results"`
		} `json:"turns"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	got := doc.Turns[0]
	if math.Abs(got.TPS-20) > 1e-9 || got.Memory != nil {
		t.Errorf("turn: %+v", got)
	}
	if mem := doc.Turns[1].Memory; mem["proportional_bytes"] != 7.0 || mem["footprint_bytes"] != 8.0 ||
		mem["footprint_peak_bytes"] != 11.0 || mem["footprint_kind"] != "physical" || mem["gpu_bytes"] != 12.0 || mem["before_bytes"] != nil {
		t.Errorf("memory: %v", mem)
	}
	if got.Results[0]["time_to_first_token_seconds"] != 0.4 || got.Results[0]["output_tokens_per_second"] != 20.0 {
		t.Errorf("result: %v", got.Results[0])
	}
	for _, key := range []string{"time_to_first_token_seconds", "output_tokens_per_second", "server"} {
		if v, there := got.Results[1][key]; there {
			t.Errorf("a failed request has %s = %v", key, v)
		}
	}
}
