package e2e

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"exo-bench-exporter/e2e/internal/stack"
	"exo-bench-exporter/workload"
)

// llamaAlias is the name under which llama.cpp's server knows its model.
const llamaAlias = "tiny-random"

// llamaServer returns the paths of llama.cpp's server and of the model that it is to serve,
// the latter as the server sees it.
func llamaServer(t *testing.T) (server, model string) {
	t.Helper()
	server, model = os.Getenv("E2E_LLAMA_SERVER"), os.Getenv("E2E_LLAMA_MODEL")
	switch {
	case server == "" && model == "":
		return stack.Tool(t, "llama-server"), "/tiny.gguf"
	case server == "" || model == "":
		t.Fatal("E2E_LLAMA_SERVER and E2E_LLAMA_MODEL go together: set both, or neither to use what e2e/tools/install.sh installs")
	}
	return server, model
}

// TestLlamaServer measures an inference engine that nobody here wrote, as five models, and
// compares every count with two others: the usage that the engine reports in its answers, as
// a proxy in between reads it, and the counters on the engine's own /metrics.
func TestLlamaServer(t *testing.T) {
	server, file := llamaServer(t)
	address := stack.FreeAddress(t)
	host, port, _ := net.SplitHostPort(address)
	llama := stack.Start(t, nil, server, "--model", file, "--alias", llamaAlias, "--host", host, "--port", port,
		"--metrics", "--parallel", "1", "--threads", "1", "--offline")
	stack.Eventually(t, 60*time.Second, 20*time.Millisecond, "llama-server is ready", func() bool {
		if !llama.Alive() {
			t.Fatal("llama-server has ended")
		}
		return stack.Answers("http://" + address + "/health")
	})

	proxy := startRecorder(t, "http://"+address)
	report := once(t, "EXOBENCH_EXO_URL="+proxy.URL, "EXOBENCH_DIALECT=openai",
		"EXOBENCH_MODELS="+strings.Join(models, "="+llamaAlias+",")+"="+llamaAlias,
		fmt.Sprintf("EXOBENCH_EXO_PID=%d", llama.Cmd.Process.Pid))

	usage := map[string]answer{}
	var completion, prompt, cached int
	for _, a := range proxy.seen() {
		usage[a.ID] = a
		completion += a.Usage.CompletionTokens
		prompt += a.Usage.PromptTokens
		cached += a.Usage.Details.CachedTokens
	}
	if report.Dialect != "openai" || report.Simulated {
		t.Errorf("dialect %q, simulated %v; want openai and false", report.Dialect, report.Simulated)
	}
	suite := workload.StandardSuite()
	questions := (len(models) - 1) * len(workload.StandardCanary().Prompts) // deepseek-r1 thinks, and is not asked
	if want := len(models)*(1+len(suite.Prompts)) + questions; len(usage) != want {
		t.Errorf("the engine answered %d requests, want %d: warm-ups, prompts and questions", len(usage), want)
	}
	for _, turn := range report.Cycle.Turns {
		if len(turn.Results) != len(suite.Prompts) {
			t.Errorf("%s: %d results, want %d", turn.Model, len(turn.Results), len(suite.Prompts))
		}
		for i, r := range turn.Results {
			checkLlamaResult(t, turn.Model, r, suite.Prompts[i], usage[r.ResponseID])
		}
		if turn.Memory == nil || turn.Memory.Peak < 1<<20 {
			t.Errorf("%s: no resident memory of the engine was seen: %+v", turn.Model, turn.Memory)
		}
	}

	counters := scrapeCounters(t, "http://"+address+"/metrics")
	for name, want := range map[string]int{
		"llamacpp:tokens_predicted_total": completion,
		"llamacpp:prompt_tokens_total":    prompt - cached,
	} {
		if got, ok := counters[name]; !ok || got != float64(want) {
			t.Errorf("the engine's %s is %g (there: %v), its answers add up to %d", name, got, ok, want)
		}
	}
}

func checkLlamaResult(t *testing.T, name string, r result, p workload.Prompt, a answer) {
	t.Helper()
	if a.Usage == nil {
		t.Errorf("%s: %s: the engine's answers include none with id %q", name, r.Prompt, r.ResponseID)
		return
	}
	if r.Prompt != p.ID {
		t.Errorf("%s: result of %s where %s was due", name, r.Prompt, p.ID)
	}
	if r.PromptTokens != a.Usage.PromptTokens || r.OutputTokens != a.Usage.CompletionTokens || r.CachedTokens != a.Usage.Details.CachedTokens {
		t.Errorf("%s: %s: %d prompt tokens (%d cached), %d output tokens; the engine's usage says %d (%d), %d",
			name, r.Prompt, r.PromptTokens, r.CachedTokens, r.OutputTokens, a.Usage.PromptTokens,
			a.Usage.Details.CachedTokens, a.Usage.CompletionTokens)
	}
	if r.TokenSource != "usage" || r.Mismatch || r.TokenEvents != r.OutputTokens {
		t.Errorf("%s: %s: %d token events, %d output tokens from %q", name, r.Prompt, r.TokenEvents, r.OutputTokens, r.TokenSource)
	}
	if r.OutputTokens != p.MaxTokens || r.Finish != "length" {
		t.Errorf("%s: %s: %d output tokens, finish reason %q; want %d and length", name, r.Prompt, r.OutputTokens, r.Finish, p.MaxTokens)
	}
	if r.CachedTokens > templateTokens {
		t.Errorf("%s: %s: %d prompt tokens came from the engine's prefix cache", name, r.Prompt, r.CachedTokens)
	}
	if r.TTFT == nil || *r.TTFT <= 0 || r.DecodeTPS <= 0 {
		t.Errorf("%s: %s: not timed: %+v", name, r.Prompt, r)
	}
}

// scrapeCounters returns the counters without labels of an exposition.
func scrapeCounters(t *testing.T, url string) map[string]float64 {
	t.Helper()
	body, err := stack.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	counters := map[string]float64{}
	for name, family := range families {
		if m := family.GetMetric(); len(m) == 1 {
			counters[name] = m[0].GetCounter().GetValue()
		}
	}
	return counters
}
