package exo

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
)

// A stream whose every pause is known must be measured to the nanosecond.
func TestMeasureTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNode(t, map[string]http.HandlerFunc{"/bench/chat/completions": stream(nil,
			step{300 * ms, ": keep-alive\n\n"},
			step{10 * ms, `: prefill_progress {"PrefillProgressChunk":{"model":"org/m","processed_tokens":22,"total_tokens":22}}` + "\n\n"},
			step{90 * ms, data(`{"role":"assistant","reasoning_content":"hm"}`, "", "")},
			step{20 * ms, tok("Hello")},
			step{30 * ms, tok("")}, // pending bytes: a token
			step{40 * ms, tok(" a") + tok(" b")},
			step{50 * ms, data(`{"role":"assistant","content":""}`, "length", useOf(23, 6, 0))},
			step{
				70 * ms,
				`: generation_stats {"prompt_tps":812.5,"generation_tps":74.2,"prompt_tokens":23,"generation_tokens":6,` +
					`"peak_memory_usage":{"in_bytes":1073741824},"prefix_cache_hit":"none"}` + "\n\n",
			},
			step{80 * ms, doneEvent},
		)})
		n.dialDelay = 25 * ms
		start := time.Now()
		r := n.session(workload.DialectExo1, nil).Measure(t.Context(), request(6))
		if !r.OK() || !r.Timed {
			t.Fatalf("outcome %s (%s), timed %v", r.Outcome, r.Err, r.Timed)
		}
		if want := start.Add(25 * ms); !r.Start.Equal(want) {
			t.Errorf("t0 is %v after the start, want 25ms: connecting is not the model's time", r.Start.Sub(start))
		}
		for _, d := range []struct {
			what      string
			got, want time.Duration
		}{
			{"Connect", r.Connect, 25 * ms},
			{"TTFT", r.TTFT, 400 * ms},
			{"TTFO", r.TTFO, 420 * ms},
			{"Decode", r.Decode, 140 * ms},
			{"E2E", r.E2E, 540 * ms},
		} {
			if d.got != d.want {
				t.Errorf("%s = %v, want %v", d.what, d.got, d.want)
			}
		}
		// Two tokens that came together after 40 ms took 20 ms each.
		if want := []time.Duration{20 * ms, 30 * ms, 20 * ms, 50 * ms}; !slices.Equal(r.Gaps, want) || r.Coalesced != 1 {
			t.Errorf("Gaps = %v with %d coalesced, want %v with 1", r.Gaps, r.Coalesced, want)
		}
		if r.TTFT+r.Decode != r.E2E {
			t.Errorf("TTFT %v and Decode %v do not sum to E2E %v", r.TTFT, r.Decode, r.E2E)
		}
		if r.TokenEvents != 6 || r.OutputTokens != 6 || r.TokenSource != workload.TokensFromUsage || r.TokenMismatch || r.PromptTokens != 23 {
			t.Errorf(
				"tokens: %d events, %d by %s, mismatch %v, prompt %d", r.TokenEvents, r.OutputTokens, r.TokenSource, r.TokenMismatch, r.PromptTokens,
			)
		}
		want := workload.ServerStats{
			PromptTPS: 812.5, GenerationTPS: 74.2, PromptTokens: 23, GenerationTokens: 6, PeakMemoryBytes: 1 << 30, PrefixCacheHit: "none",
		}
		if r.Server == nil || *r.Server != want {
			t.Errorf("Server = %+v, want %+v", r.Server, want)
		}
		if r.ResponseID != "r1" || r.Answered != "org/m" || r.ExoModel != "org/m" || r.FinishReason != "length" ||
			r.Endpoint != workload.EndpointBench {
			t.Errorf("id %q, answered %q for %q, finish %q, endpoint %s", r.ResponseID, r.Answered, r.ExoModel, r.FinishReason, r.Endpoint)
		}
	})
}

