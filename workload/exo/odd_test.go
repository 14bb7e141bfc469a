package exo

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
)

const tick = 10 * time.Millisecond

// spoken is an answer of n events, the first after 100 ms and the others a tick apart.
func spoken(n int, delta string) []step {
	steps := []step{{100 * ms, data(delta, "", "")}}
	for range n - 1 {
		steps = append(steps, step{tick, data(delta, "", "")})
	}
	return steps
}

// ending is how an answer of n tokens usually ends.
func ending(n int) step {
	return step{0, data(`{}`, "length", useOf(40, n, 0)) + doneEvent}
}

const aWord = `{"content":"w "}`

// numbered are 32 tokens of which each has the next number as that of its choice.
func numbered() []step {
	steps := append(spoken(32, aWord), ending(32))
	for i := range steps {
		steps[i].text = strings.ReplaceAll(steps[i].text, `"index":0`, fmt.Sprintf(`"index":%d`, i+1))
	}
	return steps
}

func doubled(steps []step) []step {
	for i := range steps {
		steps[i].text += steps[i].text
	}
	return steps
}

// A finish_reason that says nothing must not end a long answer.
func TestFinishReasonThatSaysNothing(t *testing.T) {
	for _, reason := range []string{"null", "None", "stop"} {
		synctest.Test(t, func(t *testing.T) {
			word := data(aWord, reason, "")
			steps := append(append([]step{{100 * ms, word}}, repeat(599, step{tick, word})...), ending(600))
			n := newFakeNode(t, map[string]http.HandlerFunc{pathV1: stream(nil, steps...)})
			r := n.session(workload.DialectOpenAI, nil).Measure(t.Context(), request(600))
			if rate, _ := r.DecodeRate(); !r.OK() || r.OutputTokens != 600 || rate < 99.9 || rate > 100.1 {
				t.Errorf("%q on each token: %s (%s), %d tokens at %v a second", reason, r.Outcome, r.Err, r.OutputTokens, rate)
			}
		})
	}
}

