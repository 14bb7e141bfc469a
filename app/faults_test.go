package app

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
	"exo-bench-exporter/workload/exosim/faults"
)

// The models of the fault tests: one that is struck, one whose turn comes next, and one of a
// stranger's, which nothing may touch.
const (
	victim    = "llama-3.1-8b"
	next      = "llama-3.2-1b"
	strangers = "mlx-community/Qwen3-0.6B-4bit"
)

// lasting are the faults that last until they are cleared, of which the node does not count
// the strikes.
var lasting = kindsThat(func(s faults.Spec) bool { return s.Scope == faults.Lasting })

// harmless are the faults that legacy exo does not have; see TestFaultsThatLegacyExoHasNot.
var harmless = kindsThat(func(s faults.Spec) bool { return !s.Legacy })

func kindsThat(f func(faults.Spec) bool) (kinds []exosim.Kind) {
	for _, s := range faults.Table() {
		if f(s) {
			kinds = append(kinds, s.Kind)
		}
	}
	return kinds
}

const (
	faultPrompts = 3
	faultTokens  = 12
)

// generation is one of the exos that a fault is put to.
type generation string

const (
	head   generation = "HEAD"
	v1071  generation = "v1.0.71"
	legacy generation = "0.0.x"
)

var (
	exo1  = []generation{head}
	wire  = []generation{head, v1071} // what v1.0.71 puts on the wire differs
	every = []generation{head, legacy}
)

func (g generation) options() exosim.Options {
	o := exosim.Options{Profiles: profilesOf(victim, next, strangers)}
	switch g {
	case v1071:
		o.Variant = exosim.V1071
	case legacy:
		o.Dialect, o.MaxGenerateTokens = exosim.Exo0, faultTokens
	}
	return o
}

// profilesOf returns the profiles of these models alone, which keeps the state small.
func profilesOf(models ...string) []exosim.Profile {
	return slices.DeleteFunc(exosim.Profiles(), func(p exosim.Profile) bool {
		return !slices.Contains(models, p.Name) && !slices.Contains(models, p.ExoID)
	})
}

// Every fault that exosim can inject is driven through, in each generation that has it.
func TestEveryFaultIsCovered(t *testing.T) {
	covered := map[exosim.Kind]map[generation]bool{}
	for _, c := range faultCases() {
		for _, g := range c.in {
			if covered[c.fault.Kind] == nil {
				covered[c.fault.Kind] = map[generation]bool{}
			}
			covered[c.fault.Kind][g] = true
		}
	}
	for _, k := range exosim.Kinds() {
		if !covered[k][head] {
			t.Errorf("no case drives %s through exo 1.x", k)
		}
		if covered[k][legacy] == slices.Contains(harmless, k) {
			t.Errorf("%s: either a case drives it through legacy exo, or it is one that legacy exo does not have", k)
		}
	}
}

// Whatever goes wrong with one model has its own outcome and words, shows in the right
// metrics, spares the next model, and leaves nothing behind.
func TestFaults(t *testing.T) {
	for _, c := range faultCases() {
		for _, g := range c.in {
			name := strings.Join(slices.DeleteFunc([]string{string(c.fault.Kind), c.name, string(g)}, func(s string) bool { return s == "" }), " ")
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { driveFault(t, c, g) })
			})
		}
	}
}

