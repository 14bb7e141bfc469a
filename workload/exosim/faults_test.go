package exosim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload/exosim/wire"
)

// Every kind of fault that strikes a request shows on the wire as exo would show it.
func TestRequestFaults(t *testing.T) {
	const done = "data: [DONE]"
	tests := []struct {
		name   string
		fault  Fault
		tokens int
		last   string // of the stream's events
		err    error  // that reading the stream gives
		end    string // in truth
	}{
		{"error event", Fault{Kind: ErrorEvent, After: 2, Message: "no"}, 2, done, nil, "no"},
		{"runner killed", Fault{Kind: RunnerKilled, After: 2}, 2, done, nil, "Runner shutdown before completing command (signal=9 (Killed))"},
		{"cut", Fault{Kind: Cut, After: 2}, 2, "", nil, "cut"},
		{"reset", Fault{Kind: Reset, After: 2}, 2, "", syscall.ECONNRESET, "reset"},
		{"empty", Fault{Kind: Empty}, 1, done, nil, "ok"},
		{"instance deleted", Fault{Kind: InstanceDeleted, After: 2}, 2, "", nil, "ended from outside"},
		{"stall at first", Fault{Kind: Stall}, 0, ": keep-alive", context.DeadlineExceeded, "client disconnected"},
		{"stall", Fault{Kind: Stall, After: 3}, 3, ": keep-alive", context.DeadlineExceeded, "client disconnected"},
		{"dead instance", Fault{Kind: DeadInstance}, 0, ": keep-alive", context.DeadlineExceeded, "client disconnected"},
		{"election", Fault{Kind: Election, After: 2}, 2, ": keep-alive", context.DeadlineExceeded, "client disconnected"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			simulate(t, Options{}, func(b *bench) {
				b.load(llama8b)
				tt.fault.Model, tt.fault.Count = "llama-3.1-8b", 1
				b.inject(tt.fault)
				ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
				defer cancel()
				req, _ := http.NewRequestWithContext(ctx, "POST", "http://sim/v1/chat/completions", strings.NewReader(chatBody(llama8b, "hi", 5)))
				res, err := b.client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				all, err := events(res.Body)
				if !errors.Is(err, tt.err) {
					t.Errorf("error %v, want %v", err, tt.err)
				}
				if n := len(tokens(all)); n != tt.tokens {
					t.Errorf("%d token events, want %d", n, tt.tokens)
				}
				if last := all[len(all)-1].text; tt.last != "" && last != tt.last || tt.last == "" && strings.Contains(last, "DONE") {
					t.Errorf("last event %q, want %q", last, tt.last)
				}
				if tt.tokens > 1 && slices.ContainsFunc(all, func(e event) bool { return strings.Contains(e.text, "finish_reason") }) {
					t.Error("there is a finish_reason")
				}
				pass(10 * time.Second)
				if end := b.node.Truths(1)[0].End; end != tt.end {
					t.Errorf("truth says %q, want %q", end, tt.end)
				}
				if f := b.node.Faults(); len(f) != 0 {
					t.Errorf("still in force: %+v", f)
				}
			})
		})
	}
}

func TestErrorEventOnTheWire(t *testing.T) {
	for variant, want := range map[Variant]string{
		HEAD:  `data: {"error":{"message":"m","type":"InternalServerError","code":500}}`,
		V1071: `data: {"error":{"message":"m","type":"InternalServerError","param":null,"code":500}}`,
	} {
		simulate(t, Options{Variant: variant}, func(b *bench) {
			b.load(llama1b)
			b.inject(Fault{Kind: ErrorEvent, Message: "m"})
			all, err := b.stream("/v1/chat/completions", chatBody(llama1b, "hi", 5))
			if err != nil {
				t.Error(err)
			}
			compareEvents(t, slices.Delete(all, 1, 4), []string{": keep-alive", want, "data: [DONE]"})
			status, body := b.do("POST", "/bench/chat/completions", `{"model":"`+llama1b+`","messages":[],"max_tokens":2}`)
			if status != http.StatusInternalServerError || body != `{"error":{"message":"m","type":"InternalServerError","param":null,"code":500}}` {
				t.Errorf("/bench as a document: %d %s", status, body)
			}
			status, body = b.do("POST", "/v1/chat/completions", `{"model":"`+llama1b+`","messages":[],"max_tokens":2}`)
			if status != http.StatusOK || body != "" {
				t.Errorf("/v1 as a document: %d %s", status, body)
			}
		})
	}
}

