package exo

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim/ollamasim"
)

// ollamaNode is a node on which the simulated Ollama answers.
func ollamaNode(t *testing.T, o ollamasim.Options) (*fakeNode, *ollamasim.Server) {
	sim := ollamasim.New(o)
	routes := map[string]http.HandlerFunc{}
	for _, path := range []string{"/", "/api/version", "/api/tags", "/api/ps", "/v1/models"} {
		routes[path] = sim.ServeHTTP
	}
	n := newFakeNode(t, routes)
	n.direct = map[string]http.Handler{"/api/chat": sim}
	return n, sim
}

// auto finds Ollama's own API out, and what it tells is measured and handed on.
func TestOllama(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, sim := ollamaNode(t, ollamasim.Options{
			Models: []string{"llama3.2:1b"}, Load: 3 * time.Minute, Prefill: 200 * ms, Token: 10 * ms, Prompt: 40, Thoughts: 3,
		})
		c := n.client(nil)
		s, err := c.Open(t.Context(), workload.Model{Name: "llama-3.2-1b"})
		if err != nil || s.ExoModel() != "llama3.2:1b" || c.Dialect() != workload.DialectOllama {
			t.Fatalf("%v, dialect %s", err, c.Dialect())
		}
		warmup := request(8)
		warmup.Warmup = true
		if r := s.Measure(t.Context(), warmup); !r.OK() {
			t.Errorf("the warm-up, which loads the model: %s (%s)", r.Outcome, r.Err)
		}
		r := s.Measure(t.Context(), request(32))
		if !r.OK() || r.TTFT != 200*ms || r.TTFO != 230*ms || r.Decode != 310*ms || len(r.Gaps) != 31 || r.Endpoint != "chat" {
			t.Errorf("%s (%s): TTFT %v, TTFO %v, decode %v, %d gaps by %s", r.Outcome, r.Err, r.TTFT, r.TTFO, r.Decode, len(r.Gaps), r.Endpoint)
		}
		if r.OutputTokens != 32 || r.TokenSource != workload.TokensFromUsage || r.PromptTokens != 40 || r.FinishReason != "length" {
			t.Errorf("%d tokens by %s, prompt %d, finish %q", r.OutputTokens, r.TokenSource, r.PromptTokens, r.FinishReason)
		}
		if r.Server == nil || r.Server.GenerationTPS != 100 || r.Server.PromptTPS != 200 {
			t.Errorf("server figures %+v, want 100 and 200 tokens a second", r.Server)
		}
		asked := sim.Asked()
		last := asked[len(asked)-1]
		if o := last.Options; o.NumPredict != 32 || o.Seed == nil || *o.Seed != 42 || o.Temperature == nil || *o.Temperature != 0 ||
			!last.Stream {
			t.Errorf("asked %+v", last)
		}
		if !regexp.MustCompile(`^[0-9]{9}\n`).MatchString(last.Messages[0].Content) {
			t.Errorf("the prompt begins with %q, want a nonce", last.Messages[0].Content)
		}
		report := c.Check(t.Context(), workload.DefaultModels()[:2])
		if report.Err != nil || report.OK() || !report.Models[1].Loaded || !strings.Contains(report.Models[0].Note, "ollama pull llama3.1:8b") {
			t.Errorf("check: %+v", report)
		}
		if why := openError(t, c, workload.Model{Name: "mistral-7b"}); !strings.Contains(why, "ollama pull mistral:7b") {
			t.Errorf("reason %q does not say how to install the model", why)
		}
	})
}

func TestOllamaErrors(t *testing.T) {
	for _, tc := range []struct {
		name    string
		options ollamasim.Options
		outcome workload.Outcome
		words   string
	}{
		{
			"in the stream",
			ollamasim.Options{Models: []string{"org/m"}, Fail: "an error was encountered while running the model: CUDA error"},
			workload.OutcomeStreamError, "CUDA error",
		},
		{"in the place of the stream", ollamasim.Options{}, workload.OutcomeHTTPError, "model 'org/m' not found"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, _ := ollamaNode(t, tc.options)
				if r := n.session(workload.DialectOllama, nil).Measure(t.Context(), request(8)); r.Outcome != tc.outcome ||
					!strings.Contains(r.Err, tc.words) {
					t.Errorf("got %s (%q), want %s with %q", r.Outcome, r.Err, tc.outcome, tc.words)
				}
			})
		})
	}
}
