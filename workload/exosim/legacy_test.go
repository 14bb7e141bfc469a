package exosim

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestLegacyStream(t *testing.T) {
	simulate(t, Options{Dialect: Exo0, AnswerTokens: 3}, func(b *bench) {
		start := time.Now()
		res := b.open("/v1/chat/completions", chatBody("deepseek-r1-distill-qwen-7b", "hi", 1))
		defer res.Body.Close()
		// Load, prefill and the first token come before the header.
		if took := time.Since(start); took < 1700*time.Millisecond || took > 1900*time.Millisecond {
			t.Errorf("the header came after %v", took)
		}
		if got := res.Header.Get("Content-Type"); got != "text/event-stream" {
			t.Errorf("Content-Type %q", got)
		}
		all, err := events(res.Body)
		if err != nil {
			t.Error(err)
		}
		const head = `data: {"id": "chatcmpl-UUID", "object": "chat.completion", "created":0, "model": "deepseek-r1-distill-qwen-7b", ` +
			`"system_fingerprint": "exo_0.0.1", "choices": [{"index": 0, "message": {"role": "assistant", "content": `
		compareEvents(t, all, []string{
			head + `"The"}, "logprobs": null, "finish_reason": null, "delta": {"role": "assistant", "content": "The"}}]}`,
			head + `" answer"}, "logprobs": null, "finish_reason": null, "delta": {"role": "assistant", "content": " answer"}}]}`,
			head + `"<\uff5cend\u2581of\u2581sentence\uff5c>"}, "logprobs": null, "finish_reason": "stop", "delta": {"role": "assistant", ` +
				`"content": "<\uff5cend\u2581of\u2581sentence\uff5c>"}}]}`,
		})
	})
}

func TestLegacyDocument(t *testing.T) {
	simulate(t, Options{Dialect: Exo0, AnswerTokens: 500, MaxGenerateTokens: 3}, func(b *bench) {
		body := strings.Replace(chatBody("llama-3.2-1b", "hi", 1), `"stream":true`, `"stream":false`, 1)
		_, got := b.do("POST", "/v1/chat/completions", body)
		compare(
			t, "document", got,
			`{"id": "chatcmpl-UUID", "object": "chat.completion", "created":0, "model": "llama-3.2-1b", "system_fingerprint": "exo_0.0.1", `+
				`"choices": [{"index": 0, "message": {"role": "assistant", "content": "The answer is"}, "logprobs": null, "finish_reason": `+
				`"length"}], "usage": {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}}`,
		)
	})
}

func TestLegacySubstitutes(t *testing.T) {
	simulate(t, Options{Dialect: Exo0, AnswerTokens: 2}, func(b *bench) {
		for _, model := range []string{"mistral-7b", "gpt-4", ""} {
			all, err := b.stream("/v1/chat/completions", chatBody(model, "hi", 1))
			if err != nil || len(all) != 2 || !strings.Contains(all[0].text, `"model": "llama-3.2-1b"`) {
				t.Errorf("%q: %v, %v", model, all, err)
			}
		}
	})
}

func TestLegacyRoutes(t *testing.T) {
	simulate(t, Options{Dialect: Exo0, Engine: Tinygrad}, func(b *bench) {
		tests := []struct {
			method, path, body string
			status             int
			want               string
		}{
			{"GET", "/healthcheck", "", 200, `{"status": "ok"}`},
			{
				"GET", "/v1/models", "", 200,
				`{"object": "list", "data": [{"id": "llama-3.1-8b", "object": "model", "owned_by": "exo", "ready": true}, {"id": "llama-3.2-1b", ` +
					`"object": "model", "owned_by": "exo", "ready": true}, {"id": "deepseek-r1-distill-qwen-7b", "object": "model", "owned_by": "exo", ` +
					`"ready": true}, {"id": "qwen-2.5-7b", "object": "model", "owned_by": "exo", "ready": true}, {"id": "mistral-nemo", "object": ` +
					`"model", "owned_by": "exo", "ready": true}]}`,
			},
			{
				"GET", "/initial_models", "", 200,
				`{"llama-3.1-8b": {"name": "Llama 3.1 8B", "downloaded": null, "download_percentage": null, "total_size": null, "total_downloaded": ` +
					`null, "loading": true}, "llama-3.2-1b": {"name": "Llama 3.2 1B", "downloaded": null, "download_percentage": null, "total_size": ` +
					`null, "total_downloaded": null, "loading": true}}`,
			},
			{
				"GET", "/topology", "", 200,
				`{"nodes": {"NODE": {"model": "Simulated Mac mini", "chip": "Apple M4 Pro", "memory": 49152, "flops": {"fp32": 9.2, "fp16": 18.4, ` +
					`"int8": 36.8}}}, "peer_graph": {}, "active_node_id": null}`,
			},
			{
				"POST", "/v1/chat/completions", chatBody("mistral-nemo", "hi", 1), 400,
				`{"detail": "Unsupported model: mistral-nemo with inference engine TinygradDynamicShardInferenceEngine. Supported models for this ` +
					`engine: ['llama-3.1-8b', 'llama-3.2-1b']"}`,
			},
			{"POST", "/v1/chat/completions", `{`, 500, "500 Internal Server Error\n\nServer got itself in trouble"},
			{"POST", "/quit", "", 200, `{"detail": "Quit signal received"}`},
			{"GET", "/node_id", "", 404, ``},
			{"POST", "/instance", "", 405, `405: Method Not Allowed`},
		}
		for _, tt := range tests {
			status, body := b.do(tt.method, tt.path, tt.body)
			if status != tt.status {
				t.Errorf("%s %s: status %d, want %d", tt.method, tt.path, status, tt.status)
			}
			compare(t, tt.method+" "+tt.path, body, tt.want)
		}
		if n := b.node.Calls()["POST /quit"]; n != 1 {
			t.Errorf("POST /quit was counted %d times", n)
		}
	})
}