func TestHTTPFaults(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		b.load(llama1b)
		tests := []struct {
			fault  Fault
			path   string
			status int
			body   string
		}{
			{
				Fault{Kind: HTTPError},
				"/v1/chat/completions", 503,
				`{"error":{"message":"Service Unavailable","type":"Service Unavailable","param":null,"code":503}}`,
			},
			{
				Fault{Kind: HTTPError, Status: 429, Message: "later"},
				"/bench/chat/completions", 429,
				`{"error":{"message":"later","type":"Too Many Requests","param":null,"code":429}}`,
			},
			{Fault{Kind: Text500}, "/v1/chat/completions", 500, "Internal Server Error"},
			{Fault{Kind: Text500, Path: "/instance"}, "/instance", 500, "Internal Server Error"},
			{
				Fault{Kind: Unprocessable, Path: "/instance", Message: "no"},
				"/instance", 422,
				`{"detail":[{"type":"extra_forbidden","loc":["body","simulated"],"msg":"no","input":null}]}`,
			},
		}
		for _, tt := range tests {
			tt.fault.Count = 1
			b.inject(tt.fault)
			status, body := b.do("POST", tt.path, chatBody(llama1b, "hi", 1))
			if status != tt.status || body != tt.body {
				t.Errorf("%s: %d %s", tt.fault.Kind, status, body)
			}
		}
	})
}

func TestHangingPath(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		b.inject(Fault{Kind: Stall, Path: "/state", Seconds: 20, Count: 1})
		start := time.Now()
		b.do("GET", "/state", "")
		if took := time.Since(start); took != 20*time.Second {
			t.Errorf("answered after %v", took)
		}
		if status, body := b.do("GET", "/state", ""); status != http.StatusOK || body == "" {
			t.Errorf("then %d %q", status, body)
		}
	})
}

// Skip lets occasions pass, Count limits strikes, Seconds ends a lasting fault, Model aims.
func TestFaultBookkeeping(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		b.load(llama1b)
		b.load(llama8b)
		b.inject(Fault{Kind: HTTPError, Model: llama1b, Skip: 1, Count: 2})
		var got []int
		for _, model := range []string{llama1b, llama8b, llama1b, llama1b, llama1b} {
			status, _ := b.do("POST", "/v1/chat/completions", chatBody(model, "hi", 1))
			got = append(got, status)
		}
		if want := []int{200, 200, 503, 503, 200}; !slices.Equal(got, want) {
			t.Errorf("statuses %v, want %v", got, want)
		}
		id, err := b.node.Inject(Fault{Kind: Slow, Seconds: 5})
		if err != nil || len(b.node.Faults()) != 1 || b.node.Faults()[0].ID != id {
			t.Errorf("%v, faults %+v", err, b.node.Faults())
		}
		pass(5 * time.Second)
		if len(b.node.Faults()) != 0 {
			t.Errorf("not expired: %+v", b.node.Faults())
		}
		for _, bad := range []Fault{{Kind: "nope"}, {Kind: Slow, Percent: 100}, {Kind: Slow, Model: "nope"}, {Kind: Cut, Path: "/"}} {
			if _, err := b.node.Inject(bad); err == nil {
				t.Errorf("%+v was accepted", bad)
			}
		}
	})
}

// A model can be slowed in the middle of an answer.
func TestSlow(t *testing.T) {
	simulate(t, Options{Jitter: -1}, func(b *bench) {
		b.load(llama8b)
		b.load(mistral)
		go func() {
			pass(1200 * time.Millisecond)
			b.inject(Fault{Kind: Slow, Model: "llama-3.1-8b", Percent: 10})
		}()
		all, err := b.stream("/bench/chat/completions", chatBody(llama8b, "hi", 96))
		if err != nil {
			t.Fatal(err)
		}
		toks := tokens(all)
		gap := func(i int) float64 { return toks[i].at.Sub(toks[i-1].at).Seconds() }
		if !near(gap(1), 1.0/48, 1e-6) || !near(gap(95), 1/43.2, 1e-6) {
			t.Errorf("gaps %.6f at first, %.6f at last", gap(1), gap(95))
		}
		all, _ = b.stream("/bench/chat/completions", chatBody(mistral, "hi", 96))
		if tps := statsOf(t, all).GenerationTPS; !near(tps, 55, 1e-3) {
			t.Errorf("the other model's rate is %.1f", tps)
		}
	})
}

