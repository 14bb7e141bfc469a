package conformance

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo"
	"exo-bench-exporter/workload/exosim"
)

// dummy is the model of legacy exo's dummy engine: ten tokens for every prompt.
var dummy = exosim.Profile{LegacyID: "dummy", WeightsBytes: 1 << 20, DecodeTPS: 1000, PrefillTPS: 10_000, Layers: 8, Family: "llama"}

// legacyOptions make a simulated node like the one that was recorded.
func legacyOptions() exosim.Options {
	return exosim.Options{Dialect: exosim.Exo0, Profiles: []exosim.Profile{dummy}, AnswerTokens: 10}
}

const dummyChat = `{"model":"dummy","messages":[{"role":"user","content":"hi"}]`

// unsupported is a model of the registry that the engine has no weights for.
var unsupported = exosim.Profile{LegacyID: "llama-3.2-1b", Family: "other"}

// legacyCases are the recordings of legacy exo.
var legacyCases = []recorded{
	{name: "healthcheck", method: "GET", path: "/healthcheck"},
	{name: "models", method: "GET", path: "/v1/models"},
	{name: "initial_models", method: "GET", path: "/initial_models"},
	{name: "topology", method: "GET", path: "/topology"},
	{name: "v1-topology", method: "GET", path: "/v1/topology"},
	{name: "node_id-404", method: "GET", path: "/node_id"},
	{name: "state-404", method: "GET", path: "/state"},
	{name: "bench-404", method: "POST", path: "/bench/chat/completions", body: dummyChat + `}`},
	{name: "v1-badjson", method: "POST", path: "/v1/chat/completions", body: `{nope`},
	{name: "v1-json", method: "POST", path: "/v1/chat/completions", body: dummyChat + `}`},
	{name: "v1-stream", method: "POST", path: "/v1/chat/completions", body: dummyChat + `,"stream":true}`},
	{
		name: "v1-unknown", method: "POST", path: "/v1/chat/completions",
		body: `{"model":"no-such","messages":[{"role":"user","content":"hi"}],"stream":true}`,
	},
	{
		name: "v1-unsupported", method: "POST", path: "/v1/chat/completions",
		body:    `{"model":"llama-3.2-1b","messages":[]}`,
		options: exosim.Options{Engine: exosim.Tinygrad, Profiles: []exosim.Profile{dummy, unsupported}},
	},
}

// The simulated legacy exo answers as the recorded one did.
func TestSimulatorAnswersLikeLegacyRecordings(t *testing.T) {
	used, covered := map[string]bool{}, map[string]bool{}
	for _, c := range legacyCases {
		covered["legacy/"+c.name] = true
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := legacyOptions()
				if c.options.Profiles != nil {
					o.Profiles, o.Engine = c.options.Profiles, c.options.Engine
				}
				s := &scene{t, "legacy", exosim.New(o)}
				defer s.node.Close()
				compareAnswers(t, s.answer(c), load(t, "legacy", c.name), used)
			})
		})
	}
	wantCovered(t, "legacy", covered)
}

// The client reads a stream of legacy exo, whose tokens here come 10 ms apart: the recorder
// noted no times, because the dummy engine takes none.
func TestClientReadsLegacyRecording(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := framed(load(t, "legacy", "v1-stream"), 10*time.Millisecond)
		node := exosim.New(legacyOptions())
		defer node.Close()
		c, err := exo.New(exo.Options{
			BaseURL: "http://node.test", StateDir: t.TempDir(),
			Transport: &replay{node: node.Transport(), answers: map[string]transcript{"/v1/chat/completions": tr}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		s, err := c.Open(t.Context(), workload.Model{Name: "m", ExoID: "dummy"})
		if err != nil {
			t.Fatal(err)
		}
		r := s.Measure(t.Context(), workload.Request{Model: "m", Prompt: workload.Prompt{
			ID: "p", MaxTokens: 10, Messages: []workload.Message{{Role: "user", Content: "hi"}},
		}})
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if !r.OK() || c.Dialect() != workload.DialectExo0 || r.FinishReason != "stop" || r.TTFT != 10*time.Millisecond || r.Answered != "dummy" {
			t.Errorf("%s (%s) by %s, finish %q, TTFT %v, answered by %q", r.Outcome, r.Err, c.Dialect(), r.FinishReason, r.TTFT, r.Answered)
		}
		// The last of the ten events is the end-of-sequence token.
		if r.TokenEvents != 10 || r.OutputTokens != 10 {
			t.Errorf("%d tokens in %d events", r.OutputTokens, r.TokenEvents)
		}
	})
}

// framed returns a transcript, whose recorder had taken the framing off, with each event in
// a chunk of its own that comes every so often.
func framed(tr transcript, every time.Duration) transcript {
	head := tr.raw[:len(tr.raw)-len(afterHead(tr.raw))]
	tr.raw, tr.reads = slices.Clone(head), []read{{every, len(head)}}
	add := func(chunk string) {
		tr.raw = append(tr.raw, chunk...)
		tr.reads = append(tr.reads, read{time.Duration(len(tr.reads)) * every, len(chunk)})
	}
	before := 0
	for _, e := range events(tr.body) {
		add(fmt.Sprintf("%x\r\n%s\r\n", e.end+1-before, tr.body[before:e.end+1]))
		before = e.end + 1
	}
	add("0\r\n\r\n")
	return tr
}
