package exo

import (
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/answer"
	"exo-bench-exporter/workload/exo/sse"
)

func TestToken(t *testing.T) {
	const none, think, say = answer.None, answer.Before, answer.Content
	for _, tc := range []struct {
		delta      string
		exo, other answer.Token
	}{
		{`{"role":"assistant","content":"a"}`, say, say},
		{`{"role":"assistant","content":""}`, say, none},
		{`{"role":"assistant","content":null}`, none, none},
		{`{"role":"assistant"}`, none, none},
		{`{}`, none, none},
		{`{"content":" "}`, say, say},
		{`{"content":"\u0000"}`, say, say},
		{`{"reasoning_content":"a"}`, think, think},
		{`{"content":null,"reasoning_content":""}`, think, none},
		{`{"reasoning":"a"}`, think, think},
		{`{"content":"","reasoning":"a"}`, think, think},
		{`{"content":"","reasoning_content":""}`, think, none},
		{`{"content":"b","reasoning":"a"}`, say, say},
		{`{"tool_calls":[{"index":0}]}`, think, think},
		{`{"tool_calls":[ ]}`, none, none},
		{`{"tool_calls":null}`, none, none},
		{`{"tool_calls":{}}`, none, none},
	} {
		ev, err := openAI{}.events(sse.NewDecoder(strings.NewReader(`data: {"choices":[{"delta":`+tc.delta+"}]}\n\n"), 0)).Next()
		if err != nil {
			t.Errorf("%s: %v", tc.delta, err)
		}
		for dialect, want := range map[dialect]answer.Token{exo1{}: tc.exo, exo0{}: tc.exo, openAI{}: tc.other} {
			if got := dialect.token(ev.Delta); got != want {
				t.Errorf("%s on %s: %v, want %v", tc.delta, dialect.traits().name, got, want)
			}
		}
	}
}

func TestComment(t *testing.T) {
	for in, want := range map[string]bool{
		"keep-alive":                                          false,
		"generation_stats":                                    false,
		"generation_stats oops":                               false,
		`prefill_progress {"prompt_tps":1}`:                   false,
		`generation_stats {"prompt_tps":"x"}`:                 false,
		`generation_stats {"prompt_tps":1.5}`:                 true,
		`generation_stats {"prompt_tps":2,"new":{"tag":[1]}}`: true,
	} {
		var ev answer.Event
		if got := exo1Comment([]byte(in), &ev) && ev.Stats.PromptTPS > 0; got != want {
			t.Errorf("%q taken for statistics: %v, want %v", in, got, want)
		}
	}
	for _, in := range []string{`{"in_bytes":7}`, `{"inBytes":7}`, `{"inBytes":7.0}`} {
		var ev answer.Event
		exo1Comment([]byte(`generation_stats {"peak_memory_usage":`+in+`}`), &ev)
		if ev.Stats.PeakMemory != 7 {
			t.Errorf("%s read as %+v, want 7 bytes", in, ev.Stats)
		}
	}
}

// FuzzEvent puts any event to the reader of chunks: it must neither panic nor count what
// it cannot time.
func FuzzEvent(f *testing.F) {
	for _, s := range []string{
		`{"id":"r1","model":"org/m","choices":[{"index":0,"delta":{"role":"assistant","content":"a"}}]}`,
		`{"choices":[{"delta":{"content":"","tool_calls":[1]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,` +
			`"prompt_tokens_details":{"cached_tokens":1}}}`,
		`{"error":{"message":"x"}}`, `{"error":null}`, `{"choices":[],"usage":null}`, `{"choices":null}`,
		`{"generation_stats":{},"power_usage":{}}`,
		`[DONE]`, ``, `null`, `{"choices":[{"delta":{"content":[]}}]}`, `{"choices":[{"delta":{"tool_calls":""}}]}`,
	} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, event []byte, complete bool) {
		text := "data: " + string(event)
		if complete {
			text += "\n\n"
		}
		for _, d := range dialects {
			ctx, guard := newGuard(t.Context(), DefaultTimeouts())
			x := &exchange{dialect: d, guard: guard, warn: func(string, ...any) {}, rec: &record{
				dialect: d, asked: "org/m", t0: time.Now(), evidence: answer.Evidence{Asked: 1, Prompt: workload.Prompt{}.MostTokens()},
			}}
			framing := d.traits().framing
			body := strings.Repeat(text, 3)
			if framing.media != framingSSE.media {
				body = strings.Repeat(string(event)+"\n", 3)
			}
			r := x.stream(ctx, framing.decoder(strings.NewReader(body), 0))
			guard.stop()
			if r.Timed != (r.TokenEvents > 0) || r.TTFT+r.Decode != r.E2E || r.OutputTokens > 1 {
				t.Errorf("timed %v for %d token events, %d tokens of one", r.Timed, r.TokenEvents, r.OutputTokens)
			}
			if err := r.Check(workload.Prompt{MaxTokens: 1}); err != nil {
				t.Error(err)
			}
			if (r.Err == "") != r.OK() {
				t.Errorf("%s with error %q", r.Outcome, r.Err)
			}
		}
	})
}