func driveFault(t *testing.T, c faultCase, g generation) {
	options := g.options()
	options.NotDownloaded = c.missing
	node := exosim.New(options)
	t.Cleanup(func() { _ = node.Close() })
	guest := placeGuest(t, node, g)

	c.fault.Model = victim
	inject := func() {
		if _, err := node.Inject(c.fault); err != nil {
			t.Error(err)
		}
	}
	underFault, idle := false, []exosim.Fault(nil)
	watch := hooks{
		request: func(r workload.Result) {
			if underFault && c.midway && r.Model == victim && r.Prompt == "p1" {
				inject()
			}
		},
		turn: func(turn workload.Turn) {
			if underFault && turn.Model == victim { // what strikes the whole node spares the next model
				idle = slices.DeleteFunc(node.Faults(), func(f exosim.Fault) bool { return f.Struck > 0 || slices.Contains(lasting, f.Kind) })
				node.Clear("")
			}
		},
	}
	models := victim + "," + next
	if !c.fresh {
		models = next + "," + victim // a good cycle comes before, and the orders alternate
	}
	s := startStack(t, setting{
		node: node, suite: shortSuite(faultPrompts, faultTokens), seams: Seams{Observers: []workload.Observer{watch}},
		vars: []string{
			"MODELS", models, "FIRST_TOKEN_TIMEOUT", "20s", "IDLE_TIMEOUT", "10s", "REQUEST_TIMEOUT", "2m",
			"LOAD_TIMEOUT", cmp.Or(c.load, 30*time.Second).String(), "BUSY_TIMEOUT", "1m",
		},
	})
	if !c.fresh {
		wantTurns(t, s, s.runner.Cycle(t.Context()), workload.TurnOK, workload.TurnOK)
	}

	run := faultRun{before: s.scrape(t)}
	underFault = true
	if !c.midway {
		inject()
	}
	if guest != "" {
		if _, err := node.StartStranger(strangers, 400); err != nil { // while it runs, its prompt is in exo's state
			t.Fatal(err)
		}
	}
	done := s.runner.Cycle(t.Context())
	underFault = false
	wantTurns(t, s, done, c.turn, workload.TurnOK)
	if len(idle) > 0 {
		t.Errorf("the fault did not strike: %+v", idle)
	}
	run.turn, run.after = done.Turns[0], s.scrape(t)
	wantReason(t, s, run.turn, c)
	wantSeries(t, run, c)
	if c.check != nil {
		c.check(t, run)
	}

	last := []workload.TurnOutcome{workload.TurnOK, workload.TurnOK}
	if c.lasts {
		last[1] = c.turn
	}
	wantTurns(t, s, s.runner.Cycle(t.Context()), last...)
	s.close(t)
	time.Sleep(time.Minute) // in virtual time: what exo still has to end, ends
	wantNodeAsItWas(t, node, guest)
	wantNoSecrets(t, s)
	if t.Failed() {
		t.Logf("log:\n%s", s.log.String())
	}
}

// placeGuest places a stranger's instance and waits until it is ready. It returns its id;
// none where exo has no instances.
func placeGuest(t *testing.T, node *exosim.Node, g generation) string {
	t.Helper()
	if g == legacy {
		return ""
	}
	id, err := node.PlaceStranger(strangers)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Second)
	return id
}

func wantTurns(t *testing.T, s *stack, c workload.Cycle, want ...workload.TurnOutcome) {
	t.Helper()
	var got []workload.TurnOutcome
	for _, turn := range c.Turns {
		got = append(got, turn.Outcome)
	}
	if !slices.Equal(got, want) {
		for _, turn := range c.Turns {
			t.Logf("%s: %s %s", turn.Model, turn.Outcome, turn.Reason)
		}
		t.Fatalf("turns %v, want %v; log:\n%s", got, want, s.log.String())
	}
}

// wantReason wants the words of the case in the turn's reason and on the status page.
func wantReason(t *testing.T, s *stack, turn workload.Turn, c faultCase) {
	t.Helper()
	if (turn.Reason == "") != (len(c.reason) == 0) {
		t.Errorf("reason %q", turn.Reason)
	}
	page, log := s.page(t), s.log.String()
	for _, words := range c.reason {
		if !strings.Contains(turn.Reason, words) {
			t.Errorf("the reason lacks %q: %s", words, turn.Reason)
		}
		if !strings.Contains(page, words) {
			t.Errorf("the status page lacks %q", words)
		}
	}
	for _, words := range c.log {
		if !strings.Contains(log, words) {
			t.Errorf("the log lacks %q", words)
		}
	}
}