// Good answers in odd forms are good: the first token after 100 ms, 100 tokens a second.
func TestOddFormsOfGoodAnswers(t *testing.T) {
	usual := append(spoken(32, aWord), ending(32))
	chunks := func(steps []step, text string) []step {
		out := make([]step, len(steps))
		for i, s := range steps {
			out[i] = step{s.after, strings.ReplaceAll(s.text, "data: ", text)}
		}
		return out
	}
	beside := func(field string) []step { // in every chunk
		out := make([]step, len(usual))
		for i, s := range usual {
			out[i] = step{s.after, strings.ReplaceAll(s.text, `{"id":`, "{"+field+`,"id":`)}
		}
		return out
	}
	thoughts := func(thought string) []step {
		steps := append(spoken(16, thought), spoken(16, aWord)...)
		steps[16].after = tick
		return append(steps, ending(32))
	}
	labelled := func(kind string, steps ...step) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			stream(nil, steps...)(relabelled{w, kind}, r)
		}
	}
	last := usual[31]
	for name, h := range map[string]http.HandlerFunc{
		"as it should be":                 stream(nil, usual...),
		"labelled as JSON":                labelled("application/json", usual...),
		"labelled as text":                labelled("text/plain; charset=utf-8", usual...),
		"without a label":                 labelled("", usual...),
		"an empty error beside each":      stream(nil, beside(`"error":"","code":0`)...),
		"an error of null":                stream(nil, beside(`"error":null`)...),
		"an error without content":        stream(nil, beside(`"error":{}`)...),
		"an error that holds nothing":     stream(nil, beside(`"error":{"message":null,"code":0,"details":[""]}`)...),
		"no error":                        stream(nil, beside(`"error":false`)...),
		"pings as events of their own":    stream(nil, chunks(usual, "event: ping\ndata: \"\"\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\ndata: ")...),
		"keep-alives as data":             stream(nil, chunks(usual, "data: ping\n\ndata: true\n\ndata: 1795448518\n\ndata: \"\"\n\ndata: [keep-alive]\n\ndata: {}\n\ndata: ")...),
		"a type that says message":        stream(nil, chunks(usual, "event: message\nid: 7\ndata: ")...),
		"ids and fields of other kinds":   stream(nil, beside(`"system_fingerprint":7,"service_tier":{"a":1},"usage":"none"`)...),
		"thoughts":                        stream(nil, thoughts(`{"reasoning_content":"w "}`)...),
		"thoughts by another name":        stream(nil, thoughts(`{"reasoning":"w "}`)...),
		"thoughts by a third name":        stream(nil, thoughts(`{"thinking":"w "}`)...),
		"thoughts as details":             stream(nil, thoughts(`{"content":"","reasoning_details":[{"type":"reasoning.text","text":"w "}]}`)...),
		"thoughts as summaries":           stream(nil, thoughts(`{"reasoning_details":[{"type":"reasoning.summary","summary":"w "}]}`)...),
		"thoughts as blocks":              stream(nil, thoughts(`{"thinking_blocks":[{"type":"thinking","thinking":"w "}]}`)...),
		"thoughts as parts":               stream(nil, thoughts(`{"content":[{"type":"thinking","thinking":[{"type":"text","text":"w "}]}]}`)...),
		"content as parts":                stream(nil, append(spoken(32, `{"content":[{"type":"text","text":"w "}]}`), ending(32))...),
		"a refusal":                       stream(nil, append(spoken(32, `{"content":null,"refusal":"no "}`), ending(32))...),
		"usage inside the choice":         stream(nil, append(spoken(32, aWord), step{0, `data: {"choices":[{"delta":{},"finish_reason":"length","usage":{"prompt_tokens":40,"completion_tokens":32}}]}` + "\n\n" + doneEvent})...),
		"usage in a vendor's object":      stream(nil, append(spoken(32, aWord), step{0, data(`{}`, "length", `,"x_groq":{"id":"r","usage":{"prompt_tokens":40,"completion_tokens":32}}`) + doneEvent})...),
		"usage deep in a vendor's object": stream(nil, append(spoken(32, aWord), step{0, data(`{}`, "length", `,"x_vendor":{"metrics":[{"usage":{"prompt_tokens":40,"completion_tokens":"32"}}]}`) + doneEvent})...),
		"a second choice beside it":       stream(nil, append([]step{{100 * ms, second(aWord)}}, append(repeat(31, step{tick, second(aWord)}), ending(32))...)...),
		"tokens for ever":                 stream(errHang, append([]step{{100 * ms, tok("w ")}}, repeat(2000, step{tick, tok("w ")})...)...),
		"usage of zeros after it":         stream(nil, append(spoken(32, aWord), step{0, data(`{}`, "length", useOf(40, 32, 0))}, step{0, `data: {"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}` + "\n\n" + doneEvent})...),
		"no finish_reason, but an end":    stream(nil, append(spoken(32, aWord), step{0, `data: {"choices":[],"usage":{"prompt_tokens":40,"completion_tokens":32}}` + "\n\n" + doneEvent})...),
		"a finish_reason on each":         stream(nil, append(append([]step{{100 * ms, data(aWord, "length", "")}}, repeat(31, step{tick, data(aWord, "length", "")})...), step{0, `data: {"choices":[],"usage":{"prompt_tokens":40,"completion_tokens":32}}` + "\n\n" + doneEvent})...),
		"nothing but heartbeats after":    stream(errHang, append(append(spoken(32, aWord), step{0, data(`{}`, "length", useOf(40, 32, 0))}), repeat(60, step{500 * ms, ": heartbeat\n\n"})...)...),
		"heartbeats before the usage":     stream(nil, append(spoken(31, aWord), step{tick, data(aWord, "length", "")}, step{time.Second, ": heartbeat\n\n"}, step{500 * ms, `data: {"choices":[],"usage":{"prompt_tokens":40,"completion_tokens":32}}` + "\n\n" + doneEvent})...),
		"heartbeats without any finish":   stream(errHang, append(append(spoken(32, aWord), step{0, `data: {"choices":[],"usage":{"prompt_tokens":40,"completion_tokens":32}}` + "\n\n"}), repeat(60, step{500 * ms, ": heartbeat\n\n"})...)...),
		"figures that are no numbers":     stream(nil, append(spoken(32, aWord), step{0, data(`{}`, "length", `,"usage":{"prompt_tokens":40,"completion_tokens":"32","total_tokens":[72]},"timings":"none","stats":7`) + doneEvent})...),
		"choices numbered by token":       stream(nil, numbered()...),
		"usage by other names":            stream(nil, append(spoken(32, aWord), step{0, data(`{}`, "length", `,"usage":{"input_tokens":40,"output_tokens":32}`) + doneEvent})...),
		"usage by names in camelCase":     stream(nil, append(spoken(32, aWord), step{0, data(`{}`, "length", `,"usage":{"promptTokens":40,"completionTokens":32}`) + doneEvent})...),
		"a head that a template puts":     stream(nil, append(append([]step{{0, tok("<think>")}}, spoken(32, aWord)...), ending(32))...),
		"a head, and nothing counts it":   stream(nil, append(append([]step{{0, tok("<think>")}}, spoken(32, aWord)...), step{0, data(`{}`, "length", "") + doneEvent})...),
		"each event twice":                stream(nil, append(doubled(spoken(32, aWord)), ending(32))...),
		"a longer answer than asked for":  stream(nil, append(spoken(80, aWord), ending(80))...),
		"two events in the last read":     stream(nil, append(append(spoken(31, aWord), step{tick, last.text}), ending(32))...),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newFakeNode(t, map[string]http.HandlerFunc{pathV1: h})
				start := time.Now()
				r := n.session(workload.DialectOpenAI, nil).Measure(t.Context(), request(32))
				if !r.OK() || r.TTFT != 100*ms {
					t.Errorf("%s (%s), TTFT %v, want ok after 100ms", r.Outcome, r.Err, r.TTFT)
				}
				if rate, _ := r.DecodeRate(); rate < 99.9 || rate > 100.1 || r.OutputTokens != 32 {
					t.Errorf("%d tokens at %v a second, want 32 at 100", r.OutputTokens, rate)
				}
				if took := time.Since(start); took > 5*time.Second {
					t.Errorf("took %v: nothing is waited for after the end", took)
				}
				if err := r.Check(request(32).Prompt); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// second is an event beside which one of another choice comes.
func second(delta string) string {
	return data(delta, "", "") + strings.Replace(data(delta, "", ""), `"index":0`, `"index":1`, 1)
}

func repeat(n int, s step) []step {
	var all []step
	for range n {
		all = append(all, s)
	}
	return all
}

// relabelled writes an answer under another content type.
type relabelled struct {
	http.ResponseWriter
	kind string
}

func (w relabelled) WriteHeader(status int) {
	w.Header().Del("Content-Type")
	if w.kind == "" {
		w.Header()["Content-Type"] = nil
	} else {
		w.Header().Set("Content-Type", w.kind)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w relabelled) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Answers that are not good fail, in words that say what is the matter.
func TestOddFormsOfFailures(t *testing.T) {
	compressed := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write([]byte(tok("a") + doneEvent))
		_ = z.Close()
	}
	page := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write([]byte("<!doctype html><title>Sign in</title>"))
	}
	held := func(n int) step { return step{400 * ms, strings.Repeat(tok("w "), n)} }
	for _, tc := range []struct {
		name    string
		handler http.HandlerFunc
		outcome workload.Outcome
		words   string
	}{
		{"held back", stream(nil, held(32), ending(32)), workload.OutcomeBuffered, "held the stream back"},
		{"held back with its end", stream(nil, step{400 * ms, strings.Repeat(tok("w "), 32) + ending(32).text}), workload.OutcomeBuffered, "held the stream back"},
		{"replayed", stream(nil, append([]step{{400 * ms, tok("w ")}}, append(repeat(31, step{ms / 5, tok("w ")}), ending(32))...)...), workload.OutcomeBuffered, "replays"},
		{"an event of the type error", stream(nil, append(spoken(4, aWord), step{tick, "event: error\ndata: {\"message\":\"CUDA out of memory\",\"code\":500}\n\n"})...), workload.OutcomeStreamError, "CUDA out of memory"},
		{"an event of the type error in plain words", stream(nil, append(spoken(4, aWord), step{tick, "event: error\ndata: device lost\n\n"})...), workload.OutcomeStreamError, "device lost"},
		{"an error's field", stream(nil, append(spoken(4, aWord), step{tick, `error: {"code":500,"message":"worker died"}` + "\n\n"})...), workload.OutcomeStreamError, "worker died"},
		{"an error by a code", stream(nil, append(spoken(4, aWord), step{tick, `data: {"code":"50001","msg":"worker died"}` + "\n\n"})...), workload.OutcomeStreamError, "worker died"},
		{"an error without a field name", stream(nil, append(spoken(4, aWord), step{tick, `{"error":{"message":"worker died"}}` + "\n"})...), workload.OutcomeStreamError, "worker died"},
		{"an error without a field name over several lines", stream(nil, append(spoken(4, aWord), step{tick, "{\n  \"error\": {\n    \"message\": \"worker"}, step{tick, " died\"\n  }\n}"})...), workload.OutcomeStreamError, "worker died"},
		{"a line of JSON that is no error", stream(nil, append(spoken(4, aWord), step{tick, `{"at":7}` + "\n" + "data: [DONE]\n\n"})...), workload.OutcomeTruncated, "without a finish_reason"},
		{"an object that is an error", stream(nil, append(spoken(4, aWord), step{tick, `data: {"object":"error","message":"worker died","type":"InternalServerError","code":500}` + "\n\n"})...), workload.OutcomeStreamError, "worker died"},
		{"a detail", stream(nil, append(spoken(4, aWord), step{tick, `data: {"detail":"upstream gone"}` + "\n\n"})...), workload.OutcomeStreamError, "upstream gone"},
		{"a finish_reason that is an error", stream(nil, append(spoken(4, aWord), step{tick, data(`{}`, "error", "") + doneEvent})...), workload.OutcomeStreamError, "error"},
		{"a list of errors", stream(nil, append(spoken(4, aWord), step{tick, `data: {"errors":[{"message":"quota gone"}]}` + "\n\n"})...), workload.OutcomeStreamError, "quota gone"},
		{"a list of details", stream(nil, append(spoken(4, aWord), step{tick, `data: {"detail":[{"msg":"bad engine","loc":["x"]}]}` + "\n\n"})...), workload.OutcomeStreamError, "bad engine"},
		{"a model of a megabyte", stream(nil, step{tick, strings.Replace(tok("w "), "org/m", strings.Repeat("m", 1<<20), 1)}), workload.OutcomeModelMismatch, "mmm"},
		{"compressed without a word", labelledJSON("\x1f\x8b\x08\x00rubbish"), workload.OutcomeProtocolError, "gzip"},
		{"a vendor's error", stream(nil, append(spoken(4, aWord), step{tick, data(`{}`, "", `,"x_groq":{"error":"over capacity"}`)})...), workload.OutcomeStreamError, "over capacity"},
		{"tokens after the finish_reason", stream(nil, append(spoken(4, aWord), step{tick, data(`{}`, "stop", "")}, step{tick, tok("w ")}, ending(5))...), workload.OutcomeProtocolError, "after the finish_reason"},
		{"compressed", compressed, workload.OutcomeProtocolError, "Content-Encoding: gzip"},
		{"a page labelled as a stream", page, workload.OutcomeProtocolError, "web page"},
		{"an error labelled as a stream", labelledJSON(`{"error":{"message":"no such engine"}}`), workload.OutcomeProtocolError, "no such engine"},
		{"DONE before the tokens that were asked for", stream(nil, append(spoken(4, aWord), step{tick, doneEvent})...), workload.OutcomeTruncated, "without a finish_reason"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newFakeNode(t, map[string]http.HandlerFunc{pathV1: tc.handler})
				r := n.session(workload.DialectOpenAI, nil).Measure(t.Context(), request(32))
				if r.Outcome != tc.outcome || !strings.Contains(r.Err, tc.words) || len(r.Err) > 2000 || len(r.Answered) > 1000 {
					t.Errorf("got %s (%.300q), want %s with %q", r.Outcome, r.Err, tc.outcome, tc.words)
				}
			})
		})
	}
}

