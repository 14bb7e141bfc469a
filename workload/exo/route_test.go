package exo

import (
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
)

// benchJSON is what /bench of v1.0.71 answers.
const benchJSON = `{"id":"c5","object":"chat.completion","created":1,"model":"org/m","choices":[{"index":0,` +
	`"message":{"role":"assistant","content":"x","reasoning_content":null,"name":null,"tool_calls":null,"tool_call_id":null,` +
	`"function_call":null},"logprobs":null,"finish_reason":"length"}],"usage":null,"service_tier":null,` +
	`"generation_stats":{"prompt_tps":812.5,"generation_tps":74.2,"prompt_tokens":23,"generation_tokens":3,` +
	`"peak_memory_usage":{"inBytes":1073741824},"prefix_cache_hit":"none"},` +
	`"power_usage":{"elapsed_seconds":1.5,"nodes":[{"node_id":"n1","samples":3,"avg_sys_power":21.0}],"total_avg_sys_power_watts":21.0,` +
	`"total_energy_joules":31.5}}`

var good = stream(nil, step{ms, tok("a")}, step{ms, data(`{"content":"b"}`, "length", useOf(100, 2, 0))}, step{ms, doneEvent})

func document(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(1500 * ms)
		reply(status, body)(w, r)
	}
}

const noInstance = `{"error":{"message":"No instance found for model org/m","type":"Not Found","param":null,"code":404}}`

// The first request finds out by which route prompts are put; the following ones take it.
func TestRoutes(t *testing.T) {
	for _, tc := range []struct {
		name   string
		choice EndpointChoice
		bench  http.HandlerFunc
		warm   []string // routes that the warm-up took
		next   []string // routes that the first measured request took
		first  []string // routes that a measured request takes that was not preceded by a warm-up
		found  workload.Endpoint
		ok     bool
	}{
		{"/bench streams", EndpointAuto, good, []string{"bench"}, []string{"bench"}, []string{"bench"}, workload.EndpointBench, true},
		{
			"/bench answers a document", EndpointAuto, document(200, benchJSON),
			[]string{"bench"},
			[]string{"v1"},
			[]string{"bench", "v1"},
			workload.EndpointV1, true,
		},
		{
			"no /bench", EndpointAuto, reply(404, `{"detail":"Not Found"}`),
			[]string{"bench", "bench", "v1"},
			[]string{"v1"},
			[]string{"bench", "bench", "v1"},
			workload.EndpointV1, true,
		},
		{
			"/bench is a page", EndpointAuto, reply(405, `{"detail":"Method Not Allowed"}`),
			[]string{"bench", "bench", "v1"},
			[]string{"v1"},
			[]string{"bench", "bench", "v1"},
			workload.EndpointV1, true,
		},
		{"no instance proves nothing", EndpointAuto, reply(404, noInstance), []string{"bench"}, []string{"bench"}, []string{"bench"}, "", false},
		{
			"a document that is no answer proves nothing", EndpointAuto, reply(200, `{"status":"ok"}`),
			[]string{"bench"},
			[]string{"bench"},
			[]string{"bench"},
			"", false,
		},
		{"a server error proves nothing", EndpointAuto, raw500, []string{"bench"}, []string{"bench"}, []string{"bench"}, "", false},
		{"v1 wanted", EndpointV1, good, []string{"v1"}, []string{"v1"}, []string{"v1"}, workload.EndpointV1, true},
		{
			"bench wanted", EndpointBench, document(200, benchJSON),
			[]string{"bench"},
			[]string{"bench"},
			[]string{"bench"},
			workload.EndpointBenchJSON, true,
		},
		{
			"bench wanted in vain", EndpointBench, reply(405, ``),
			[]string{"bench", "bench"},
			[]string{"bench", "bench"},
			[]string{"bench", "bench"},
			"", false,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newFakeNode(t, map[string]http.HandlerFunc{pathV1: good, "/bench/chat/completions": tc.bench})
				routes := func() []string {
					var r []string
					for _, p := range n.paths() {
						r = append(r, strings.Split(p, "/")[1])
					}
					return r
				}
				choose := func(o *Options) { o.Endpoint = tc.choice }
				s := n.session(workload.DialectExo1, choose)
				warmup := request(4)
				warmup.Warmup = true
				if r := s.Measure(t.Context(), warmup); r.OK() != tc.ok || !r.Warmup {
					t.Errorf("warm-up: %s (%s), want ok: %v", r.Outcome, r.Err, tc.ok)
				}
				if got := routes(); !slices.Equal(got, tc.warm) {
					t.Errorf("warm-up took %v, want %v", got, tc.warm)
				}
				if got := s.client.Endpoint(); got != tc.found {
					t.Errorf("found %q, want %q", got, tc.found)
				}
				r := s.Measure(t.Context(), request(4))
				if got := routes(); r.OK() != tc.ok || !slices.Equal(got, tc.next) {
					t.Errorf("request: %s (%s) by %v, want ok: %v by %v", r.Outcome, r.Err, got, tc.ok, tc.next)
				}
				if r.OK() && r.Endpoint != tc.found {
					t.Errorf("the result says %q, the client %q", r.Endpoint, tc.found)
				}
				r = n.session(workload.DialectExo1, choose).Measure(t.Context(), request(4))
				if got := routes(); r.OK() != tc.ok || r.Timed != (tc.ok && tc.choice != EndpointBench) || !slices.Equal(got, tc.first) {
					t.Errorf("without warm-up: %s, timed %v by %v, want ok: %v by %v", r.Outcome, r.Timed, got, tc.ok, tc.first)
				}
			})
		})
	}
}