// wantSeries wants the counters to have counted the cycle, and the gauges of what failed to
// be gone.
func wantSeries(t *testing.T, r faultRun, c faultCase) {
	t.Helper()
	grown := func(format string, args ...any) float64 {
		name := fmt.Sprintf(format, args...)
		return r.after[name] - r.before[name]
	}
	present := func(want bool, format string, args ...any) {
		t.Helper()
		name := fmt.Sprintf(format, args...)
		if _, is := r.after[name]; is != want {
			t.Errorf("%s is there: %t, want %t", name, is, want)
		}
	}
	count := func(want float64, format string, args ...any) {
		t.Helper()
		if got := grown(format, args...); got != want {
			t.Errorf(format+" has grown by %v, want %v", append(args, got, want)...)
		}
	}
	for model, turn := range map[string]workload.TurnOutcome{victim: c.turn, next: workload.TurnOK} {
		for _, o := range workload.TurnOutcomes() {
			count(one(o == turn), `exobench_turns_total{model=%q,outcome=%q}`, model, o)
		}
		for i := range faultPrompts {
			prompt, want := fmt.Sprint("p", i+1), workload.OutcomeOK
			if model == victim {
				want = ""
				if i < len(c.requests) {
					want = c.requests[i]
				}
			}
			for _, o := range workload.Outcomes() {
				count(one(o == want), `exobench_requests_total{model=%q,outcome=%q,prompt=%q}`, model, o, prompt)
			}
			good, tokens, decoded, gaps := want == workload.OutcomeOK, faultTokens, faultTokens-1, faultTokens-1
			if c.shaped && model == victim {
				got := r.turn.Results[i]
				good, tokens, decoded, gaps = got.Clean(), got.OutputTokens, got.DecodeTokens(), len(got.Gaps)
			}
			if model == victim && good && !c.shaped {
				gaps -= r.turn.Results[i].Withheld // beside a look at the machines' power
			}
			for _, h := range []string{"time_to_first_token", "time_per_output_token", "request_duration"} {
				count(one(good), `exobench_%s_seconds_count{model=%q,prompt=%q}`, h, model, prompt)
			}
			count(one(good)*float64(gaps), `exobench_inter_token_latency_seconds_count{model=%q,prompt=%q}`, model, prompt)
			count(one(good)*float64(tokens), `exobench_output_tokens_total{model=%q,prompt=%q}`, model, prompt)
			count(one(good)*float64(decoded), `exobench_decode_tokens_total{model=%q,prompt=%q}`, model, prompt)
			present(good, `exobench_output_tokens_per_second{model=%q,prompt=%q}`, model, prompt)
		}
		for _, g := range []string{
			"output_tokens_per_second", "time_to_first_token_seconds", "resident_memory_bytes", "resident_memory_peak_bytes",
		} {
			present(turn.Good(), `exobench_model_%s{model=%q}`, g, model)
		}
		if up := r.after[fmt.Sprintf(`exobench_model_up{model=%q}`, model)]; up != one(turn.Good()) {
			t.Errorf("exobench_model_up of %s is %v", model, up)
		}
	}
	outcome := workload.TurnOK
	if c.turn != workload.TurnOK {
		outcome = workload.TurnPartial
	}
	count(1, `exobench_cycles_total{outcome=%q}`, outcome)
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// wantNodeAsItWas wants nothing on the node but the stranger's instance, ready as before.
func wantNodeAsItWas(t *testing.T, node *exosim.Node, guest string) {
	t.Helper()
	var left []string
	for _, i := range node.Instances() {
		if i.ID != guest || i.Status != "RunnerReady" {
			t.Errorf("there is still %+v", i)
		}
		left = append(left, i.ID)
	}
	if guest != "" && !slices.Contains(left, guest) {
		t.Error("the stranger's instance is gone")
	}
	for _, i := range node.Deleted() {
		if i.Stranger {
			t.Errorf("a stranger's instance was deleted: %+v", i)
		}
	}
	if n := node.RunningTasks(); n != 0 {
		t.Errorf("%d tasks are still running", n)
	}
	for _, truth := range node.Truths(0) {
		if truth.Done.IsZero() {
			t.Errorf("a request never ended: %+v", truth)
		}
	}
}

// wantNoSecrets wants no stranger's prompt in anything that people see.
func wantNoSecrets(t *testing.T, s *stack) {
	t.Helper()
	for where, text := range map[string]string{"log": s.log.String(), "metrics": s.get(t, "/metrics"), "status page": s.page(t)} {
		if strings.Contains(text, exosim.StrangerPrompt) {
			t.Errorf("the %s shows a stranger's prompt", where)
		}
	}
}

// Faults that concern instances, runners and state do nothing to legacy exo, which has none:
// that is why no case drives them there.
func TestFaultsThatLegacyExoHasNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := exosim.New(legacy.options())
		t.Cleanup(func() { _ = node.Close() })
		for _, k := range harmless {
			if _, err := node.Inject(exosim.Fault{Kind: k, Bytes: 1, Count: 1}); err != nil {
				t.Fatal(err)
			}
		}
		s := startStack(t, setting{node: node, suite: shortSuite(20, faultTokens), vars: []string{"MODELS", victim}})
		wantTurns(t, s, s.runner.Cycle(t.Context()), workload.TurnOK)
		s.close(t)
	})
}

