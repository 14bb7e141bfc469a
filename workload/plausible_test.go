package workload

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"
)

func plausiblePrompt() Prompt {
	return Prompt{ID: "p", Kind: "chat", MaxTokens: 32, Messages: []Message{{Role: "user", Content: strings.Repeat("a", 100)}}}
}

func plausibleResult() Result {
	return Result{
		Model: "m", Prompt: "p", Outcome: OutcomeOK, Timed: true,
		TTFT: 100 * time.Millisecond, TTFO: 110 * time.Millisecond, Decode: 310 * time.Millisecond, E2E: 410 * time.Millisecond,
		Gaps: []time.Duration{10 * time.Millisecond}, TokenEvents: 32, PromptTokens: 40, OutputTokens: 32, TokenSource: TokensFromUsage,
		Server: &ServerStats{PromptTPS: 400, GenerationTPS: 100, PromptTokens: 40, GenerationTokens: 32, PeakMemoryBytes: 1 << 30},
	}
}

func TestCheckFindsWhatCannotBeTrue(t *testing.T) {
	if err := plausibleResult().Check(plausiblePrompt()); err != nil {
		t.Fatalf("a good result is refused: %v", err)
	}
	for name, spoil := range map[string]func(*Result){
		"connect seconds":           func(r *Result) { r.Connect = -1 },
		"time to first token":       func(r *Result) { r.TTFT = r.E2E + 1 },
		"time to first output":      func(r *Result) { r.TTFO = -1 },
		"decode seconds":            func(r *Result) { r.Decode = r.E2E + 1 },
		"request seconds":           func(r *Result) { r.E2E = 100 * time.Hour },
		"stalled seconds":           func(r *Result) { r.Stalled = -1 },
		"stamp lateness":            func(r *Result) { r.StampLateness = []time.Duration{0, -1} },
		"token events":              func(r *Result) { r.TokenEvents = -1 },
		"output tokens":             func(r *Result) { r.OutputTokens = 33 },
		"tokens of the first event": func(r *Result) { r.FirstTokens = 33 },
		"silent tokens":             func(r *Result) { r.SilentTokens = -1 },
		"coalesced events":          func(r *Result) { r.Coalesced = 33 },
		"decode seconds off":        func(r *Result) { r.DecodeOff = -1e6 * time.Hour },
		"withheld gaps":             func(r *Result) { r.Withheld = 1_000_000 },
		"prompt tokens":             func(r *Result) { r.PromptTokens = 1e9 },
		"cached tokens":             func(r *Result) { r.CachedTokens = 41 },
		"energy":                    func(r *Result) { r.EnergyJoules = math.NaN() },
		"time to first token of 0s": func(r *Result) { r.TTFT, r.TTFO, r.Decode, r.Gaps = 0, 0, r.E2E, nil },
		"inter-token latency":       func(r *Result) { r.Gaps = append(r.Gaps, 0) },
		"decode rate":               func(r *Result) { r.Decode, r.Gaps = 1, nil },
		"server's decode rate":      func(r *Result) { r.Server.GenerationTPS = math.Inf(1) },
		"server's prefill rate":     func(r *Result) { r.Server.PromptTPS = -1 },
		"server's output tokens":    func(r *Result) { r.Server.GenerationTokens = -1 },
		"server's prompt tokens":    func(r *Result) { r.Server.PromptTokens = -1 },
		"server's peak memory":      func(r *Result) { r.Server.PeakMemoryBytes = math.MaxUint64 },
	} {
		r := plausibleResult()
		spoil(&r)
		err := r.Check(plausiblePrompt())
		if err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// liar is a session whose results cannot be true.
type liar struct{ Session }

func (liar) Measure(context.Context, Request) Result {
	r := plausibleResult()
	r.OutputTokens, r.EnergyJoules, r.ResponseID = 1_000_000_000, math.Inf(1), "c-1"
	return r
}

func TestRunnerHandsOnNoImplausibleResult(t *testing.T) {
	suite := Suite{Version: "v", Prompts: []Prompt{plausiblePrompt()}}
	r := NewRunner(RunnerOptions{Suite: suite})
	got := r.put(t.Context(), liar{}, Request{Model: "m", Prompt: suite.Prompts[0]})
	if got.Outcome != OutcomeProtocolError || !strings.Contains(got.Err, "output tokens") || got.ResponseID != "c-1" {
		t.Errorf("got %s, %q, id %q", got.Outcome, got.Err, got.ResponseID)
	}
	if got.OutputTokens != 0 || got.EnergyJoules != 0 || got.Timed || got.TTFT != 0 || got.Server != nil {
		t.Errorf("figures are left: %+v", got)
	}
	if got.AskedTokens != 32 || got.Epoch.SHA256 != suite.SHA256() {
		t.Errorf("asked %d under %q", got.AskedTokens, got.Epoch.SHA256)
	}
}

func TestMarksOfAResult(t *testing.T) {
	for mark, set := range map[Mark]func(*Result){
		"":               func(*Result) {},
		MarkContended:    func(r *Result) { r.Contended = true },
		MarkStarved:      func(r *Result) { r.Starved = true },
		MarkDisagreement: func(r *Result) { r.Server.GenerationTPS = 106 },
		MarkLate:         func(r *Result) { r.DecodeOff = -time.Millisecond },
		MarkCoalesced:    func(r *Result) { r.Coalesced = 1 },
		MarkShort:        func(r *Result) { r.AskedTokens = 33 },
		MarkOverran:      func(r *Result) { r.Overran = true },
		MarkDisbelieved:  func(r *Result) { r.Disbelieved = []string{"prompt tokens"} },
	} {
		r := plausibleResult()
		set(&r)
		marks := r.Marks()
		if mark == "" && len(marks) > 0 || mark != "" && (len(marks) != 1 || marks[0] != mark) {
			t.Errorf("%q: marked %q", mark, marks)
		}
		if clean := mark != MarkContended && mark != MarkStarved; r.Clean() != clean {
			t.Errorf("%q: clean is %v", mark, r.Clean())
		}
	}
}

// An event carries one token, or several; the end that came without one is none of its.
func TestTokensPerEvent(t *testing.T) {
	for _, tt := range []struct {
		tokens, silent, events int
		want                   float64
		known                  bool
	}{
		{32, 0, 32, 1, true},
		{33, 1, 32, 1, true}, // the end, which came without an event
		{32, 0, 8, 4, true},
		{0, 0, 0, 0, false},
		{1, 1, 0, 0, false},
		{1, 1, 1, 0, false},
	} {
		r := Result{OutputTokens: tt.tokens, SilentTokens: tt.silent, TokenEvents: tt.events}
		if got, known := r.TokensPerEvent(); got != tt.want || known != tt.known {
			t.Errorf("%d tokens, %d of them silent, by %d events: %v an event (%t), want %v (%t)",
				tt.tokens, tt.silent, tt.events, got, known, tt.want, tt.known)
		}
	}
}

// Of a short answer the server's rate may count the first token.
func TestRateDisagreesLessOfFewTokens(t *testing.T) {
	for _, tc := range []struct {
		tokens int
		server float64
		want   bool
	}{{11, 100, false}, {11, 110, false}, {11, 118, true}, {11, 90, true}, {32, 103, false}, {32, 110, true}} {
		r := plausibleResult() // 100 tokens a second
		r.OutputTokens, r.Decode, r.Server = tc.tokens, time.Duration(tc.tokens-1)*10*time.Millisecond, &ServerStats{GenerationTPS: tc.server}
		if got := r.RateDisagrees(); got != tc.want {
			t.Errorf("%d tokens at 100 a second, the server says %v: disagrees %v", tc.tokens, tc.server, got)
		}
	}
}

func TestTokensWithoutTimeMakeNoRate(t *testing.T) {
	r := plausibleResult() // 31 tokens in 310 ms
	r.Server = nil
	for name, tt := range map[string]struct {
		set  func(*Result)
		want float64
	}{
		"an event a token":      {func(*Result) {}, 100},
		"four in the first":     {func(r *Result) { r.FirstTokens = 4 }, 28 / .31},
		"an end token counted":  {func(r *Result) { r.SilentTokens = 1 }, 30 / .31},
		"all in the first":      {func(r *Result) { r.FirstTokens = 32 }, 0},
		"more silent than left": {func(r *Result) { r.SilentTokens = 32 }, 0},
	} {
		got := r
		tt.set(&got)
		rate, _ := got.DecodeRate()
		if math.Abs(rate-tt.want) > 1e-9 {
			t.Errorf("%s: %g tokens per second, want %g", name, rate, tt.want)
		}
	}
}