func TestUnreachable(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		b.inject(Fault{Kind: Unreachable, Seconds: 30})
		b.refused()
		pass(31 * time.Second)
		if status, _ := b.do("GET", "/node_id", ""); status != http.StatusOK {
			t.Errorf("status %d", status)
		}
	})
}

// left wants the runner's record to stay in the state when the instance and the process are gone.
func left(state string) func(b *bench, id, runner string) {
	return func(b *bench, id, runner string) {
		b.Helper()
		b.do("DELETE", "/instance/"+id, "")
		pass(time.Hour)
		if all, now := b.node.Processes(), b.runner(runner); now != state || len(b.node.Instances()) > 0 || len(all) != 2 {
			b.Errorf("the runner's record says %q; instances %v, processes %v", now, b.node.Instances(), all)
		}
	}
}

func TestInstanceFaults(t *testing.T) {
	tests := []struct {
		fault Fault
		last  string // status of the runner a minute later
		left  bool   // whether the instance is still listed
		check func(b *bench, id, runner string)
	}{
		{Fault{Kind: InstanceVanishes}, "", false, nil},
		{Fault{Kind: RunnerStuck}, wire.RunnerIdle, true, nil},
		{Fault{Kind: RunnerStuck, State: wire.RunnerLoading}, wire.RunnerLoading, true, nil},
		{Fault{Kind: RunnerStuck, State: wire.RunnerLoaded}, wire.RunnerLoaded, true, nil},
		{Fault{Kind: RunnerStuck, State: wire.RunnerWarmingUp}, wire.RunnerWarmingUp, true, nil},
		{Fault{Kind: DownloadFails}, wire.RunnerIdle, true, func(b *bench, _, _ string) {
			_, body := b.do("GET", "/state/downloads/"+b.node.ID(), "")
			if !strings.Contains(body, `{"DownloadFailed":{`) {
				b.Errorf("downloads are %s", body)
			}
		}},
		{Fault{Kind: DownloadFails, Seconds: 5}, wire.RunnerReady, true, nil},
		{Fault{Kind: PlacementLate, Seconds: 50}, wire.RunnerReady, true, nil},
		{Fault{Kind: PlacementLate, Seconds: 70}, "", false, nil},
		{Fault{Kind: BootSlow, Seconds: 70}, "", true, func(b *bench, _, _ string) {
			b.place(llama1b)
			pass(5 * time.Second)
			if all := b.node.Processes(); len(all) != 3 { // exo, its tracker, and the runner that boots
				b.Errorf("meanwhile the worker has made processes: %v", all)
			}
			pass(10 * time.Second)
			if all := b.node.Processes(); len(all) != 4 {
				b.Errorf("and has made none afterwards: %v", all)
			}
		}},
		{Fault{Kind: InstancesHidden}, wire.RunnerReady, false, func(b *bench, id, _ string) {
			if status, _ := b.do("DELETE", "/instance/"+id, ""); status != http.StatusNotFound {
				b.Errorf("deleting it: %d", status)
			}
			if _, body := b.do("GET", "/state/instances", ""); body != "{}" {
				b.Errorf("instances are %s", body)
			}
			b.node.Clear("")
			if _, body := b.do("GET", "/state/instances", ""); !strings.Contains(body, id) {
				b.Errorf("instances are %s", body)
			}
		}},
		{Fault{Kind: RunnerFails}, wire.RunnerFailed, false, nil}, // given up after five attempts
		{Fault{Kind: RunnerFails, Count: 1}, wire.RunnerReady, true, nil},
		{Fault{Kind: RecordLeft}, wire.RunnerReady, true, left(wire.RunnerReady)},
		{Fault{Kind: RecordLeft, State: wire.RunnerRunning}, wire.RunnerReady, true, left(wire.RunnerRunning)},
		{Fault{Kind: RecordLeft, State: wire.RunnerFailed}, wire.RunnerReady, true, left(wire.RunnerFailed)},
		{Fault{Kind: RecordLeft, State: wire.RunnerShuttingDown}, wire.RunnerReady, true, left(wire.RunnerShuttingDown)},
		{Fault{Kind: DeleteIgnored}, wire.RunnerReady, true, func(b *bench, id, runner string) {
			b.do("DELETE", "/instance/"+id, "")
			pass(10 * time.Second)
			if b.runner(runner) != wire.RunnerReady {
				b.Errorf("the runner is %q", b.runner(runner))
			}
		}},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.fault.Kind, tt.fault.State, tt.fault.Seconds), func(t *testing.T) {
			simulate(t, Options{}, func(b *bench) {
				tt.fault.Model = llama8b
				b.inject(tt.fault)
				id, runner := b.place(llama8b)
				pass(time.Minute)
				if got := b.runner(runner); got != tt.last {
					t.Errorf("the runner is %q, want %q", got, tt.last)
				}
				status, _ := b.do("GET", "/instance/"+id, "")
				if left := status == http.StatusOK; left != tt.left {
					t.Errorf("the instance's status is %d", status)
				}
				if tt.check != nil {
					tt.check(b, id, runner)
				}
			})
		})
	}
}