// A request that exo holds back while a master is elected is no measure of the model. It
// shows in when exo opens the stream, which it does with a comment as soon as it has taken the
// request up.
func TestHeldBackIsNotTheModels(t *testing.T) {
	const open, two = ": keep-alive\n\n", 2 * time.Second
	end := data(`{"role":"assistant","content":"b"}`, "length", useOf(9, 2, 0)) + doneEvent
	for _, tc := range []struct {
		name    string
		dialect workload.Dialect
		steps   []step
		held    bool
	}{
		{"election", workload.DialectExo1, []step{{two, open}, {100 * ms, tok("a")}, {ms, end}}, true},
		{"just too long", workload.DialectExo1, []step{{heldBound, open}, {ms, tok("a")}, {ms, end}}, true},
		{"not long", workload.DialectExo1, []step{{heldBound - ms, open}, {ms, tok("a")}, {ms, end}}, false},
		{"slow prefill", workload.DialectExo1, []step{{ms, open}, {two, tok("a")}, {ms, end}}, false},
		{"long prefill", workload.DialectExo1, []step{{ms, open}, {10 * time.Second, open}, {two, tok("a")}, {ms, end}}, false},
		{"before v1.0.70", workload.DialectExo1, []step{{two, `: prefill_progress {}` + "\n\n"}, {ms, tok("a")}, {ms, end}}, false},
		{"before v1.0.68", workload.DialectExo1, []step{{two, tok("a")}, {ms, end}}, false},
		{"something on the way collects", workload.DialectExo1, []step{{two, open + tok("a")}, {ms, end}}, false},
		{"another server", workload.DialectOpenAI, []step{{two, open}, {100 * ms, tok("a")}, {ms, end}}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := "/bench/chat/completions"
				if tc.dialect != workload.DialectExo1 {
					path = pathV1
				}
				n := newFakeNode(t, map[string]http.HandlerFunc{path: stream(nil, tc.steps...)})
				r := n.session(tc.dialect, nil).Measure(t.Context(), request(2))
				want := workload.OutcomeOK
				if tc.held {
					want = workload.OutcomeProtocolError
				}
				if r.Outcome != want || tc.held != strings.Contains(r.Err, "held the request back for "+tc.steps[0].after.String()) {
					t.Errorf("%s: %s, want %s", r.Outcome, r.Err, want)
				}
			})
		})
	}
}

