package e2e

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"exo-bench-exporter/e2e/internal/stack"
)

// report is what `once -json` prints, as far as the tests look at it. Times are in seconds.
type report struct {
	Simulated bool   `json:"simulated"`
	Dialect   string `json:"dialect"`
	Cycle     struct {
		Outcome string `json:"outcome"`
		Turns   []turn `json:"turns"`
	} `json:"cycle"`
}

type turn struct {
	Model     string  `json:"model"`
	ExoModel  string  `json:"exo_model"`
	Outcome   string  `json:"outcome"`
	Reason    string  `json:"reason"`
	Loaded    bool    `json:"loaded"`
	DecodeTPS float64 `json:"output_tokens_per_second"`
	TTFT      float64 `json:"median_time_to_first_token_seconds"`
	Memory    *struct {
		Median  uint64  `json:"median_bytes"`
		Peak    uint64  `json:"peak_bytes"`
		Before  *uint64 `json:"before_bytes"`
		Samples int     `json:"samples"`
	} `json:"resident_memory"`
	Results []result `json:"results"`
}

type result struct {
	Prompt       string   `json:"prompt"`
	ResponseID   string   `json:"response_id"`
	Outcome      string   `json:"outcome"`
	Error        string   `json:"error"`
	TTFT         *float64 `json:"time_to_first_token_seconds"`
	Decode       *float64 `json:"decode_seconds"`
	DecodeTPS    float64  `json:"output_tokens_per_second"`
	TokenEvents  int      `json:"token_events"`
	PromptTokens int      `json:"prompt_tokens"`
	CachedTokens int      `json:"cached_tokens"`
	OutputTokens int      `json:"output_tokens"`
	TokenSource  string   `json:"token_source"`
	Mismatch     bool     `json:"token_count_mismatch"`
	Finish       string   `json:"finish_reason"`
}

// once runs one cycle with `once -json` and asserts that everything went well: all models,
// every request of every one ok.
func once(t *testing.T, env ...string) report {
	t.Helper()
	begin := time.Now()
	out, status := stack.Run(t, env, stack.Exporter, "once", "-json")
	t.Logf("once took %.1f s", time.Since(begin).Seconds())
	var r report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("once -json printed no JSON document: %v\n%s", err, out)
	}
	if status != 0 || r.Cycle.Outcome != "ok" {
		t.Errorf("once ended with status %d, the cycle %q; want 0 and ok", status, r.Cycle.Outcome)
	}
	var seen []string
	for _, turn := range r.Cycle.Turns {
		seen = append(seen, turn.Model)
		if turn.Outcome != "ok" {
			t.Errorf("%s: turn is %s: %s", turn.Model, turn.Outcome, turn.Reason)
		}
		for _, res := range turn.Results {
			if res.Outcome != "ok" {
				t.Errorf("%s: %s is %s: %s", turn.Model, res.Prompt, res.Outcome, res.Error)
			}
		}
	}
	slices.Sort(seen)
	if want := slices.Sorted(slices.Values(models)); !slices.Equal(seen, want) {
		t.Errorf("models that were measured: %q, want %q", seen, want)
	}
	return r
}