func TestRunnerFailedOnTheWire(t *testing.T) {
	for variant, want := range map[Variant]string{
		HEAD:  `{"RunnerFailed":{"diagnostics":[],"errorMessage":"Terminated (signal=15 (Terminated))"}}`,
		V1071: `{"RunnerFailed":{"errorMessage":"Terminated (signal=15 (Terminated))"}}`,
	} {
		simulate(t, Options{Variant: variant}, func(b *bench) {
			b.inject(Fault{Kind: RunnerFails})
			_, runner := b.place(llama8b)
			b.statuses(runner, is(wire.RunnerFailed))
			_, body := b.do("GET", "/state/runners/"+runner, "")
			compare(t, "runner", body, want)
		})
	}
}

// A runner that has failed is shut down before the next one is made: for exo's worker it is there until then.
func TestErrandsOfFailedRunners(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		b.inject(Fault{Kind: RunnerFails, Count: 2})
		id, _ := b.place(llama8b)
		pass(time.Minute)
		b.do("DELETE", "/instance/"+id, "")
		pass(time.Minute)
		_, body := b.do("GET", "/state/tasks", "")
		if made, shut := strings.Count(body, `"CreateRunner"`), strings.Count(body, `"Shutdown"`); made != 3 || shut != 3 {
			t.Errorf("%d runners made, %d shut down", made, shut)
		}
	})
}

// A fault may strike calls by one method alone, and take the answer after all is done.
func TestAnswerLost(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		if _, err := b.node.Inject(Fault{Kind: AnswerLost}); err == nil {
			t.Error("a fault that would strike nothing was taken")
		}
		b.inject(Fault{Kind: AnswerLost, Path: "POST /models/add", Count: 1})
		if status, _ := b.do("GET", "/models", ""); status != http.StatusOK {
			t.Errorf("GET /models: %d", status)
		}
		res, err := b.client.Post("http://sim/models/add", "application/json", strings.NewReader(`{"model_id":"`+llama8b+`"}`))
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("answer %v, error %v", res, err)
		}
		if _, body := b.do("GET", "/models", ""); !strings.Contains(body, `"is_custom":true`) {
			t.Errorf("nothing has happened: %s", body)
		}
	})
}

func TestDownloadStalls(t *testing.T) {
	simulate(t, Options{NotDownloaded: []string{llama8b}}, func(b *bench) {
		if err := b.node.StartDownload(llama8b); err != nil {
			t.Fatal(err)
		}
		pass(20 * time.Second)
		b.inject(Fault{Kind: DownloadStalls})
		downloads := func() string {
			_, body := b.do("GET", "/state/downloads/"+b.node.ID(), "")
			return body
		}
		before := downloads()
		pass(time.Hour)
		if after := downloads(); !strings.Contains(after, "DownloadOngoing") || after != before {
			t.Errorf("downloads are %s, and were %s", after, before)
		}
		b.node.Clear("")
		pass(time.Minute)
		if after := downloads(); strings.Contains(after, "DownloadOngoing") {
			t.Errorf("downloads are %s", after)
		}
	})
}

func TestPlacementRefused(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		b.inject(Fault{Kind: PlacementRefused})
		_, body := b.do("GET", "/instance/previews?model_id="+llama8b, "")
		if strings.Count(body, `"instance":null,"memory_delta_by_node":null,"error":"No cycles found with sufficient memory"`) != 4 {
			t.Errorf("previews %s", body)
		}
	})
}