// What each dialect's streams look like, and what is to be made of them.
func TestMeasureShapes(t *testing.T) {
	const nulls = `"name":null,"tool_calls":null,"tool_call_id":null,"function_call":null`
	old := func(content, reasoning, finish, rest string) string { // as v1.0.71 writes it
		return fmt.Sprintf(`data: {"id":"r1","object":"chat.completion","created":1,"model":"org/m","choices":[{"index":0,`+
			`"delta":{"role":"assistant","content":%s,"reasoning_content":%s,%s},"logprobs":null,"finish_reason":%s,"usage":null}],`+
			`%s"service_tier":null}`+"\n\n",
			content, reasoning, nulls, finish, rest)
	}
	legacy := func(content, finish string) string {
		return fmt.Sprintf(`data: {"id": "chatcmpl-1", "object": "chat.completion", "created": 1795448544, "model": "org/m", `+
			`"system_fingerprint": "exo_0.0.1", "choices": [{"index": 0, "message": {"role": "assistant", "content": %q}, "logprobs": null, `+
			`"finish_reason": %s, "delta": {"role": "assistant", "content": %q}}]}`+"\n\n",
			content, finish, content)
	}
	type want struct {
		outcome         workload.Outcome
		events, output  int
		source          workload.TokenSource
		mismatch        bool
		prompt, cached  int
		ttft, ttfo, e2e time.Duration
	}
	for _, tc := range []struct {
		name    string
		dialect workload.Dialect
		end     error
		steps   []step
		want    want
	}{
		{
			"exo 1.x without nulls", workload.DialectExo1, nil,
			[]step{
				{ms, ": keep-alive\n\n"},
				{ms, tok("a")},
				{ms, tok("b")},
				{ms, data(`{"role":"assistant","content":""}`, "stop", useOf(9, 3, 2))},
				{ms, doneEvent},
			},
			want{workload.OutcomeOK, 3, 3, workload.TokensFromUsage, false, 9, 2, 2 * ms, 2 * ms, 4 * ms},
		},
		{
			"exo 1.x with nulls", workload.DialectExo1, nil,
			[]step{
				{ms, old(`null`, `"think"`, `null`, `"usage":null,`)},
				{ms, old(`"a"`, `null`, `null`, `"usage":null,`)},
				{ms, old(`""`, `null`, `"stop"`, `"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"prompt_tokens_details":null},`)},
				{ms, doneEvent},
			},
			want{workload.OutcomeOK, 3, 3, workload.TokensFromUsage, false, 9, 0, ms, 2 * ms, 3 * ms},
		},
		{
			"exo 1.x before usage, end by EOF", workload.DialectExo1, nil,
			[]step{{ms, tok("a")}, {ms, data(`{"content":"b"}`, "stop", "")}},
			want{workload.OutcomeOK, 2, 2, workload.TokensFromEvents, false, 0, 0, ms, ms, 2 * ms},
		},
		{
			"stats where usage is missing", workload.DialectExo1, nil,
			[]step{
				{ms, tok("a")},
				{ms, data(`{"content":"b"}`, "stop", "")},
				{ms, `: generation_stats {"prompt_tokens":7,"generation_tokens":3,"peak_memory_usage":{"inBytes":5}}` + "\n\n" + doneEvent},
			},
			want{workload.OutcomeOK, 2, 3, workload.TokensFromStats, true, 7, 0, ms, ms, 2 * ms},
		},
		{
			"stats that cannot be read are left out", workload.DialectExo1, nil,
			[]step{
				{ms, tok("a")},
				{ms, data(`{"content":"b"}`, "stop", useOf(9, 2, 0))},
				{ms, ": generation_stats {oops\n\n: generation_stats\n\n" + doneEvent},
			},
			want{workload.OutcomeOK, 2, 2, workload.TokensFromUsage, false, 9, 0, ms, ms, 2 * ms},
		},
		{
			"role-only and usage-only chunks are no tokens on exo 1.x", workload.DialectExo1, nil,
			[]step{
				{ms, data(`{"role":"assistant"}`, "", "")},
				{ms, tok("a")},
				{ms, data(`{}`, "stop", "")},
				{ms, `data: {"model":"org/m","choices":[],"usage":{"prompt_tokens":4,"completion_tokens":1}}` + "\n\n"},
				{ms, doneEvent},
			},
			want{workload.OutcomeOK, 1, 1, workload.TokensFromUsage, false, 4, 0, 2 * ms, 2 * ms, 2 * ms},
		},
		{
			"fewer events than tokens", workload.DialectExo1, nil,
			[]step{{ms, tok("a")}, {ms, data(`{"content":"b"}`, "stop", useOf(9, 5, 0))}, {ms, doneEvent}},
			want{workload.OutcomeOK, 2, 5, workload.TokensFromUsage, true, 9, 0, ms, ms, 2 * ms},
		},
		{
			"tool calls are output, not content", workload.DialectExo1, nil,
			[]step{
				{ms, tok("a")}, {5 * ms, data(`{"tool_calls":[{"index":0,"function":{"name":"f"}}]}`, "tool_calls", useOf(9, 2, 0))}, {ms, doneEvent},
			},
			want{workload.OutcomeOK, 2, 2, workload.TokensFromUsage, false, 9, 0, ms, ms, 6 * ms},
		},
		{
			"legacy: EOS is a token, the end is EOF", workload.DialectExo0, nil,
			[]step{{ms, legacy("a", "null")}, {ms, legacy("�", "null")}, {ms, legacy("<|eot_id|>", `"stop"`)}},
			want{workload.OutcomeOK, 3, 3, workload.TokensFromEvents, false, 0, 0, ms, ms, 3 * ms},
		},
		{
			"legacy: max_tokens is ignored there", workload.DialectExo0, nil,
			[]step{
				{ms, legacy("a", "null")},
				{ms, legacy("b", "null")},
				{ms, legacy("c", "null")},
				{ms, legacy("d", "null")},
				{ms, legacy("e", "null")},
				{ms, legacy("f", "null")},
				{ms, legacy("g", `"stop"`)},
			},
			want{workload.OutcomeOK, 5, 5, workload.TokensFromEvents, false, 0, 0, ms, ms, 5 * ms},
		},
		{
			"openai: role first, usage apart", workload.DialectOpenAI, nil,
			[]step{
				{ms, data(`{"role":"assistant","content":""}`, "", `,"usage":null`)},
				{ms, data(`{"content":"a"}`, "", `,"usage":null`)},
				{ms, data(`{"content":"b"}`, "", `,"usage":null`)},
				{ms, data(`{}`, "length", `,"usage":null`)},
				{ms, `data: {"id":"r1","model":"org/m","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}` + "\n\n"},
				{ms, doneEvent},
			},
			want{workload.OutcomeOK, 2, 2, workload.TokensFromUsage, false, 9, 0, 2 * ms, 2 * ms, 3 * ms},
		},
		{
			"openai: null content with the role, reasoning by either name", workload.DialectOpenAI, nil,
			[]step{
				{ms, data(`{"role":"assistant","content":null}`, "", "")},
				{ms, data(`{"reasoning_content":"x"}`, "", "")},
				{ms, data(`{"content":"","reasoning":"y"}`, "", "")},
				{ms, data(`{"content":"a","reasoning":""}`, "", "")},
				{ms, data(`{"content":""}`, "stop", useOf(9, 3, 0))},
			},
			want{workload.OutcomeOK, 3, 3, workload.TokensFromUsage, false, 9, 0, 2 * ms, 4 * ms, 4 * ms},
		},
		{
			"openai: a reset after the finish_reason takes nothing away", workload.DialectOpenAI, errReset,
			[]step{{ms, tok("a")}, {ms, data(`{}`, "stop", "")}},
			want{workload.OutcomeOK, 1, 1, workload.TokensFromEvents, false, 0, 0, ms, ms, ms},
		},
		{
			"openai: an open end after the finish_reason takes nothing away", workload.DialectOpenAI, errHang,
			[]step{{ms, tok("a")}, {ms, data(`{}`, "stop", "")}},
			want{workload.OutcomeOK, 1, 1, workload.TokensFromEvents, false, 0, 0, ms, ms, ms},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newFakeNode(t, map[string]http.HandlerFunc{pathV1: stream(tc.end, tc.steps...)})
				s := n.session(tc.dialect, func(o *Options) { o.Endpoint = EndpointV1 })
				r := s.Measure(t.Context(), request(5))
				got := want{
					r.Outcome, r.TokenEvents, r.OutputTokens, r.TokenSource, r.TokenMismatch, r.PromptTokens, r.CachedTokens, r.TTFT, r.TTFO, r.E2E,
				}
				if got != tc.want {
					t.Errorf("got  %+v (%s)\nwant %+v", got, r.Err, tc.want)
				}
				if want := r.TokenEvents - 1; len(r.Gaps) != want && r.OutputTokens == r.TokenEvents {
					t.Errorf("%d gaps for %d token events", len(r.Gaps), r.TokenEvents)
				}
			})
		})
	}
}