func TestBenchDocument(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		outcome    workload.Outcome
		words      string
	}{
		{"good", benchJSON, workload.OutcomeOK, ""},
		{"error", `{"error":{"message":"out of memory","code":500}}`, workload.OutcomeStreamError, "out of memory"},
		{"empty", ``, workload.OutcomeTruncated, "empty"},
		{"not JSON", `{"id":`, workload.OutcomeProtocolError, "not a chat completion"},
		{"no finish", strings.Replace(benchJSON, `"length"`, `null`, 1), workload.OutcomeTruncated, ""},
		{"no figures", `{"model":"org/m","choices":[{"finish_reason":"length"}],"usage":null}`, workload.OutcomeEmpty, ""},
		{"another model", strings.Replace(benchJSON, "org/m", "org/n", 1), workload.OutcomeModelMismatch, ""},
		{"cached", strings.Replace(benchJSON, `"none"`, `"exact"`, 1), workload.OutcomeProtocolError, "prefix cache"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newFakeNode(t, map[string]http.HandlerFunc{"/bench/chat/completions": document(200, tc.body)})
				r := n.session(workload.DialectExo1, func(o *Options) { o.Endpoint = EndpointBench }).Measure(t.Context(), request(4))
				if r.Outcome != tc.outcome || !strings.Contains(r.Err, tc.words) {
					t.Fatalf("got %s (%q), want %s", r.Outcome, r.Err, tc.outcome)
				}
				if r.Timed || r.TTFT != 0 || r.E2E != 1500*ms || r.Endpoint != workload.EndpointBenchJSON {
					t.Errorf("timed %v, TTFT %v, E2E %v, endpoint %s: nothing but the whole can be timed", r.Timed, r.TTFT, r.E2E, r.Endpoint)
				}
				if !r.OK() {
					return
				}
				if r.OutputTokens != 3 || r.TokenSource != workload.TokensFromStats || r.TokenMismatch || r.PromptTokens != 23 ||
					r.EnergyJoules != 31.5 || r.FinishReason != "length" {
					t.Errorf(
						"%d tokens by %s, mismatch %v, prompt %d, %v J, finish %q", r.OutputTokens, r.TokenSource, r.TokenMismatch, r.PromptTokens,
						r.EnergyJoules, r.FinishReason,
					)
				}
				if r.Server == nil || r.Server.PeakMemoryBytes != 1<<30 || r.Server.GenerationTPS != 74.2 {
					t.Errorf("server figures %+v", r.Server)
				}
			})
		})
	}
}