func TestStateFaults(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		b.load(llama1b)
		b.inject(Fault{Kind: StatePathsMissing})
		if status, _ := b.do("GET", "/state/instances", ""); status != http.StatusNotFound {
			t.Errorf("/state/instances: %d", status)
		}
		b.node.Clear("")
		b.inject(Fault{Kind: UnknownTags})
		b.inject(Fault{Kind: MovedFields})
		if status, _ := b.do("GET", "/state/nodeMemory", ""); status != http.StatusNotFound {
			t.Errorf("/state/nodeMemory: %d", status)
		}
		_, body := b.do("GET", "/state", "")
		for _, want := range []string{
			"FutureInstance", "RunnerContemplating", "AudioTranscription", "RunnerReady", `"lastValues":{"nodeMemory":{`,
		} {
			if !strings.Contains(body, want) {
				t.Errorf("/state lacks %s", want)
			}
		}
	})
}

func TestMemoryFaults(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		b.inject(Fault{Kind: MemoryKept, Bytes: 1 << 30, Count: 1})
		id, _ := b.load(llama1b)
		b.do("DELETE", "/instance/"+id, "")
		b.gone(id)
		if rss := b.node.Processes()[0].RSS; rss != mainRSS+1<<30 {
			t.Errorf("the main process has %d", rss)
		}
		b.inject(Fault{Kind: MemoryLow, Bytes: 1e9})
		_, body := b.do("GET", "/state/nodeMemory/"+b.node.ID()+"/ramAvailable", "")
		if body != `{"inBytes":1000000000}` {
			t.Errorf("available %s", body)
		}
	})
}

// A re-election holds commands up; after it they work again.
func TestElectionPausesCommands(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		id, _ := b.load(llama8b)
		b.inject(Fault{Kind: Election, Count: 1, Seconds: 12})
		res := b.open("/v1/chat/completions", chatBody(llama8b, "hi", 5))
		defer res.Body.Close()
		pass(2 * time.Second)
		start := time.Now()
		b.do("DELETE", "/instance/"+id, "")
		if took := time.Since(start); took < 10*time.Second || took > 10200*time.Millisecond {
			t.Errorf("DELETE took %v", took)
		}
	})
}

func TestKillRunner(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		id, runner := b.load(llama8b)
		if !b.node.KillRunner(id) || b.node.KillRunner("nope") {
			t.Error("KillRunner")
		}
		pass(time.Second)
		if b.runner(runner) != "" || !b.node.Instances()[0].Listed || len(b.node.Processes()) != 2 {
			t.Errorf("instances %+v, processes %+v", b.node.Instances(), b.node.Processes())
		}
		b.do("DELETE", "/instance/"+id, "")
		pass(time.Second)
		if left := b.node.Instances(); len(left) != 0 {
			t.Errorf("left %+v", left)
		}
	})
}

// Close ends streams and lives in every state, and leaves no goroutine behind.
func TestClose(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		b.load(llama8b)
		b.place(mistral)
		res := b.open("/v1/chat/completions", chatBody(llama8b, "hi", 5000))
		pass(time.Second)
		if err := b.node.Close(); err != nil {
			t.Error(err)
		}
		if _, err := events(res.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("the stream ended with %v", err)
		}
		b.hangUp(res)
		b.refused()
	})
	synctest.Test(t, func(t *testing.T) { // nobody had asked for a connection before
		n := New(Options{})
		_ = n.Close()
		(&bench{T: t, node: n, client: &http.Client{Transport: n.Transport()}}).refused()
	})
}

// An instance that goes in the middle of an answer on /bench leaves what each version makes
// of the end of its own stream.
func TestBenchDocumentWithoutInstance(t *testing.T) {
	for variant, want := range map[Variant]struct {
		status int
		body   string
	}{
		V1071: {http.StatusInternalServerError, "Internal Server Error"},
		HEAD: {http.StatusOK, `{"id":"UUID","object":"chat.completion","created":0,"model":"mlx-community/Llama-3.2-1B-Instruct-4bit",` +
			`"choices":[{"index":0,"message":{"role":"assistant","content":"The answer is","reasoning_content":null,"name":null,` +
			`"tool_calls":null,"tool_call_id":null,"function_call":null},"logprobs":null,"finish_reason":null}],` +
			`"usage":null,"service_tier":null,"generation_stats":null,"power_usage":{`},
	} {
		simulate(t, Options{Variant: variant}, func(b *bench) {
			b.load(llama1b)
			b.inject(Fault{Kind: InstanceDeleted, After: 3})
			status, body := b.do("POST", "/bench/chat/completions", `{"model":"`+llama1b+`","messages":[],"max_tokens":50}`)
			if status != want.status || !strings.HasPrefix(steady(body), want.body) {
				t.Errorf("%s: %d %s", variant, status, steady(body))
			}
		})
	}
}