func labelledJSON(doc string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write([]byte(doc))
	}
}

// The node's own figures feed the server's series, whoever it is.
func TestServersOwnFigures(t *testing.T) {
	for name, tc := range map[string]struct {
		rest            string
		prompt, decode  float64
		cached, prompts int
		disbelieved     []string
	}{
		"llama.cpp":              {`,"timings":{"cache_n":0,"prompt_n":40,"prompt_ms":100,"prompt_per_second":400,"predicted_n":32,"predicted_ms":320,"predicted_per_second":100}`, 400, 100, 0, 40, nil},
		"LM Studio":              {`,"stats":{"tokens_per_second":100,"time_to_first_token":0.1,"stop_reason":"maxPredictedTokensReached"}` + useOf(40, 32, 0), 0, 100, 0, 40, nil},
		"Groq":                   {`,"x_groq":{"usage":{"prompt_tokens":40,"prompt_time":0.1,"completion_tokens":32,"completion_time":0.32}}`, 400, 100, 0, 40, nil},
		"Cerebras":               {useOf(40, 32, 0) + `,"time_info":{"prompt_time":0.1,"completion_time":0.32}`, 400, 100, 0, 40, nil},
		"DeepSeek":               {`,"usage":{"prompt_tokens":40,"completion_tokens":32,"prompt_cache_hit_tokens":12}`, 0, 0, 12, 40, nil},
		"nonsense":               {`,"timings":{"prompt_per_second":-1,"predicted_per_second":1e300,"cache_n":-4}` + useOf(40, 32, 0), 0, 0, 0, 40, []string{"cached tokens", "prefill rate", "decode rate"}},
		"faster than they came":  {`,"timings":{"prompt_per_second":400,"predicted_per_second":5000}` + useOf(40, 32, 0), 400, 5000, 0, 40, []string{"decode rate"}},
		"slower than it all was": {`,"timings":{"prompt_per_second":300,"predicted_per_second":60}` + useOf(40, 32, 0), 300, 60, 0, 40, []string{"decode rate", "prefill rate"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				end := step{0, data(`{}`, "length", tc.rest) + doneEvent}
				n := newFakeNode(t, map[string]http.HandlerFunc{pathV1: stream(nil, append(spoken(32, aWord), end)...)})
				r := n.session(workload.DialectOpenAI, nil).Measure(t.Context(), request(32))
				var got workload.ServerStats
				if r.Server != nil {
					got = *r.Server
				}
				if !r.OK() || got.PromptTPS != tc.prompt || got.GenerationTPS != tc.decode || r.CachedTokens != tc.cached || r.PromptTokens != tc.prompts {
					t.Errorf("%s (%s): server %+v, %d of %d cached", r.Outcome, r.Err, got, r.CachedTokens, r.PromptTokens)
				}
				if !slices.Equal(r.Disbelieved, tc.disbelieved) {
					t.Errorf("disbelieved %v, want %v", r.Disbelieved, tc.disbelieved)
				}
			})
		})
	}
}