// Every way in which a request fails has its outcome and says what happened.
func TestMeasureFailures(t *testing.T) {
	raw := func(contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = io.WriteString(w, body)
		}
	}
	// wire answers with bytes that no HTTP server would write.
	keepAlive := func(end error) http.HandlerFunc {
		steps := []step{{0, ": keep-alive\n\n"}}
		for range 30 {
			steps = append(steps, step{10 * time.Second, ": keep-alive\n\n"})
		}
		return stream(end, steps...)
	}
	long := strings.Repeat("x", 17<<20)
	for _, tc := range []struct {
		name    string
		dialect workload.Dialect // exo1 when empty
		handler http.HandlerFunc
		outcome workload.Outcome
		words   string        // in Err
		after   time.Duration // how long it took in all; not looked at when 0
	}{
		{
			name:    "no instance",
			handler: reply(404, `{"error":{"message":"No instance found for model org/m","type":"Not Found","param":null,"code":404}}`),
			outcome: workload.OutcomeHTTPError, words: "HTTP 404: No instance found for model org/m",
		},
		{
			name: "validation", handler: reply(422, `{"detail":[{"type":"missing","loc":["body","messages"],"msg":"Field required"}]}`),
			outcome: workload.OutcomeHTTPError, words: "HTTP 422: body.messages: Field required",
		},
		{name: "plain 500", handler: raw500, outcome: workload.OutcomeHTTPError, words: "HTTP 500: Internal Server Error"},
		{
			name: "legacy detail", dialect: workload.DialectExo0,
			handler: reply(400, `{"detail":"Unsupported model: org/m with inference engine X"}`), outcome: workload.OutcomeHTTPError,
			words: "Unsupported model",
		},
		{name: "redirect", handler: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere.test/", http.StatusTemporaryRedirect)
		}, outcome: workload.OutcomeHTTPError, words: "HTTP 307"},
		{
			name: "error event in a 200",
			handler: stream(
				nil, step{ms, tok("a")},
				step{
					ms,
					`data: {"error":{"message":"Runner shutdown before completing command (signal=9 (Killed))","type":"InternalServerError","code":500}}` +
						"\n\n" + doneEvent,
				},
			),
			outcome: workload.OutcomeStreamError, words: "Runner shutdown before completing command (signal=9 (Killed))",
		},
		{
			name: "error event of v1.0.71",
			handler: stream(
				nil, step{ms, `data: {"error":{"message":"out of memory","type":"InternalServerError","param":null,"code":500}}` + "\n\n"},
			),
			outcome: workload.OutcomeStreamError, words: "out of memory",
		},
		{
			name: "instance deleted under the stream", handler: stream(nil, step{ms, tok("a")}), outcome: workload.OutcomeTruncated,
			words: "after 1 tokens without a finish_reason",
		},
		{name: "DONE before the finish", handler: stream(nil, step{ms, tok("a")}, step{ms, doneEvent}), outcome: workload.OutcomeTruncated},
		{name: "connection breaks", handler: stream(errReset, step{ms, tok("a")}), outcome: workload.OutcomeTruncated, words: "unexpected EOF"},
		{
			name: "connection breaks inside an event", handler: stream(errReset, step{ms, tok("a") + `data: {"id":`}),
			outcome: workload.OutcomeTruncated,
		},
		{name: "stream ends inside an event", handler: stream(nil, step{ms, tok("a") + `data: {"id":`}), outcome: workload.OutcomeTruncated},
		{
			name: "connection closed without an answer", handler: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			outcome: workload.OutcomeTruncated, words: "without an answer",
		},
		{
			name: "connection closed within a line of the header", handler: wire("HTTP/1.1 200 OK\r\nContent-Ty"),
			outcome: workload.OutcomeTruncated, words: "without an answer",
		},
		{
			name: "connection closed between lines of the header", handler: wire("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"),
			outcome: workload.OutcomeTruncated, words: "without an answer",
		},
		{
			name: "connection closed within the status", handler: wire("HTTP/1.1 2"),
			outcome: workload.OutcomeTruncated, words: "without an answer",
		},
		{
			name: "connection closed within the first word", handler: wire("HTTP/1.1"),
			outcome: workload.OutcomeTruncated, words: "without an answer",
		},
		{
			name: "a header that is none", handler: wire("HTTP/1.1 200 OK\r\nContent-Ty\r\n\r\n"),
			outcome: workload.OutcomeProtocolError, words: "malformed MIME header",
		},
		{name: "not HTTP, and no line", handler: wire("hello"), outcome: workload.OutcomeProtocolError, words: "malformed HTTP"},
		{name: "not HTTP", handler: wire("hello\r\n\r\n"), outcome: workload.OutcomeProtocolError, words: "malformed HTTP"},
		{
			name: "not JSON", handler: stream(nil, step{ms, "data: hello\n\n"}), outcome: workload.OutcomeProtocolError,
			words: "an event of 5 bytes",
		},
		{name: "JSON of another kind", handler: stream(nil, step{ms, "data: [1]\n\n"}), outcome: workload.OutcomeProtocolError},
		{
			name: "content of another kind", handler: stream(nil, step{ms, data(`{"content":[1]}`, "", "")}), outcome: workload.OutcomeProtocolError,
			words: "not a string",
		},
		{
			name: "event beyond the bound", handler: raw("text/event-stream", "data: "+long), outcome: workload.OutcomeProtocolError, words: "bound",
		},
		{name: "a page", handler: raw("text/html", "<html>"), outcome: workload.OutcomeProtocolError, words: "text/html"},
		{
			name: "a document where a stream was asked for", handler: reply(200, `{"error":"Unexpected endpoint"}`),
			outcome: workload.OutcomeProtocolError, words: "Unexpected endpoint",
		},
		{
			name: "another model", handler: stream(nil, step{ms, strings.Replace(tok("a"), "org/m", "llama-3.2-1b", 1)}),
			outcome: workload.OutcomeModelMismatch, words: `asked for model "org/m", was answered by "llama-3.2-1b"`,
		},
		{
			name: "nothing but an end", handler: stream(nil, step{ms, data(`{}`, "stop", useOf(9, 0, 0))}, step{ms, doneEvent}),
			outcome: workload.OutcomeEmpty,
		},
		{
			name: "tokens that nobody saw", handler: stream(nil, step{ms, data(`{}`, "stop", useOf(9, 3, 0))}, step{ms, doneEvent}),
			outcome: workload.OutcomeEmpty,
		},
		{
			name: "silence before the status", handler: hang, outcome: workload.OutcomeFirstTokenTimeout, words: "within 2m0s",
			after: 2 * time.Minute,
		},
		{name: "keep-alives only", handler: keepAlive(errHang), outcome: workload.OutcomeFirstTokenTimeout, after: 2 * time.Minute},
		{
			name: "role only, then silence", handler: stream(errHang, step{ms, data(`{"role":"assistant"}`, "", "")}),
			outcome: workload.OutcomeFirstTokenTimeout, after: 2 * time.Minute,
		},
		{name: "one token, then keep-alives only", handler: func(w http.ResponseWriter, r *http.Request) {
			stream(nil, step{time.Minute, tok("a")})(w, r)
			keepAlive(errHang)(w, r)
		}, outcome: workload.OutcomeIdleTimeout, words: "within 30s", after: 90 * time.Second},
		{name: "endless", handler: endless, outcome: workload.OutcomeTotalTimeout, words: "within 10m0s", after: 10 * time.Minute},
		{
			name: "exact hit in the prefix cache",
			handler: stream(
				nil, step{ms, data(`{"content":"a"}`, "stop", useOf(9, 1, 0))},
				step{ms, `: generation_stats {"prefix_cache_hit":"exact"}` + "\n\n" + doneEvent},
			),
			outcome: workload.OutcomeProtocolError, words: "prefix cache",
		},
		{
			name: "all but a few tokens cached", dialect: workload.DialectOpenAI,
			handler: stream(nil, step{ms, data(`{"content":"a"}`, "stop", useOf(100, 1, 97))}, step{ms, doneEvent}),
			outcome: workload.OutcomeProtocolError, words: "97 of 100",
		},
		{
			name: "llama.cpp tells of its cache in its own figures", dialect: workload.DialectOpenAI,
			handler: stream(
				nil, step{ms, data(`{"content":"a"}`, "stop", `,"timings":{"cache_n":38,"prompt_n":2,"predicted_n":1}`)}, step{ms, doneEvent},
			),
			outcome: workload.OutcomeProtocolError, words: "38 of 40",
		},
		{
			name: "a template's long head cached", dialect: workload.DialectOpenAI,
			handler: stream(nil, step{ms, data(`{"content":"a"}`, "stop", useOf(110, 1, 64))}, step{ms, doneEvent}), outcome: workload.OutcomeOK,
		},
		{
			name:    "the template's head cached",
			handler: stream(nil, step{ms, data(`{"content":"a"}`, "stop", useOf(100, 1, 49))}, step{ms, doneEvent}), outcome: workload.OutcomeOK,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newFakeNode(t, map[string]http.HandlerFunc{pathV1: tc.handler})
				if tc.dialect == "" {
					tc.dialect = workload.DialectExo1
				}
				start := time.Now()
				r := n.session(tc.dialect, func(o *Options) { o.Endpoint = EndpointV1 }).Measure(t.Context(), request(4096))
				if r.Outcome != tc.outcome || !strings.Contains(r.Err, tc.words) {
					t.Errorf("got %s (%q), want %s with %q", r.Outcome, r.Err, tc.outcome, tc.words)
				}
				if (r.Err == "") != r.OK() {
					t.Errorf("outcome %s with error %q", r.Outcome, r.Err)
				}
				if took := time.Since(start); tc.after != 0 && took != tc.after {
					t.Errorf("took %v, want %v", took, tc.after)
				}
				if len(n.prompts()) != 1 {
					t.Errorf("%d requests, want 1: a measurement is never retried", len(n.prompts()))
				}
			})
		})
	}
}

