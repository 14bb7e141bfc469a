package conformance

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo"
	"exo-bench-exporter/workload/exosim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Streams that are not ok, and what they are.
var outcomes = map[string]workload.Outcome{
	"v1-stream-instance-deleted": workload.OutcomeTruncated,
	"v1-stream-runner-killed":    workload.OutcomeStreamError,
	"v1-stream-must-fail":        workload.OutcomeStreamError,
	"v1-stream-must-oom":         workload.OutcomeStreamError,
	// The same prompt again: the recorder sent no nonce, and the client does not take a prompt
	// for measured that came from the prefix cache.
	"v1-stream-again":     workload.OutcomeProtocolError,
	"v1-stream-usage-opt": workload.OutcomeProtocolError,
}

// The client reads every stream of a real node, cut up and timed as it came, and reports
// what is in it.
func TestClientReadsRecordings(t *testing.T) {
	for _, version := range versions {
		files, err := filepath.Glob(filepath.Join("testdata", version, "*-stream*.times"))
		if err != nil || len(files) == 0 {
			t.Fatal(err)
		}
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".times")
			if version == "v1.0.71" && name == "bench-stream" {
				continue // a document, whatever was asked for
			}
			t.Run(version+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { checkClient(t, version, name) })
			})
		}
	}
}

func checkClient(t *testing.T, version, name string) {
	tr, request := load(t, version, name), loadRequest(t, version, name)
	r := measure(t, version, request, tr)
	want := outcomes[name]
	if want == "" {
		want = workload.OutcomeOK
	}
	if r.Outcome != want {
		t.Fatalf("outcome %s (%s), want %s", r.Outcome, r.Err, want)
	}
	all := arrivals(t, tr)
	var tokens []arrival
	for _, e := range all {
		if slices.Contains([]string{"token", "thought", "last token"}, e.kind) {
			tokens = append(tokens, e)
		}
	}
	if r.TokenEvents != len(tokens) {
		t.Errorf("%d token events, there were %d", r.TokenEvents, len(tokens))
	}
	if want != workload.OutcomeOK {
		return
	}
	first, last := tokens[0], tokens[len(tokens)-1]
	if !r.Timed || r.TTFT != first.at || r.E2E != last.at || r.Decode != last.at-first.at {
		t.Errorf("TTFT %v, decode %v, E2E %v; the first token came after %v, the last one after %v", r.TTFT, r.Decode, r.E2E, first.at, last.at)
	}
	begun := time.Duration(0) // the answer proper, of which what a thought was cut off with is none
	if i := slices.IndexFunc(tokens, func(e arrival) bool { return e.kind != "thought" }); i == 0 || i > 0 && i < len(tokens)-1 {
		begun = tokens[i].at
	}
	if r.TTFO != begun {
		t.Errorf("the first token that is no thought after %v, want %v", r.TTFO, begun)
	}
	compareFigures(t, r, all)
}

// compareFigures wants a result to have the counts and figures that the node sent.
func compareFigures(t *testing.T, r workload.Result, all []arrival) {
	t.Helper()
	var last struct {
		ID      string
		Choices []struct {
			FinishReason string `json:"finish_reason"`
		}
		Usage struct {
			PromptTokens     int `json:"prompt_tokens"`
			CompletionTokens int `json:"completion_tokens"`
			Details          struct {
				Cached int `json:"cached_tokens"`
			} `json:"prompt_tokens_details"`
		}
	}
	var stats struct {
		PromptTPS     float64 `json:"prompt_tps"`
		GenerationTPS float64 `json:"generation_tps"`
		Peak          struct {
			Bytes uint64 `json:"in_bytes"`
		} `json:"peak_memory_usage"`
		Hit string `json:"prefix_cache_hit"`
	}
	for _, e := range all {
		switch e.kind {
		case "last token":
			decode(t, e.doc, &last)
		case "generation_stats":
			decode(t, e.doc, &stats)
		}
	}
	u := last.Usage
	if r.OutputTokens != u.CompletionTokens || r.TokenSource != workload.TokensFromUsage || r.TokenMismatch ||
		r.PromptTokens != u.PromptTokens || r.CachedTokens != u.Details.Cached {
		t.Errorf("%d tokens by %s (mismatch %v), prompt %d of which %d cached; usage is %+v",
			r.OutputTokens, r.TokenSource, r.TokenMismatch, r.PromptTokens, r.CachedTokens, u)
	}
	if r.FinishReason != last.Choices[0].FinishReason || r.ResponseID != last.ID {
		t.Errorf("finish %q of %s, want %q of %s", r.FinishReason, r.ResponseID, last.Choices[0].FinishReason, last.ID)
	}
	if s := r.Server; s == nil || s.PromptTPS != stats.PromptTPS || s.GenerationTPS != stats.GenerationTPS ||
		s.PeakMemoryBytes != stats.Peak.Bytes || s.PrefixCacheHit != stats.Hit {
		t.Errorf("server figures %+v, want %+v", r.Server, stats)
	}
}

func decode(t *testing.T, doc []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(doc, v); err != nil {
		t.Fatalf("%v in %s", err, doc)
	}
}

// measure lets the client put a recorded request to a node whose answer is the transcript.
func measure(t *testing.T, version string, a asked, tr transcript) workload.Result {
	t.Helper()
	return measureBy(t, version, "", a, tr)
}

// measureBy is measure by a route that is configured, or found out when empty.
func measureBy(t *testing.T, version string, by exo.EndpointChoice, a asked, tr transcript) workload.Result {
	t.Helper()
	options := exosim.Options{Variant: exosim.Variant(version)}
	answers := map[string]transcript{a.path: tr}
	if version == "v1.0.71" && by == "" { // whose client asks /bench first
		answers["/bench/chat/completions"] = load(t, version, "bench-stream")
	} else {
		answers = map[string]transcript{"/bench/chat/completions": tr}
	}
	node := exosim.New(options)
	defer node.Close()
	c, err := exo.New(exo.Options{
		BaseURL: "http://node.test", StateDir: t.TempDir(), Endpoint: by,
		Transport: &replay{node: node.Transport(), answers: answers},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := c.Open(t.Context(), workload.Model{Name: "m", ExoID: a.chat.Model})
	if err != nil {
		t.Fatal(err)
	}
	prompt := workload.Prompt{ID: "p", Kind: "chat", MaxTokens: a.chat.MaxTokens}
	for _, m := range a.chat.Messages {
		prompt.Messages = append(prompt.Messages, workload.Message{Role: m.Role, Content: m.Content})
	}
	r := s.Measure(t.Context(), workload.Request{Model: "m", Seed: 7, Prompt: prompt})
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	return r
}

// arrival is an event and when it had come whole, after the request.
type arrival struct {
	event
	at time.Duration
}

// arrivals returns when each event of a transcript had come.
func arrivals(t *testing.T, tr transcript) (all []arrival) {
	t.Helper()
	head := len(tr.raw) - len(afterHead(tr.raw))
	_, offsets, ok := dechunk(tr.raw[head:])
	if !ok {
		t.Fatal("the recording is cut off")
	}
	sum, reads := 0, tr.reads
	for _, e := range events(tr.body) {
		for sum <= head+offsets[e.end] {
			sum, reads = sum+reads[0].bytes, reads[1:]
		}
		all = append(all, arrival{e, tr.reads[len(tr.reads)-len(reads)-1].at})
	}
	return all
}
