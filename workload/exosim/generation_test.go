package exosim

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload/exosim/wire"
)

// statsOf returns the generation_stats of a stream.
func statsOf(t *testing.T, all []event) (s wire.Stats[wire.MemorySnake]) {
	t.Helper()
	for _, e := range all {
		if rest, ok := strings.CutPrefix(e.text, ": generation_stats "); ok {
			if err := json.Unmarshal([]byte(rest), &s); err != nil {
				t.Fatal(err)
			}
			return s
		}
	}
	t.Fatalf("no generation_stats in %v", all)
	return s
}

// idOf returns the id of the answer.
func idOf(t *testing.T, e event) string {
	t.Helper()
	var c struct{ ID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(e.text, "data: ")), &c); err != nil {
		t.Fatal(err)
	}
	return c.ID
}

func near(got, want, tolerance float64) bool { return math.Abs(got-want) <= tolerance*want }

// Every model keeps the pace of its profile, at any speed.
func TestPace(t *testing.T) {
	for _, speed := range []float64{1, 8} {
		for _, p := range Profiles() {
			if p.Name == "" {
				continue
			}
			t.Run(fmt.Sprint(p.Name, " ×", speed), func(t *testing.T) {
				simulate(t, Options{Speed: speed, Jitter: -1}, func(b *bench) {
					b.load(p.ExoID)
					start := time.Now()
					all, err := b.stream("/bench/chat/completions", chatBody(p.ExoID, strings.Repeat("abcd", 501), 128))
					if err != nil {
						t.Fatal(err)
					}
					toks := tokens(all)
					if len(toks) != 128 {
						t.Fatalf("%d token events", len(toks))
					}
					ttft := toks[0].at.Sub(start).Seconds() * speed
					least := 510/p.PrefillTPS + 1/p.DecodeTPS
					if ttft < least-0.001 || ttft > least+0.101 {
						t.Errorf("TTFT is %.3f s, want %.3f s and up to one planning tick", ttft, least)
					}
					rate := 127 / toks[127].at.Sub(toks[0].at).Seconds()
					s := statsOf(t, all)
					truth, ok := b.node.Truth(idOf(t, toks[0]))
					if !ok {
						t.Fatal("no truth")
					}
					if !near(rate, p.DecodeTPS*speed, 1e-4) || !near(s.GenerationTPS, rate, 1e-4) || !near(truth.DecodeRate(), rate, 1e-4) {
						t.Errorf("decode rate %.2f, of the server %.2f, in truth %.2f; want %.2f",
							rate, s.GenerationTPS, truth.DecodeRate(), p.DecodeTPS*speed)
					}
					if !near(s.PromptTPS, p.PrefillTPS*speed, 1e-3) {
						t.Errorf("prefill rate %.1f", s.PromptTPS)
					}
				})
			})
		}
	}
}

// The truth has the very times at which the client read the events.
func TestTruth(t *testing.T) {
	simulate(t, Options{AnswerTokens: 40}, func(b *bench) {
		b.load(llama8b)
		start := time.Now()
		all, err := b.stream("/v1/chat/completions", chatBody(llama8b, "hi", 100))
		if err != nil {
			t.Fatal(err)
		}
		toks := tokens(all)
		truth, _ := b.node.Truth(idOf(t, toks[0]))
		if !truth.Received.Equal(start) || truth.End != "ok" || truth.Finish != "stop" || !truth.Streamed ||
			truth.Tokens != 40 || truth.PromptTokens != 11 || truth.Model != llama8b || len(truth.Starts) != 40 {
			t.Errorf("truth is %+v", truth)
		}
		for i, e := range toks {
			if !truth.Writes[i].Equal(e.at) {
				t.Fatalf("token %d was written at %v and read at %v", i, truth.Writes[i], e.at)
			}
		}
		if last := b.node.Truths(1); len(last) != 1 || last[0].ID != truth.ID {
			t.Errorf("last truth is %+v", last)
		}
	})
}

