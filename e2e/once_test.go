package e2e

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"testing"
	"time"

	"exo-bench-exporter/e2e/internal/stack"
	"exo-bench-exporter/workload"
)

const (
	// simSpeed is by how much the simulator runs faster than the machine that it models.
	simSpeed = 8
	// memoryScale is the share of a model's memory that the simulator's processes really hold.
	memoryScale = 0.02
)

// forms are the exos that the simulator can be, with what each lets an exporter see.
var forms = []struct {
	name    string
	args    []string
	env     []string
	dialect string
	runners bool // a process of its own for each model
}{
	{name: "exo 1.x, HEAD", args: []string{"-variant=head"}, dialect: "exo1", runners: true},
	{name: "exo 1.x, v1.0.71", args: []string{"-variant=v1.0.71"}, dialect: "exo1", runners: true},
	{
		name: "exo 0.0.x",
		// Legacy exo generates until the answer ends by itself or this limit is met, whatever
		// max_tokens says, which for most prompts is less. It knows neither Mistral 7B nor Qwen 1.5.
		args:    []string{"-dialect=exo0", "-max-generate-tokens=128"},
		env:     []string{"EXOBENCH_MODELS=llama-3.1-8b,llama-3.2-1b,mistral-7b=mistral-nemo,qwen-1.5-7b=qwen-2.5-7b,deepseek-r1"},
		dialect: "exo0",
	},
}

// startSimulator starts exo-sim and waits until it answers.
func startSimulator(t *testing.T, address string, args ...string) *stack.Process {
	t.Helper()
	p := stack.Start(t, nil, stack.Simulator, append([]string{"-listen=" + address, fmt.Sprintf("-memory-scale=%g", memoryScale)}, args...)...)
	stack.Eventually(
		t, 10*time.Second, 10*time.Millisecond, "the simulator answers", func() bool { return stack.Answers("http://" + address + "/_sim/") },
	)
	return p
}

// truth is what the simulator says that it did for one request.
type truth struct {
	TTFT   float64     `json:"ttft_seconds"`
	Tokens int         `json:"tokens"`
	Events int         `json:"token_events"`
	Prompt int         `json:"prompt_tokens"`
	Cached int         `json:"cached_tokens"`
	Done   time.Time   `json:"done"`
	End    string      `json:"end"`
	Writes []time.Time `json:"writes"` // when each token event was written; for one request only
}

// TestOnceAgreesWithSimulator measures the simulator in each of its forms, as a process of its
// own, and compares what the exporter saw with what the simulator did.
func TestOnceAgreesWithSimulator(t *testing.T) {
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			address := stack.FreeAddress(t)
			startSimulator(t, address, append(form.args, fmt.Sprintf("-speed=%d", simSpeed))...)
			report := once(t, append(form.env, "EXOBENCH_EXO_URL=http://"+address, "EXOBENCH_MEMORY_INTERVAL=50ms")...)
			if report.Dialect != form.dialect || !report.Simulated {
				t.Errorf("dialect %q, simulated %v; want %s and true", report.Dialect, report.Simulated, form.dialect)
			}
			for _, turn := range report.Cycle.Turns {
				checkTiming(t, address, turn)
				checkMemory(t, turn, form.runners)
			}
		})
	}
}