// Of a runner that was killed nothing is heard for some seconds; then comes the error, and
// another one once it has booted.
func TestKilledRunnerInTime(t *testing.T) {
	simulate(t, Options{Boot: 20 * time.Second}, func(b *bench) {
		_, runner := b.load(llama1b)
		b.inject(Fault{Kind: RunnerKilled, After: 2})
		start := time.Now()
		all, err := b.stream("/v1/chat/completions", chatBody(llama1b, "hi", 50))
		if err != nil {
			t.Fatal(err)
		}
		silence := all[len(all)-1].at.Sub(tokens(all)[1].at)
		if silence < 3600*time.Millisecond || silence > 6*time.Second {
			t.Errorf("the error came after %v", silence)
		}
		if status := b.runner(runner); status != wire.RunnerFailed {
			t.Errorf("the runner is %q", status)
		}
		b.statuses(runner, is(wire.RunnerReady))
		if took := time.Since(start); took < 25*time.Second || took > 28*time.Second {
			t.Errorf("ready again after %v", took)
		}
	})
}

// What changes an answer, or comes between the node and its client, shows on the wire.
func TestShapedAnswers(t *testing.T) {
	const none = time.Duration(0)
	for _, tt := range []struct {
		fault    Fault
		events   int // that carry tokens
		finish   string
		usage    int
		together int           // events that came at the time of the first
		decode   time.Duration // at least, and at most a tenth more
	}{
		{Fault{Kind: ShortAnswer}, 4, "stop", 4, 1, 3 * time.Second / 48},
		{Fault{Kind: IgnoresLimit, Tokens: 60}, 60, "stop", 60, 1, 59 * time.Second / 48},
		{Fault{Kind: WrongUsage, Tokens: -1}, 24, "length", -1, 1, 23 * time.Second / 48},
		{Fault{Kind: SeveralTokens, Tokens: 5}, 5, "length", 24, 1, 19 * time.Second / 48},
		{Fault{Kind: Clumped, Tokens: 12}, 24, "length", 24, 9, 15 * time.Second / 48}, // three reports of progress wait with them
		{Fault{Kind: HeldBack}, 24, "length", 24, 24, none},
		{Fault{Kind: Replayed}, 24, "length", 24, 1, 23 * time.Millisecond / 5},
	} {
		t.Run(string(tt.fault.Kind), func(t *testing.T) {
			simulate(t, Options{Jitter: -1}, func(b *bench) {
				b.load(llama8b)
				b.inject(tt.fault)
				all, err := b.stream("/bench/chat/completions", chatBody(llama8b, "hi", 24))
				if err != nil {
					t.Fatal(err)
				}
				toks := tokens(all)
				if len(toks) != tt.events {
					t.Fatalf("%d events", len(toks))
				}
				last := toks[len(toks)-1]
				if want := fmt.Sprintf(
					`"finish_reason":%q}],"usage":{"prompt_tokens":11,"completion_tokens":%d,`, tt.finish, tt.usage,
				); !strings.Contains(last.text, want) {
					t.Errorf("the last event is %s", last.text)
				}
				together := 0
				for _, e := range toks {
					if e.at.Equal(toks[0].at) {
						together++
					}
				}
				if took := last.at.Sub(toks[0].at); together != tt.together || took < tt.decode-time.Microsecond || took > tt.decode*11/10 {
					t.Errorf("%d events came at first, the last one %v later, want %d and %v", together, took, tt.together, tt.decode)
				}
			})
		})
	}
}

func TestLingers(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		b.load(llama8b)
		b.inject(Fault{Kind: Lingers, Seconds: 25})
		start := time.Now()
		all, err := b.stream("/v1/chat/completions", chatBody(llama8b, "hi", 2))
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 25*time.Second || took > 26*time.Second || all[len(all)-1].text != ": keep-alive" {
			t.Errorf("the stream ended after %v with %v", took, all[len(all)-1])
		}
	})
}

func TestSnakeKeys(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		b.load(llama1b)
		b.inject(Fault{Kind: SnakeKeys})
		_, body := b.do("GET", "/state/node_memory", "")
		if !strings.Contains(body, `"ram_available":{"in_bytes":`) {
			t.Errorf("memory is %s", body)
		}
		_, body = b.do("GET", "/state/runners", "")
		if !strings.Contains(body, `{"RunnerReady":{"prefill_server_port":null}}`) {
			t.Errorf("runners are %s", body)
		}
	})
}