// A document that takes longer than the first token may is no failure: it has no tokens to
// be late with.
func TestBenchDocumentIsBoundOnlyAsAWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNode(t, map[string]http.HandlerFunc{"/bench/chat/completions": func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(90 * time.Second)
			document(200, benchJSON)(w, r)
		}})
		s := n.session(workload.DialectExo1, func(o *Options) { o.Endpoint = EndpointBench })
		if r := s.Measure(t.Context(), request(4)); !r.OK() {
			t.Fatalf("the first: %s (%s)", r.Outcome, r.Err)
		}
		s.client.opts.Timeouts.FirstToken = time.Minute
		if r := s.Measure(t.Context(), request(4)); !r.OK() {
			t.Errorf("the second: %s (%s)", r.Outcome, r.Err)
		}
	})
}

func TestRequestBodies(t *testing.T) {
	nonced := regexp.MustCompile(`^[1-9][0-9]{8}\nBe brief\.$`)
	for _, tc := range []struct {
		dialect workload.Dialect
		choice  EndpointChoice
		nonce   bool
		usage   bool
	}{
		{workload.DialectExo1, EndpointAuto, false, false}, // /bench has its prefix cache off
		{workload.DialectExo1, EndpointV1, true, false},
		{workload.DialectExo0, "", false, false},
		{workload.DialectOpenAI, "", true, true},
	} {
		t.Run(fmt.Sprint(tc.dialect, tc.choice), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newFakeNode(t, map[string]http.HandlerFunc{pathV1: good, "/bench/chat/completions": good})
				s := n.session(tc.dialect, func(o *Options) { o.Endpoint = tc.choice; o.APIKey = "s3cret" })
				req := request(17)
				req.Temperature, req.Seed = 0, 42
				s.Measure(t.Context(), req)
				s.Measure(t.Context(), req)
				got := n.prompts()
				if len(got) != 2 {
					t.Fatalf("%d requests", len(got))
				}
				if n.dials != 2 {
					t.Errorf("%d connections for 2 requests: each has to have its own", n.dials)
				}
				for _, g := range got {
					b := g.body
					if b.Model != "org/m" || b.MaxTokens != 17 || b.Temperature == nil || *b.Temperature != 0 || b.Seed == nil || *b.Seed != 42 ||
						!b.Stream {
						t.Errorf("body %+v", b)
					}
					if (b.StreamOptions != nil && b.StreamOptions.IncludeUsage) != tc.usage {
						t.Errorf("stream options %+v, want usage asked for: %v", b.StreamOptions, tc.usage)
					}
					if g.auth != "Bearer s3cret" {
						t.Errorf("authorization %q", g.auth)
					}
					if nonced.MatchString(b.Messages[0].Content) != tc.nonce || b.Messages[1].Content != "Hi" || len(b.Messages) != 2 {
						t.Errorf("messages %+v, want a nonce: %v", b.Messages, tc.nonce)
					}
				}
				if same := got[0].body.Messages[0] == got[1].body.Messages[0]; same == tc.nonce {
					t.Errorf("first messages equal: %v", same)
				}
				if req.Prompt.Messages[0].Content != "Be brief." {
					t.Error("the suite's own message was changed")
				}
			})
		})
	}
}

func TestNonces(t *testing.T) {
	ns := newNonces()
	seen := map[string]bool{}
	for range 100_000 {
		n := ns.next()
		if len(n) != 9 || seen[n] {
			t.Fatalf("nonce %q has not nine digits or comes again", n)
		}
		seen[n] = true
	}
	for _, prime := range []uint64{2, 3, 5} { // the factors of nonceCount
		if nonceStep%prime == 0 {
			t.Errorf("the step has the factor %d in common with the number of nonces: they would come again early", prime)
		}
	}
}