// checkTiming compares a turn with the simulator's own record of each of its requests: counts
// exactly, decode rates within 2 %, times to first token within 10 ms. The latter two hold for
// the middle one of the turn's requests, so that a machine that stalls for a moment, with both
// programs at work, does not decide; the figures of the whole turn are printed beside them.
func checkTiming(t *testing.T, address string, turn turn) {
	t.Helper()
	var rates, ttfts []float64 // how far off: a share, and seconds
	var tokens, decode float64
	maxTokens := map[string]int{}
	for _, p := range workload.StandardSuite().Prompts {
		maxTokens[p.ID] = p.MaxTokens
	}
	for _, r := range turn.Results {
		did := truthOf(t, address, r.ResponseID)
		// Legacy exo goes on past max_tokens; what comes then is not measured.
		generated, events := min(did.Tokens, maxTokens[r.Prompt]), min(did.Events, maxTokens[r.Prompt])
		if did.End != "ok" || r.OutputTokens != generated || r.TokenEvents != events || r.Mismatch != (events != generated) {
			t.Errorf("%s: %s: %d output tokens, %d token events, mismatch %v; the simulator generated %d in %d events, end %q",
				turn.Model, r.Prompt, r.OutputTokens, r.TokenEvents, r.Mismatch, did.Tokens, did.Events, did.End)
			continue
		}
		if r.PromptTokens != 0 && r.PromptTokens != did.Prompt || r.CachedTokens != did.Cached || r.CachedTokens > templateTokens {
			t.Errorf("%s: %s: %d prompt tokens, %d cached; the simulator had %d, %d, and may share only the chat template's head with earlier ones",
				turn.Model, r.Prompt, r.PromptTokens, r.CachedTokens, did.Prompt, did.Cached)
		}
		if r.TTFT == nil || r.DecodeTPS == 0 {
			t.Errorf("%s: %s is not timed", turn.Model, r.Prompt)
			continue
		}
		took := did.Writes[events-1].Sub(did.Writes[0]).Seconds()
		rates = append(rates, math.Abs(r.DecodeTPS*took/float64(generated-1)-1))
		ttfts = append(ttfts, math.Abs(*r.TTFT-did.TTFT))
		tokens, decode = tokens+float64(generated-1), decode+took
	}
	if len(rates) == 0 {
		return
	}
	t.Logf("%-12s decode rate off by %.3f %% in the middle, %.3f %% at most, %+.3f %% over the turn; TTFT by %.2f ms, %.2f ms at most",
		turn.Model, 100*median(rates), 100*slices.Max(rates), 100*(turn.DecodeTPS*decode/tokens-1), 1e3*median(ttfts), 1e3*slices.Max(ttfts))
	if off := median(rates); off > 0.02 {
		t.Errorf("%s: decode rates are off by %.1f %%, want at most 2 %%", turn.Model, 100*off)
	}
	if off := median(ttfts); off > 0.010 {
		t.Errorf("%s: TTFTs are off by %.1f ms, want at most 10 ms", turn.Model, 1e3*off)
	}
}

// templateTokens is the most that two prompts may have in common at their start: what the
// chat template puts before the nonce.
const templateTokens = 32

func truthOf(t *testing.T, address, id string) truth {
	t.Helper()
	body, err := stack.Get("http://" + address + "/_sim/truth?id=" + url.QueryEscape(id))
	if err != nil {
		t.Fatal(err)
	}
	var did truth
	if err := json.Unmarshal(body, &did); err != nil {
		t.Fatal(err)
	}
	return did
}

// weights and caches are the bytes that the simulator models for a model as a whole and for
// each token in a KV cache of it.
var (
	weights = map[string]float64{
		"llama-3.1-8b": 4.64e9, "llama-3.2-1b": 0.73e9, "mistral-7b": 4.1e9, "qwen-1.5-7b": 4.3e9, "deepseek-r1": 4.3e9,
	}
	caches = map[string]float64{
		"llama-3.1-8b": 131e3, "llama-3.2-1b": 33e3, "mistral-7b": 131e3, "qwen-1.5-7b": 524e3, "deepseek-r1": 57e3,
	}
)

// runnerOwn bounds what a runner's process holds without a model, in bytes.
const runnerOwn = 24e6

// checkMemory compares the resident memory that was attributed to a model with what the
// simulator's process for it holds.
func checkMemory(t *testing.T, turn turn, runners bool) {
	t.Helper()
	m := turn.Memory
	switch {
	case m == nil:
		t.Errorf("%s: no resident memory was seen", turn.Model)
	case m.Samples < 3 || m.Median == 0 || m.Peak < m.Median:
		t.Errorf("%s: %d samples, median %d and peak %d bytes", turn.Model, m.Samples, m.Median, m.Peak)
	case !runners:
		// The one process of the simulator; what it holds follows no model.
	case m.Before == nil:
		t.Errorf("%s: the memory before the load was not seen", turn.Model)
	default:
		tokens := 0.0 // at most so many are in KV caches, where prefixes of prompts are kept
		for _, r := range turn.Results {
			tokens += float64(r.PromptTokens + r.OutputTokens)
		}
		held, least := float64(m.Peak)-float64(*m.Before), memoryScale*weights[turn.Model]
		if most := least + memoryScale*caches[turn.Model]*tokens + runnerOwn; held < least || held > most {
			t.Errorf("%s: resident memory grew by %.1f MB to its peak, want %.1f to %.1f MB", turn.Model, held/1e6, least/1e6, most/1e6)
		}
	}
}

func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	if len(s)%2 == 1 {
		return s[len(s)/2]
	}
	return (s[len(s)/2-1] + s[len(s)/2]) / 2
}