// An exo that tells no instance id in advance is asked to place nothing, neither in a known nor
// in an unknown way; what somebody has loaded there is measured and left.
func TestNoIDInAdvance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := exosim.New(head.options())
		t.Cleanup(func() { _ = node.Close() })
		if _, err := node.Inject(exosim.Fault{Kind: exosim.NoPlacements}); err != nil {
			t.Fatal(err)
		}
		id, err := node.PlaceStranger(victim)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		s := startStack(t, setting{node: node, suite: shortSuite(1, faultTokens), vars: []string{"MODELS", victim + "," + next}})
		wantTurns(t, s, s.runner.Cycle(t.Context()), workload.TurnOK, workload.TurnUnavailable)
		s.close(t)
		if left := node.Instances(); len(left) != 1 || left[0].ID != id || left[0].Status != "RunnerReady" {
			t.Errorf("the node has %+v, want the stranger's instance alone", left)
		}
		for call := range node.Calls() {
			if !strings.HasPrefix(call, "GET ") && !strings.HasSuffix(call, "/chat/completions") {
				t.Errorf("%s was called", call)
			}
		}
	})
}

// Somebody's download survives a cycle: a model that is loaded already is measured beside it,
// and none is placed, for exo would cancel the download with the instance's end.
func TestDownloadOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		options := head.options()
		options.NotDownloaded, options.DownloadRate = []string{strangers}, 1e6
		node := exosim.New(options)
		t.Cleanup(func() { _ = node.Close() })
		if _, err := node.PlaceStranger(victim); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		s := startStack(t, setting{
			node: node, suite: shortSuite(1, faultTokens), vars: []string{"MODELS", victim + "," + next, "BUSY_TIMEOUT", "1m"},
		})
		noError(t, node.StartDownload(strangers))
		c := s.runner.Cycle(t.Context())
		wantTurns(t, s, c, workload.TurnOK, workload.TurnSkipped)
		if why := c.Turns[1].Reason; !strings.Contains(why, "downloading "+strangers) {
			t.Errorf("reason %q", why)
		}
		time.Sleep(time.Hour)
		if err := node.StartDownload(strangers); err == nil { // it is on the disk
			t.Error("the download was canceled")
		}
		wantTurns(t, s, s.runner.Cycle(t.Context()), workload.TurnOK, workload.TurnOK)
		s.close(t)
	})
}

// The memory of a turn is called shared when somebody else's instance was loaded beside it,
// and only then.
func TestMemoryIsSharedWithOthersOnly(t *testing.T) {
	for _, crowded := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			node := exosim.New(head.options())
			t.Cleanup(func() { _ = node.Close() })
			if crowded {
				placeGuest(t, node, head)
			}
			s := startStack(t, setting{node: node, suite: shortSuite(1, faultTokens), vars: []string{"MODELS", next}})
			c := s.runner.Cycle(t.Context())
			wantTurns(t, s, c, workload.TurnOK)
			if got := c.Turns[0].Memory.Shared; got != crowded {
				t.Errorf("shared: %t, want %t", got, crowded)
			}
			s.close(t)
		})
	}
}