// The first request to a legacy node loads the model, so the warm-up is granted the time.
func TestWarmupMayLoad(t *testing.T) {
	for d, want := range map[workload.Dialect]workload.Outcome{
		workload.DialectExo0: workload.OutcomeOK, workload.DialectOpenAI: workload.OutcomeOK,
		workload.DialectExo1: workload.OutcomeFirstTokenTimeout,
	} {
		synctest.Test(t, func(t *testing.T) {
			n := newFakeNode(t, map[string]http.HandlerFunc{pathV1: stream(nil, step{11 * time.Minute, data(`{"content":"a"}`, "stop", "")})})
			s := n.session(d, func(o *Options) { o.Endpoint = EndpointV1 })
			req := request(4)
			req.Warmup = true
			if r := s.Measure(t.Context(), req); r.Outcome != want {
				t.Errorf("%s: warm-up after 11 minutes: %s (%s), want %s", d, r.Outcome, r.Err, want)
			}
			if r := s.Measure(t.Context(), request(4)); r.Outcome != workload.OutcomeFirstTokenTimeout {
				t.Errorf("%s: a measured request after 11 minutes: %s", d, r.Outcome)
			}
		})
	}
}

// A route that was refused is asked for again by a warm-up, once an hour, and taken when it streams. What is
// measured asks for nothing else meanwhile.
func TestRefusedRouteIsAskedForAgain(t *testing.T) {
	for _, tc := range []struct {
		name  string
		later http.HandlerFunc // what /bench answers an hour later
		again []string         // routes that the first warm-up after that took
		next  []string         // routes that the next request took
		found workload.Endpoint
		hours []string // routes that a warm-up took after another hour
	}{
		{"it streams", good, []string{"bench"}, []string{"bench"}, workload.EndpointBench, []string{"bench"}},
		{
			"it is refused still", reply(405, ``),
			[]string{"bench", "bench", "v1"},
			[]string{"v1"},
			workload.EndpointV1,
			[]string{"bench", "bench", "v1"},
		},
		{"it fails", raw500, []string{"bench", "v1"}, []string{"v1"}, workload.EndpointV1, []string{"bench", "v1"}},
		{
			"it answers a document", document(200, benchJSON),
			[]string{"bench", "v1"},
			[]string{"v1"},
			workload.EndpointV1,
			[]string{"bench", "v1"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bench := reply(405, ``)
				n := newFakeNode(t, map[string]http.HandlerFunc{
					pathV1: good, "/bench/chat/completions": func(w http.ResponseWriter, r *http.Request) { bench(w, r) },
				})
				var log strings.Builder
				s := n.session(workload.DialectExo1, func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
				measure := func(warmup bool, want ...string) workload.Result {
					t.Helper()
					req := request(4)
					req.Warmup = warmup
					r := s.Measure(t.Context(), req)
					var took []string
					for _, p := range n.paths() {
						took = append(took, strings.Split(p, "/")[1])
					}
					if !r.OK() || !slices.Equal(took, want) {
						t.Errorf("warm-up %v: %s (%s) by %v, want %v", warmup, r.Outcome, r.Err, took, want)
					}
					return r
				}
				measure(true, "bench", "bench", "v1")
				before := measure(false, "v1").Epoch
				measure(true, "v1")
				bench = tc.later
				time.Sleep(refusedFor)
				measure(false, "v1")
				measure(true, tc.again...)
				r := measure(false, tc.next...)
				measure(true, tc.next...)
				if changed := r.Epoch.ID() != before.ID(); r.Endpoint != tc.found || changed != (tc.found == workload.EndpointBench) {
					t.Errorf("endpoint %s, epoch %+v after %+v", r.Endpoint, r.Epoch, before)
				}
				time.Sleep(refusedFor)
				measure(true, tc.hours...)
				if n := strings.Count(log.String(), "Route for prompts found"); n != len(slices.Compact([]workload.Endpoint{"v1", tc.found})) {
					t.Errorf("the log tells %d times which route was found: %s", n, log.String())
				}
			})
		})
	}
}