func raw500(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "Internal Server Error", http.StatusInternalServerError)
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func endless(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		stream(nil, step{10 * time.Second, tok("a")})(w, r)
	}
}

func TestMeasureConnectError(t *testing.T) {
	for _, tc := range []struct {
		name      string
		down      bool
		dialDelay time.Duration
		after     time.Duration
	}{
		{"refused", true, 0, 0},
		{"refused late", true, 2 * time.Second, 2 * time.Second},
		{"a host that is off", false, time.Hour, 10 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newFakeNode(t, map[string]http.HandlerFunc{})
				n.down, n.dialDelay = tc.down, tc.dialDelay
				start := time.Now()
				r := n.session(workload.DialectExo1, nil).Measure(t.Context(), request(4))
				if r.Outcome != workload.OutcomeConnectError || !strings.Contains(r.Err, "dial") || time.Since(start) != tc.after {
					t.Errorf("got %s (%q) after %v, want connect_error after %v", r.Outcome, r.Err, time.Since(start), tc.after)
				}
			})
		})
	}
}

// A timeout that passes before there is a connection is no verdict on the model.
func TestMeasureTimeoutWhileConnecting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNode(t, map[string]http.HandlerFunc{})
		n.dialDelay = 8 * time.Second
		r := n.session(workload.DialectExo1, func(o *Options) { o.Timeouts.FirstToken = 5 * time.Second }).Measure(t.Context(), request(4))
		if r.Outcome != workload.OutcomeConnectError || !strings.Contains(r.Err, "within 5s") {
			t.Errorf("got %s (%q), want connect_error", r.Outcome, r.Err)
		}
		time.Sleep(8 * time.Second) // net/http lets the dial go on
	})
}