// The same seed gives the same gaps, another one others, all of them about 1 % apart.
func TestJitter(t *testing.T) {
	gaps := func(seed uint64) (all []float64) {
		simulate(t, Options{Seed: seed}, func(b *bench) {
			b.load(llama1b)
			got, err := b.stream("/bench/chat/completions", chatBody(llama1b, "hi", 400))
			if err != nil {
				t.Fatal(err)
			}
			toks := tokens(got)
			for i := 1; i < len(toks); i++ {
				all = append(all, toks[i].at.Sub(toks[i-1].at).Seconds())
			}
		})
		return all
	}
	one, again, other := gaps(1), gaps(1), gaps(2)
	if !slices.Equal(one, again) || slices.Equal(one, other) {
		t.Error("the seed does not decide the gaps")
	}
	var sum, squares float64
	for _, g := range one {
		l := math.Log(g * 245)
		sum += l
		squares += l * l
	}
	n := float64(len(one))
	if sd := math.Sqrt(squares/n - sum*sum/n/n); sd < 0.008 || sd > 0.012 {
		t.Errorf("standard deviation of log gaps is %.4f", sd)
	}
}

func TestPrefixCache(t *testing.T) {
	simulate(t, Options{Jitter: -1}, func(b *bench) {
		b.load(llama8b)
		long := strings.Repeat("abcdefgh", 250) // 500 tokens, more than a second of prefill
		ask := func(path, prompt string) (hit string, cached int, ttft time.Duration, tps float64) {
			start := time.Now()
			all, err := b.stream(path, chatBody(llama8b, prompt, 2))
			if err != nil {
				t.Fatal(err)
			}
			toks := tokens(all)
			truth, _ := b.node.Truth(idOf(t, toks[0]))
			s := statsOf(t, all)
			return s.PrefixCacheHit, truth.CachedTokens, toks[0].at.Sub(start), s.PromptTPS
		}
		tests := []struct {
			path, prompt string
			hit          string
			cached       int
			atMost       time.Duration
		}{
			{"/bench/chat/completions", long, "none", 0, 2 * time.Second},
			{"/bench/chat/completions", long, "none", 0, 2 * time.Second},
			{"/v1/chat/completions", long, "none", 0, 2 * time.Second},
			{"/v1/chat/completions", long, "exact", 508, 150 * time.Millisecond},
			{"/v1/chat/completions", long + " and more", "partial", 506, 200 * time.Millisecond},
			// A nonce at the start leaves what the template puts before it.
			{"/v1/chat/completions", "0f3a " + long, "partial", 6, 2 * time.Second},
		}
		for _, tt := range tests {
			hit, cached, ttft, tps := ask(tt.path, tt.prompt)
			if hit != tt.hit || cached != tt.cached || ttft > tt.atMost || tt.atMost > time.Second && ttft < time.Second {
				t.Errorf("%s %.10s…: %s with %d cached tokens after %v, want %s with %d", tt.path, tt.prompt, hit, cached, ttft, tt.hit, tt.cached)
			}
			if !near(tps, 410, 0.01) { // an exact hit reports the rate of old
				t.Errorf("prompt_tps %.1f", tps)
			}
		}
	})
}

// Silence on a stream is filled with comments, every ten seconds of it.
func TestKeepAlive(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		b.load(llama8b)
		b.inject(Fault{Kind: Stall, After: 2, Seconds: 35})
		all, err := b.stream("/v1/chat/completions", chatBody(llama8b, "hi", 4))
		if err != nil {
			t.Fatal(err)
		}
		var beats []time.Duration
		var last time.Time
		for _, e := range all[1:] {
			if e.text == ": keep-alive" {
				beats = append(beats, e.at.Sub(last))
			}
			last = e.at
		}
		if want := []time.Duration{10 * time.Second, 10 * time.Second, 10 * time.Second}; !slices.Equal(beats, want) {
			t.Errorf("keep-alives after %v, want %v", beats, want)
		}
		if n := len(tokens(all)); n != 4 {
			t.Errorf("%d tokens after the stall", n)
		}
	})
}