// A gateway may answer by the name that it resolved, when a user has said so.
func TestAnsweredByAnotherName(t *testing.T) {
	resolved := strings.NewReplacer("org/m", "org/m-2026-01-01")
	var steps []step
	for _, s := range append(spoken(4, aWord), ending(4)) {
		steps = append(steps, step{s.after, resolved.Replace(s.text)})
	}
	for answers, want := range map[string]workload.Outcome{
		"": workload.OutcomeModelMismatch, "org/m-2026-01-01": workload.OutcomeOK, "other": workload.OutcomeModelMismatch,
	} {
		synctest.Test(t, func(t *testing.T) {
			n := newFakeNode(t, map[string]http.HandlerFunc{"/v1/models": reply(200, `{"data":[{"id":"org/m"}]}`), pathV1: stream(nil, steps...)})
			s, err := n.client(nil).Open(t.Context(), workload.Model{Name: "m", ExoID: "org/m", Answers: answers})
			if err != nil {
				t.Fatal(err)
			}
			r := s.Measure(t.Context(), request(4))
			if r.Outcome != want || r.Answered != "org/m-2026-01-01" {
				t.Errorf("with %q: %s (%s), answered by %q", answers, r.Outcome, r.Err, r.Answered)
			}
			if hint := "EXOBENCH_MODELS=…,m=org/m=org/m-2026-01-01"; !r.OK() && !strings.Contains(r.Err, hint) {
				t.Errorf("%q does not say %q", r.Err, hint)
			}
		})
	}
}