// The first-token timeout counts from t0, not from the dial.
func TestMeasureFirstTokenTimeoutCountsFromT0(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNode(t, map[string]http.HandlerFunc{pathV1: stream(nil, step{4 * time.Second, data(`{"content":"a"}`, "stop", "")})})
		n.dialDelay = 3 * time.Second
		r := n.session(workload.DialectOpenAI, func(o *Options) { o.Timeouts.FirstToken = 5 * time.Second }).Measure(t.Context(), request(4))
		if !r.OK() || r.TTFT != 4*time.Second || r.Connect != 3*time.Second {
			t.Errorf("got %s (%q), TTFT %v, connect %v, want ok after 4s and 3s", r.Outcome, r.Err, r.TTFT, r.Connect)
		}
	})
}

// A RoundTripper that reports no connections is no excuse for a wrong outcome.
func TestMeasureConnectErrorWithoutTrace(t *testing.T) {
	refused := roundTripper(func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: io.ErrClosedPipe}
	})
	c, err := New(Options{BaseURL: "http://node.test", Transport: refused, Dialect: workload.DialectOpenAI})
	if err != nil {
		t.Fatal(err)
	}
	s := &session{client: c, dialect: c.fixed, model: "m", id: "org/m"}
	if r := s.Measure(t.Context(), request(4)); r.Outcome != workload.OutcomeConnectError {
		t.Errorf("got %s (%q), want connect_error", r.Outcome, r.Err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestMeasureCanceled(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"before the answer": hang,
		"inside the stream": stream(errHang, step{ms, tok("a")}),
		"after the finish":  stream(errHang, step{ms, data(`{"content":"a"}`, "stop", "")}),
		"inside the refusal": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			_ = http.NewResponseController(w).Flush()
			hang(w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newFakeNode(t, map[string]http.HandlerFunc{pathV1: h})
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				start := time.Now()
				r := n.session(workload.DialectOpenAI, nil).Measure(ctx, request(4))
				if r.Outcome != workload.OutcomeCanceled || time.Since(start) != time.Second {
					t.Errorf("got %s (%q) after %v, want canceled after 1s", r.Outcome, r.Err, time.Since(start))
				}
			})
		})
	}
}

// Hanging up does not stop legacy exo: what it goes on to generate would disturb the next
// request, so a failed answer is read to its end too.
func TestMeasureReadsLegacyToTheEnd(t *testing.T) {
	other := strings.Replace(tok("a"), "org/m", "llama-3.2-1b", 1)
	for name, first := range map[string]string{
		"substituted model": other, "odd event": "data: {\n\n", "error": `data: {"error":"x"}` + "\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				steps := []step{{time.Second, first}}
				for range 10 {
					steps = append(steps, step{20 * time.Second, other})
				}
				ended := false
				n := newFakeNode(t, map[string]http.HandlerFunc{pathV1: func(w http.ResponseWriter, r *http.Request) {
					stream(nil, steps...)(w, r)
					ended = r.Context().Err() == nil
				}})
				r := n.session(workload.DialectExo0, nil).Measure(t.Context(), request(4))
				synctest.Wait()
				if r.OK() || !ended {
					t.Errorf("outcome %s, generation heard to its end: %v", r.Outcome, ended)
				}
			})
		})
	}
}
