package exo_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo"
	"exo-bench-exporter/workload/exosim"
)

// question returns the i-th question of the canary for a model.
func question(model string, i int) workload.Request {
	c := workload.StandardCanary()
	return workload.Request{Model: model, Prompt: c.Prompts[i], Temperature: c.Temperature, Seed: c.Seed, Expect: &c.Expect[i]}
}

// askAll puts all questions to the model of s and returns how many were answered rightly, and the fingerprints.
func askAll(t *testing.T, s workload.Session, model string) (right int, prints []uint64) {
	t.Helper()
	for i := range workload.StandardCanary().Prompts {
		q := question(model, i)
		r := s.(workload.Asker).Ask(t.Context(), time.Now().Add(time.Hour), q)
		if !r.OK() || r.Verdict == "" || r.Contended || r.OutputTokens > 32 || r.Epoch.Nonce || r.Fingerprint == 0 {
			t.Errorf("%s: %s (%s), %d tokens, verdict %q, epoch %+v", q.Prompt.ID, r.Outcome, r.Err, r.OutputTokens, r.Verdict, r.Epoch)
		}
		if r.Verdict == workload.VerdictRight {
			right++
		}
		prints = append(prints, r.Fingerprint)
	}
	return right, prints
}

// A model that is well answers all questions, by every dialect; one that has lost its mind none, as fast; and each of its
// answers has another fingerprint.
func TestAskTheSimulator(t *testing.T) {
	for name, options := range map[string]exosim.Options{
		"HEAD": {}, "v1.0.71": {Variant: exosim.V1071}, "legacy": {Dialect: exosim.Exo0, MaxGenerateTokens: 64},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const model = "llama-3.2-1b"
				node, s := openSim(t, options, model, func(o *exo.Options) { o.FingerprintKey = func() []byte { return []byte("key") } })
				if r := s.Measure(t.Context(), workload.Request{Model: model, Prompt: shortPrompt, Warmup: true}); !r.OK() {
					t.Fatalf("warm-up: %s (%s)", r.Outcome, r.Err)
				}
				right, prints := askAll(t, s, model)
				again, repeated := askAll(t, s, model)
				if right != 10 || again != 10 {
					t.Errorf("%d and %d right answers", right, again)
				}
				for i := range prints {
					if prints[i] != repeated[i] {
						t.Errorf("question %d: another fingerprint", i)
					}
				}
				if _, err := node.Inject(exosim.Fault{Kind: exosim.Gibberish}); err != nil {
					t.Fatal(err)
				}
				right, broken := askAll(t, s, model)
				if right != 0 {
					t.Errorf("%d right answers of gibberish", right)
				}
				for i := range prints {
					if prints[i] == broken[i] {
						t.Errorf("question %d: the same fingerprint", i)
					}
				}
				r := s.Measure(t.Context(), workload.Request{Model: model, Prompt: shortPrompt})
				if sign, is := r.Sign(); !r.OK() || !is {
					t.Errorf("%s (%s), sign %q of %+v", r.Outcome, r.Err, sign, r.Signs)
				}
				node.Clear("")
				r = s.Measure(t.Context(), workload.Request{Model: model, Prompt: shortPrompt})
				if sign, is := r.Sign(); !r.OK() || is || r.Signs == nil || (r.Fingerprint != 0) == r.Epoch.Nonce {
					t.Errorf("%s (%s), sign %q of %+v, fingerprint %x", r.Outcome, r.Err, sign, r.Signs, r.Fingerprint)
				}
				if err := s.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

var shortPrompt = workload.Prompt{ID: "p", Kind: "chat", MaxTokens: 48, Messages: []workload.Message{
	{Role: "user", Content: strings.Repeat("Tell me more about the sea. ", 20)},
}}

// A model that thinks has not answered when its tokens are used up, which is neither right nor wrong.
func TestAskAModelThatThinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s := openSim(t, exosim.Options{AnswerTokens: 600}, "deepseek-r1")
		q := question("deepseek-r1", 0)
		q.Prompt.Messages = []workload.Message{{Role: "user", Content: "Why is the sea salty?"}}
		r := s.(workload.Asker).Ask(t.Context(), time.Now().Add(time.Hour), q)
		if !r.OK() || r.Verdict != workload.VerdictThought || r.Fingerprint != 0 {
			t.Errorf("%s (%s), verdict %q", r.Outcome, r.Err, r.Verdict)
		}
	})
}