// What a server wants of a request's form is found out once, and said.
func TestFormsOfStrictServers(t *testing.T) {
	refuse := func(status int, text string, when func(body string) bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			var b bytes.Buffer
			_, _ = b.ReadFrom(r.Body)
			if when(b.String()) {
				reply(status, text)(w, r)
				return
			}
			stream(nil, append(spoken(4, aWord), ending(4))...)(w, r)
		}
	}
	has := func(fields ...string) func(string) bool {
		return func(body string) bool {
			for _, f := range fields {
				if strings.Contains(body, `"`+f+`":`) {
					return true
				}
			}
			return false
		}
	}
	once := func(status int, text string) http.HandlerFunc {
		refused := false
		return refuse(status, text, func(string) bool { defer func() { refused = true }(); return !refused })
	}
	for _, tc := range []struct {
		name     string
		handler  http.HandlerFunc
		form     string
		requests int // of two prompts
		ok       bool
	}{
		{"takes everything", refuse(0, "", has("nothing")), "", 2, true},
		{"FastAPI, stream_options", refuse(422, `{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}`, has("stream_options")), "no stream_options", 3, true},
		{"two fields at once", refuse(400, `{"error":{"message":"unknown fields: seed, ignore_eos"}}`, has("seed", "ignore_eos")), "no ignore_eos, no seed", 3, true},
		{"max_completion_tokens", refuse(400, `{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."}}`, has("max_tokens")), "max_completion_tokens", 3, true},
		{"temperature", refuse(400, `{"error":{"message":"Unsupported value: 'temperature' does not support 0 with this model."}}`, has("temperature")), "no temperature", 3, true},
		{"without a word", refuse(400, `Bad Request`, has("seed", "stream_options", "min_tokens")), "no ignore_eos, no stream_options, no seed", 4, true},
		{"by another status", refuse(500, `{"error":{"message":"unexpected keyword argument 'ignore_eos'"}}`, has("ignore_eos")), "no ignore_eos", 4, true},
		{"by another status, once", once(500, `{"error":{"message":"unexpected keyword argument 'ignore_eos'"}}`), "", 3, true},
		{"in a document with status 200", refuse(200, `{"error":{"message":"unknown field: ignore_eos"}}`, has("ignore_eos")), "no ignore_eos", 4, true},
		{"once, without a word", once(400, `Bad Request`), "", 3, true},
		{"another reason", refuse(400, `{"error":{"message":"prompt is too long"}}`, func(string) bool { return true }), "", 6, false},
		{"wants the impossible", refuse(400, `{"error":{"message":"max_tokens is too large"}}`, func(string) bool { return true }), "", 8, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newFakeNode(t, map[string]http.HandlerFunc{})
				requests := 0
				n.direct = map[string]http.Handler{pathV1: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					requests++
					tc.handler(w, r)
				})}
				s := n.session(workload.DialectOpenAI, nil)
				for range 2 {
					r := s.Measure(t.Context(), request(4))
					if r.OK() != tc.ok || r.OK() && r.Epoch.Form != tc.form {
						t.Errorf("%s (%s) in the form %q, want %q", r.Outcome, r.Err, r.Epoch.Form, tc.form)
					}
				}
				if requests != tc.requests {
					t.Errorf("%d requests, want %d: a form is found out once", requests, tc.requests)
				}
			})
		})
	}
}