// A client that hangs up does not stop the generation, which holds up the next request.
func TestLegacyGoesOnWithoutClient(t *testing.T) {
	ttft := func(hangUp bool) (d time.Duration) {
		simulate(t, Options{Dialect: Exo0, AnswerTokens: 400, Jitter: -1}, func(b *bench) {
			res := b.open("/v1/chat/completions", chatBody("llama-3.1-8b", "first", 1))
			if hangUp {
				b.hangUp(res)
			} else if _, err := events(res.Body); err != nil {
				t.Error(err)
			}
			start := time.Now()
			next := b.open("/v1/chat/completions", chatBody("llama-3.2-1b", "second", 1))
			_ = next.Body.Close()
			d = time.Since(start)
		})
		return d
	}
	patient, impatient := ttft(false), ttft(true)
	if patient > time.Second || impatient < 8*time.Second {
		t.Errorf("the next answer began after %v when the last was read, %v when it was abandoned", patient, impatient)
	}
}

func TestLegacyMemoryOfASwitch(t *testing.T) {
	simulate(t, Options{Dialect: Exo0, AnswerTokens: 2}, func(b *bench) {
		rss := func() uint64 { return b.node.Processes()[0].RSS }
		before := rss()
		if before != exo0RSS || len(b.node.Processes()) != 1 {
			t.Errorf("before any load: %v", b.node.Processes())
		}
		b.do("POST", "/v1/chat/completions", chatBody("llama-3.1-8b", "hi", 1))
		first := rss()
		b.do("POST", "/v1/chat/completions", chatBody("deepseek-r1-distill-qwen-7b", "hi", 1))
		second, peak := rss(), b.node.Processes()[0].PeakRSS
		if first < before+4_640_000_000 || second > before+4_400_000_000 || peak < before+8_900_000_000 {
			t.Errorf("RSS %d, then %d, then %d with a peak of %d", before, first, second, peak)
		}
	})
}

func TestLegacyFaults(t *testing.T) {
	tests := []struct {
		fault  Fault
		status int    // 0: the connection breaks before the header
		want   string // of the body, or of the error that reading it gives
	}{
		{Fault{Kind: RunnerFails}, 500, `{"detail": "Error processing prompt (see logs with DEBUG>=2): simulated failure of the load"}`},
		{Fault{Kind: Stall}, 408, `{"detail": "Request timed out"}`},
		{Fault{Kind: HTTPError, Status: 502, Message: "bad"}, 502, `{"detail":"bad"}`},
		{Fault{Kind: Text500}, 500, "Internal Server Error"},
		{Fault{Kind: Empty}, 200, ""},
	}
	for _, tt := range tests {
		t.Run(string(tt.fault.Kind), func(t *testing.T) {
			simulate(t, Options{Dialect: Exo0, AnswerTokens: 3}, func(b *bench) {
				tt.fault.Model, tt.fault.Count = "llama-3.1-8b", 1
				b.inject(tt.fault)
				status, body := b.do("POST", "/v1/chat/completions", chatBody("llama-3.1-8b", "hi", 1))
				if status != tt.status || body != tt.want {
					t.Errorf("%d %s", status, body)
				}
				if status, _ = b.do("POST", "/v1/chat/completions", chatBody("llama-3.1-8b", "hi", 1)); status != http.StatusOK {
					t.Errorf("the next request: %d", status)
				}
			})
		})
	}
}

func TestLegacyStranger(t *testing.T) {
	simulate(t, Options{Dialect: Exo0, AnswerTokens: 97, Jitter: -1}, func(b *bench) {
		rate := func() float64 {
			all, err := b.stream("/v1/chat/completions", chatBody("llama-3.1-8b", "hi", 1))
			if err != nil || len(all) != 97 {
				t.Fatalf("%d events, %v", len(all), err)
			}
			return 96 / all[96].at.Sub(all[0].at).Seconds()
		}
		alone := rate()
		if _, err := b.node.StartStranger("mistral-7b", 10); err == nil {
			t.Error("a stranger got a model that legacy exo does not have")
		}
		if _, err := b.node.PlaceStranger("llama-3.1-8b"); err == nil {
			t.Error("a stranger placed an instance on legacy exo")
		}
		if _, err := b.node.StartStranger("llama-3.1-8b", 500); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if together := rate(); !near(alone, 48, 1e-3) || !near(together, 24, 1e-3) {
			t.Errorf("%.1f tokens/s alone, %.1f beside a stranger", alone, together)
		}
	})
}