// A client that goes away ends the generation; its task stays in the state, with the prompt.
func TestDisconnectCancels(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		_, runner := b.load(llama8b)
		res := b.open("/v1/chat/completions", chatBody(llama8b, "my secret question", 5000))
		pass(2 * time.Second)
		if b.runner(runner) != wire.RunnerRunning || b.node.RunningTasks() != 1 {
			t.Errorf("runner is %s, %d tasks run", b.runner(runner), b.node.RunningTasks())
		}
		_, body := b.do("GET", "/state/tasks", "")
		if !strings.Contains(body, `"taskStatus":"Running"`) || !strings.Contains(body, "my secret question") {
			t.Errorf("tasks are %s", body)
		}
		_ = res.Body.Close()
		pass(time.Second)
		if b.runner(runner) != wire.RunnerReady || b.node.RunningTasks() != 0 {
			t.Errorf("runner is %s, %d tasks run", b.runner(runner), b.node.RunningTasks())
		}
		_, body = b.do("GET", "/state/tasks", "")
		if !strings.Contains(body, `"taskStatus":"Cancelled"`) || !strings.Contains(body, `"cancelledTaskId":`) ||
			!strings.Contains(body, "my secret question") {
			t.Errorf("tasks are %s", body)
		}
		if end := b.node.Truths(1)[0].End; end != "client disconnected" {
			t.Errorf("truth says %q", end)
		}
	})
}

func TestCancelRoute(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		b.load(llama8b)
		res := b.open("/v1/chat/completions", chatBody(llama8b, "hi", 5000))
		defer res.Body.Close()
		go func() {
			pass(2 * time.Second)
			id := b.node.Truths(1)[0].ID
			_, body := b.do("POST", "/v1/cancel/"+id, "")
			compare(t, "cancel", body, `{"message":"Command cancelled.","command_id":"UUID"}`)
		}()
		all, err := events(res.Body)
		if err != nil || strings.Contains(all[len(all)-1].text, "DONE") {
			t.Errorf("the stream ended with %v, %v", all[len(all)-1], err)
		}
		pass(time.Second)
	})
}

// Strangers' work slows the measured model down, and only while it lasts.
func TestContention(t *testing.T) {
	simulate(t, Options{Jitter: -1}, func(b *bench) {
		b.load(llama8b)
		rate := func() float64 {
			all, err := b.stream("/bench/chat/completions", chatBody(llama8b, "hi", 48))
			if err != nil {
				t.Fatal(err)
			}
			return statsOf(t, all).GenerationTPS
		}
		if r := rate(); !near(r, 48, 0.01) {
			t.Errorf("alone: %.1f", r)
		}
		id, err := b.node.PlaceStranger("mistral-7b")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.node.StartStranger("mistral-7b", 400); err == nil {
			t.Error("a stranger could use an instance that is not listed yet")
		}
		pass(10 * time.Second)
		task, err := b.node.StartStranger("mistral-7b", 400)
		if err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if r := rate(); !near(r, 24, 0.01) {
			t.Errorf("with another instance at work: %.1f", r)
		}
		_, state := b.do("GET", "/state/tasks", "")
		if !strings.Contains(state, StrangerPrompt) {
			t.Error("the stranger's prompt is not in the state, where exo has it")
		}
		pass(30 * time.Second)
		if truth, _ := b.node.Truth(task); truth.End != "ok" || truth.Tokens != 400 || truth.Route != "" {
			t.Errorf("the stranger's truth is %+v", truth)
		}
		if r := rate(); !near(r, 48, 0.01) {
			t.Errorf("alone again: %.1f", r)
		}
		if !b.node.DeleteStranger(id) || b.node.DeleteStranger("nope") {
			t.Error("DeleteStranger")
		}
	})
}

// Without a stream the header comes first and the document at the end.
func TestDocument(t *testing.T) {
	simulate(t, Options{AnswerTokens: 3}, func(b *bench) {
		b.load(llama1b)
		body := strings.Replace(chatBody(llama1b, "hi", 9), `"stream":true`, `"stream":false`, 1)
		status, got := b.do("POST", "/v1/chat/completions", body)
		if status != http.StatusOK {
			t.Errorf("status %d", status)
		}
		compare(
			t, "document", got,
			`{"id":"UUID","object":"chat.completion","created":0,"model":"mlx-community/Llama-3.2-1B-Instruct-4bit","choices":[{"index":0,`+
				`"message":{"role":"assistant","content":"The answer"},"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":3,`+
				`"total_tokens":14,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,`+
				`"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}`,
		)
	})
}