// A node that wants to be asked later is, within bounds, and what is waited is not the model's.
func TestWaitsForWhomItMay(t *testing.T) {
	for _, tc := range []struct {
		name   string
		status int
		after  string
		text   string
		times  int // refusals before the answer
		ok     bool
		waited time.Duration
		warmup bool
	}{
		{"rate limited", 429, "3", `{"error":{"message":"slow down"}}`, 2, true, 6 * time.Second, false},
		{"rate limited without a time", 429, "", ``, 1, true, waitUsually, false},
		{"rate limited for long", 429, "86400", ``, 1, false, 0, false},
		{"rate limited for ever", 429, "60", ``, 99, false, 5 * time.Minute, false},
		{"loading", 503, "", `{"error":{"message":"Loading model","type":"unavailable_error","code":503}}`, 4, true, 4 * waitUsually, false},
		{"loading for ever", 503, "60", `{"error":{"message":"Loading model"}}`, 99, false, 10 * time.Minute, false},
		{"overloaded", 503, "", `{"error":{"message":"overloaded"}}`, 1, false, 0, false},
		{"overloaded, but says when", 503, "1", `{"error":{"message":"overloaded"}}`, 1, true, time.Second, false},
		{"broken", 500, "1", ``, 1, false, 0, false},
		{"not ready for the warm-up, as a proxy says", 503, "", `<html>warming up</html>`, 4, true, 4 * waitUsually, true},
		{"never ready for the warm-up", 503, "", `<html>no healthy upstream</html>`, 999, false, 10 * time.Minute, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newFakeNode(t, map[string]http.HandlerFunc{"/v1/models": reply(200, `{"data":[{"id":"org/m"}]}`)})
				left := tc.times
				n.set(pathV1, func(w http.ResponseWriter, r *http.Request) {
					if left--; left >= 0 {
						if tc.after != "" {
							w.Header().Set("Retry-After", tc.after)
						}
						reply(tc.status, tc.text)(w, r)
						return
					}
					stream(nil, append(spoken(4, aWord), ending(4))...)(w, r)
				})
				s, err := n.client(nil).Open(t.Context(), workload.Model{Name: "m", ExoID: "org/m"})
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				put := request(4)
				put.Warmup = tc.warmup
				r := s.Measure(t.Context(), put)
				took := time.Since(start)
				if r.OK() != tc.ok || r.OK() && r.TTFT != 100*ms {
					t.Errorf("%s (%s), TTFT %v", r.Outcome, r.Err, r.TTFT)
				}
				if took < tc.waited || took > tc.waited+time.Second {
					t.Errorf("waited %v, want %v", took, tc.waited)
				}
			})
		})
	}
}