// Others' work is waited for, as before a prompt, and no longer than the questions may take.
func TestAskABusyNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node, s := openSim(t, exosim.Options{}, "llama-3.2-1b")
		id, err := node.StartStranger("llama-3.2-1b", 2000) // some eight seconds
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		r := s.(workload.Asker).Ask(t.Context(), time.Now().Add(time.Hour), question("llama-3.2-1b", 0))
		truth, _ := node.Truth(id)
		if r.Verdict != workload.VerdictRight || r.Contended || truth.End == "" || r.Start.Before(truth.Received.Add(5*time.Second)) {
			t.Errorf("verdict %q, contended %v, at %s; the stranger's: %+v", r.Verdict, r.Contended, r.Start, truth)
		}
	})
}

// What ends is the waiting, and not an answer: a node may go on generating for a client that has hung up, as legacy exo does.
func TestAskUntil(t *testing.T) {
	const model = "llama-3.2-1b"
	t.Run("busy", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			node, s := openSim(t, exosim.Options{}, model)
			if _, err := node.StartStranger(model, 2000); err != nil { // some eight seconds
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			start := time.Now()
			r := s.(workload.Asker).Ask(t.Context(), start.Add(2*time.Second), question(model, 0))
			if took := time.Since(start); r.Outcome != workload.OutcomeCanceled || r.Err == "" || r.Prompt == "" || took != 2*time.Second {
				t.Errorf("%+v, after %s", r, took)
			}
			r = s.(workload.Asker).Ask(t.Context(), time.Now().Add(time.Minute), question(model, 0))
			if r.Verdict != workload.VerdictRight || r.Contended {
				t.Errorf("a later one: %s (%s), verdict %q", r.Outcome, r.Err, r.Verdict)
			}
		})
	})
	for name, options := range map[string]exosim.Options{"HEAD": {}, "legacy": {Dialect: exosim.Exo0, MaxGenerateTokens: 64}} {
		t.Run("in mid-answer, "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, s := openSim(t, options, model)
				if r := s.Measure(t.Context(), workload.Request{Model: model, Prompt: shortPrompt, Warmup: true}); !r.OK() {
					t.Fatalf("warm-up: %s (%s)", r.Outcome, r.Err)
				}
				until := time.Now().Add(5 * time.Millisecond)
				r := s.(workload.Asker).Ask(t.Context(), until, question(model, 0))
				if !time.Now().After(until) || r.Verdict != workload.VerdictRight {
					t.Errorf("%s (%s), verdict %q, after %s", r.Outcome, r.Err, r.Verdict, r.E2E)
				}
			})
		})
	}
	t.Run("a node that wants to be asked later", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			node, s := openSim(t, exosim.Options{}, model)
			if _, err := node.Inject(exosim.Fault{Kind: exosim.HTTPError, Status: http.StatusTooManyRequests, Count: 1000}); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			r := s.(workload.Asker).Ask(t.Context(), start.Add(5*time.Second), question(model, 0))
			if took := time.Since(start); r.Outcome != workload.OutcomeHTTPError || took > 5*time.Second || took < 2*time.Second {
				t.Errorf("%s (%s), after %s", r.Outcome, r.Err, took)
			}
		})
	})
}

// asking is a server of OpenAI's API that answers a question and keeps the bodies that it is sent.
type asking struct{ bodies []map[string]any }

func (a *asking) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := func(kind, text string) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(text)), Request: r,
		}, nil
	}
	if r.Method == http.MethodGet {
		return answer("application/json", `{"object":"list","data":[{"id":"m","object":"model"}]}`)
	}
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, err
	}
	a.bodies = append(a.bodies, body)
	return answer("text/event-stream", `data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"content":"The sum is \u0034"}}]}

data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"content":"2."}}]}

data: {"id":"1","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":3}}

data: [DONE]

`)
}

// Where a prompt's answer is kept from ending, that to a question is not; all of it comes at once, which does not matter.
func TestAskByOpenAIsAPI(t *testing.T) {
	node := &asking{}
	c, err := exo.New(exo.Options{BaseURL: "http://sim.test", Transport: node, StateDir: t.TempDir(), Dialect: workload.DialectOpenAI})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	s, err := c.Open(t.Context(), workload.Model{Name: "m"})
	if err != nil {
		t.Fatal(err)
	}
	q := question("m", 0)
	if r := s.(workload.Asker).Ask(t.Context(), time.Now().Add(time.Hour), q); !r.OK() || r.Verdict != workload.VerdictRight {
		t.Errorf("%s (%s), verdict %q", r.Outcome, r.Err, r.Verdict)
	}
	body := node.bodies[len(node.bodies)-1]
	if _, goesOn := body["ignore_eos"]; goesOn || body["min_tokens"] != nil || body["max_tokens"] != 32.0 || body["temperature"] != 0.0 {
		t.Errorf("asked %v", body)
	}
	said := body["messages"].([]any)[0].(map[string]any)["content"]
	if said != q.Prompt.Messages[0].Content {
		t.Errorf("the question was put as %q", said)
	}
}