// What never loads is waited for once, and not again in every turn; what has answered meanwhile is.
func TestLoadsAreWaitedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNode(t, map[string]http.HandlerFunc{"/v1/models": reply(200, `{"data":[{"id":"org/m"}]}`)})
		c := n.client(nil)
		good, bad := stream(nil, append(spoken(4, aWord), ending(4))...), reply(503, `{"error":{"message":"Loading model"}}`)
		for turn, tc := range []struct {
			answer http.HandlerFunc
			waited time.Duration
		}{{bad, 10 * time.Minute}, {bad, 0}, {good, 0}, {bad, 10 * time.Minute}} {
			n.set(pathV1, tc.answer)
			s, err := c.Open(t.Context(), workload.Model{Name: "m", ExoID: "org/m"})
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			s.Measure(t.Context(), request(4))
			if took := time.Since(start); took < tc.waited || took > tc.waited+time.Second {
				t.Errorf("turn %d waited %v, want %v", turn, took, tc.waited)
			}
		}
	})
}

// A server that answers nothing while it loads a model is waited for, and found out when it has.
func TestOpenWaitsForALoadingServer(t *testing.T) {
	for _, text := range []string{`{"error":{"message":"Loading model"}}`, `<html>starting</html>`} {
		for _, dialect := range []workload.Dialect{workload.DialectAuto, workload.DialectOpenAI} {
			openWaits(t, dialect, text)
		}
	}
}

func openWaits(t *testing.T, dialect workload.Dialect, text string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		routes := map[string]http.HandlerFunc{}
		for path, h := range map[string]http.HandlerFunc{
			"/v1/models": reply(200, `{"data":[{"id":"org/m"}]}`), pathV1: stream(nil, append(spoken(4, aWord), ending(4))...),
			"/node_id": http.NotFound, "/healthcheck": http.NotFound, "/topology": http.NotFound, "/api/version": http.NotFound,
		} {
			routes[path] = func(w http.ResponseWriter, r *http.Request) {
				if time.Since(start) < time.Minute {
					reply(503, text)(w, r)
					return
				}
				h(w, r)
			}
		}
		s, err := newFakeNode(t, routes).client(func(o *Options) { o.Dialect = dialect }).Open(t.Context(), workload.Model{Name: "m", ExoID: "org/m"})
		if err != nil {
			t.Fatalf("%s: %v", dialect, err)
		}
		put := request(4)
		put.Warmup = true
		if r := s.Measure(t.Context(), put); !r.OK() || time.Since(start) < time.Minute {
			t.Errorf("%s: %s (%s) after %v", dialect, r.Outcome, r.Err, time.Since(start))
		}
	})
}

// The method by which a result came travels with it.
func TestEpochOfAResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNode(t, map[string]http.HandlerFunc{
			"/v1/models": reply(200, `{"data":[{"id":"org/m","owned_by":"vllm"}]}`), "/version": reply(200, `{"version":"0.11.0"}`),
			pathV1: stream(nil, append(spoken(4, aWord), ending(4))...),
		})
		s, err := n.client(nil).Open(t.Context(), workload.Model{Name: "m", ExoID: "org/m"})
		if err != nil {
			t.Fatal(err)
		}
		want := workload.Epoch{Dialect: workload.DialectOpenAI, Endpoint: workload.EndpointV1, Nonce: true, Engine: "vllm", Version: "0.11.0"}
		for range 2 {
			if r := s.Measure(t.Context(), request(4)); r.Epoch != want {
				t.Errorf("epoch %+v, want %+v", r.Epoch, want)
			}
		}
		asked := 0
		for _, p := range n.paths() {
			if p == "GET /version" {
				asked++
			}
		}
		if asked != 1 {
			t.Errorf("asked for the version %d times", asked)
		}
		n.set(pathV1, stream(nil, append(repeat(1, step{100 * ms, strings.Replace(tok("w "), `"created":1`, `"created":1,"system_fingerprint":"b5921-6b56a64e"`, 1)}), ending(4))...))
		if r := s.Measure(t.Context(), request(4)); r.Epoch.Engine != "llama.cpp" || r.Epoch.Version != "b5921" {
			t.Errorf("epoch %+v, want llama.cpp b5921", r.Epoch)
		}
	})
}

func TestFramingIsRecognized(t *testing.T) {
	for begin, want := range map[string][2]bool{
		`data: {`: {true, false}, `event: x`: {true, false}, `: keep-alive`: {true, false}, `id: 1`: {true, false},
		`{"model"`: {false, true}, `<html>`: {false, false}, `hello`: {false, false}, ``: {false, false},
	} {
		got := [2]bool{framingSSE.starts([]byte(begin)), framingLines.starts([]byte(begin))}
		if got != want {
			t.Errorf("%q: %v, want %v", begin, got, want)
		}
	}
	if got := fmt.Sprint(form(0), withoutSeed|withCompletionTokens); got != " no seed, max_completion_tokens" {
		t.Errorf("forms are named %q", got)
	}
}
