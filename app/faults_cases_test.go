package app

import (
	"slices"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
)

// faultCase is one fault and what must become of it.
type faultCase struct {
	name     string // what tells it from others of its kind
	fault    exosim.Fault
	in       []generation
	turn     workload.TurnOutcome
	requests []workload.Outcome // of the prompts in their order; none when nothing was sent
	reason   []string           // what the turn's reason must name
	log      []string           // what the log must say
	// fresh strikes the first cycle there is; missing names models whose weights are to be
	// downloaded in it.
	fresh   bool
	missing []string
	load    time.Duration // timeout of a load; 30 s when zero
	// midway injects the fault when the first prompt is done, not before the cycle.
	midway bool
	// lasts tells that the damage outlasts the fault, so the model stays out of order.
	lasts bool
	// shaped tells that the answers have as many tokens and gaps as their results say, and not
	// what was asked for.
	shaped bool
	check  func(t *testing.T, r faultRun)
}

// faultRun is what a cycle under a fault has left.
type faultRun struct {
	turn          workload.Turn
	before, after map[string]float64 // samples of /metrics
}

func (r faultRun) figure(name string) float64 { return r.after[name+`{model="`+victim+`"}`] }

// wantTokensInSpiteOfUsage wants the first result to have the tokens that came, whatever the
// answer says that there were.
func wantTokensInSpiteOfUsage(t *testing.T, r faultRun) {
	t.Helper()
	if got := r.turn.Results[0]; got.OutputTokens != faultTokens || got.TokenSource == workload.TokensFromUsage {
		t.Errorf("%d tokens by %s", got.OutputTokens, got.TokenSource)
	}
}

func all(o workload.Outcome) []workload.Outcome {
	return slices.Repeat([]workload.Outcome{o}, faultPrompts)
}

func faultCases() []faultCase {
	ok := workload.OutcomeOK
	first := func(o workload.Outcome) []workload.Outcome { return []workload.Outcome{o, ok, ok} }
	return []faultCase{
		// Lasting ones.
		{
			fault: exosim.Fault{Kind: exosim.Slow, Percent: 50}, in: every, turn: workload.TurnOK, requests: all(ok),
			check: func(t *testing.T, r faultRun) {
				name := `exobench_model_output_tokens_per_second{model="` + victim + `"}`
				if was, is := r.before[name], r.after[name]; is < 0.45*was || is > 0.55*was {
					t.Errorf("throughput was %.1f and is %.1f, want half", was, is)
				}
			},
		},
		{
			fault: exosim.Fault{Kind: exosim.MemoryLow, Bytes: 3 << 30}, in: exo1, turn: workload.TurnSkipped,
			reason: []string{"memory", "3.00 GiB", "unload something"},
		},
		{
			fault: exosim.Fault{Kind: exosim.Unreachable}, in: every, turn: workload.TurnFailed,
			requests: all(workload.OutcomeConnectError), reason: []string{"exo cannot be reached at http://exo.test:52415", "refused"},
		},
		{
			name: "midway", midway: true, fault: exosim.Fault{Kind: exosim.Unreachable}, in: every, turn: workload.TurnPartial,
			requests: []workload.Outcome{ok, workload.OutcomeConnectError, workload.OutcomeConnectError}, reason: []string{"refused"},
		},
		{
			fault: exosim.Fault{Kind: exosim.StatePathsMissing}, in: exo1, turn: workload.TurnOK, requests: all(ok), log: []string{"before v1.0.70"},
		},
		{fault: exosim.Fault{Kind: exosim.UnknownTags}, in: exo1, turn: workload.TurnOK, requests: all(ok)},
		{
			fault: exosim.Fault{Kind: exosim.MovedFields}, in: exo1, turn: workload.TurnOK, requests: all(ok),
			log: []string{"relying on its own check"},
		},
		{
			fault: exosim.Fault{Kind: exosim.NoPlacements}, in: exo1, turn: workload.TurnUnavailable,
			reason: []string{"neither /instance/previews nor /instance/placement", "upgrade exo"}, log: []string{"nothing is placed on it"},
		},
		{
			// The first prompt is the warm-up's.
			fault: exosim.Fault{Kind: exosim.WarmBench}, in: exo1, turn: workload.TurnPartial,
			requests: first(workload.OutcomeProtocolError), reason: []string{"prefix cache"},
		},
		{fault: exosim.Fault{Kind: exosim.SnakeKeys}, in: exo1, turn: workload.TurnOK, requests: all(ok)},
		{
			fault: exosim.Fault{Kind: exosim.InstancesHidden, Seconds: 2}, midway: true, in: exo1, turn: workload.TurnOK, requests: all(ok),
		},
		{
			fault: exosim.Fault{Kind: exosim.DownloadStalls}, in: exo1, turn: workload.TurnFailed, fresh: true, missing: []string{victim},
			reason: []string{"no progress for 2m0s", "look whether exo reaches the internet"},
		},

		// Faults of a request. The warm-up passes, so that they strike the first prompt.
		{
			fault: exosim.Fault{Kind: exosim.HTTPError}, in: every, turn: workload.TurnFailed,
			requests: all(workload.OutcomeHTTPError), reason: []string{"HTTP 503", "Service Unavailable"},
		},
		{
			fault: exosim.Fault{Kind: exosim.Text500, Skip: 1, Count: 1}, in: every, turn: workload.TurnPartial,
			requests: first(workload.OutcomeHTTPError), reason: []string{"HTTP 500", "Internal Server Error"},
		},
		{
			name: "placing", fault: exosim.Fault{Kind: exosim.Text500, Path: "/instance", Skip: 1}, in: exo1, turn: workload.TurnFailed,
			reason: []string{"POST /instance", "HTTP 500", "exo's log"},
		},
		{
			name: "state", fault: exosim.Fault{Kind: exosim.Text500, Path: "/state/instances"}, in: exo1, turn: workload.TurnFailed,
			reason: []string{"/state/instances", "HTTP 500", "exo's log"},
		},
		{
			fault: exosim.Fault{Kind: exosim.Unprocessable, Message: "no such thing"}, in: every, turn: workload.TurnFailed,
			requests: all(workload.OutcomeHTTPError), reason: []string{"HTTP 422", "no such thing"},
		},
		{
			name: "placing", fault: exosim.Fault{Kind: exosim.Unprocessable, Path: "/instance", Skip: 1}, in: exo1, turn: workload.TurnFailed,
			reason: []string{"HTTP 422", "did not understand"},
		},
		{
			fault: exosim.Fault{Kind: exosim.ErrorEvent, Skip: 1, Count: 1, After: 4, Message: "out of luck"}, in: wire, turn: workload.TurnPartial,
			requests: first(workload.OutcomeStreamError), reason: []string{"out of luck"},
		},
		{
			fault: exosim.Fault{Kind: exosim.ErrorEvent, Skip: 1, Count: 1, After: 4, Message: "out of luck"}, in: []generation{legacy},
			turn:     workload.TurnPartial,
			requests: first(workload.OutcomeTruncated), reason: []string{"without a finish_reason"},
		},
		{
			fault: exosim.Fault{Kind: exosim.RunnerKilled, Skip: 1, Count: 1, After: 4}, in: wire, turn: workload.TurnPartial,
			requests: first(workload.OutcomeStreamError), reason: []string{"Runner shutdown", "signal=9"},
			check: func(t *testing.T, r faultRun) {
				// exo loads the model anew: no prompt may take that for its own time.
				for _, res := range r.turn.Results {
					if res.OK() && res.TTFT > time.Second {
						t.Errorf("%s: TTFT %s holds the load of a new runner", res.Prompt, res.TTFT)
					}
				}
			},
		},
		{
			fault: exosim.Fault{Kind: exosim.Stall, Skip: 1, Count: 1, After: 4}, in: every, turn: workload.TurnPartial,
			requests: first(workload.OutcomeIdleTimeout), reason: []string{"no further token came within 10s"},
		},
		{
			fault: exosim.Fault{Kind: exosim.ShortAnswer, Skip: 1, Count: 1}, in: every, turn: workload.TurnOK, requests: all(ok), shaped: true,
			check: func(t *testing.T, r faultRun) {
				if got := r.turn.Results[0]; got.OutputTokens != 4 || got.AskedTokens != faultTokens {
					t.Errorf("%d of %d tokens", got.OutputTokens, got.AskedTokens)
				}
			},
		},
		{
			fault: exosim.Fault{Kind: exosim.IgnoresLimit, Skip: 1, Count: 1}, in: every, turn: workload.TurnOK, requests: all(ok), shaped: true,
			log: []string{"ignores max_tokens"},
			check: func(t *testing.T, r faultRun) {
				if got := r.turn.Results[0]; !got.Overran || got.OutputTokens != faultTokens {
					t.Errorf("%d of %d tokens, overran %v", got.OutputTokens, got.AskedTokens, got.Overran)
				}
			},
		},
		{
			name: "negative", fault: exosim.Fault{Kind: exosim.WrongUsage, Tokens: -1, Skip: 1, Count: 1}, in: wire,
			turn: workload.TurnOK, requests: all(ok), check: wantTokensInSpiteOfUsage,
		},
		{
			name: "too many", fault: exosim.Fault{Kind: exosim.WrongUsage, Tokens: 1e9, Skip: 1, Count: 1}, in: wire,
			turn: workload.TurnOK, requests: all(ok), check: wantTokensInSpiteOfUsage,
		},
		{
			fault: exosim.Fault{Kind: exosim.SeveralTokens, Skip: 1, Count: 1}, in: wire, turn: workload.TurnOK, requests: all(ok), shaped: true,
			check: func(t *testing.T, r faultRun) {
				if per, _ := r.turn.Results[0].TokensPerEvent(); per != 4 {
					t.Errorf("%g tokens an event, want 4", per)
				}
			},
		},
		{
			// Without usage nobody can know how many tokens an event carried.
			fault: exosim.Fault{Kind: exosim.SeveralTokens, Skip: 1, Count: 1}, in: []generation{legacy},
			turn: workload.TurnOK, requests: all(ok), shaped: true,
		},
		{
			fault: exosim.Fault{Kind: exosim.Gibberish}, in: every, turn: workload.TurnOK, requests: all(ok),
			check: func(t *testing.T, r faultRun) {
				if right, asked := r.turn.Correct(); !asked || right != 0 {
					t.Errorf("%g of the questions are answered rightly, %v", right, asked)
				}
				if r.figure("exobench_canary_correct_ratio") != 0 || r.before[`exobench_canary_correct_ratio{model="`+victim+`"}`] != 1 {
					t.Error("the canary is right, or was not before")
				}
				// Answers of so few tokens show no sign; see TestAcceptAnswers for such as do.
				if got := r.figure("exobench_answer_degenerate_ratio"); got != 0 {
					t.Errorf("%g of the short answers show a sign of nonsense", got)
				}
			},
		},
		{
			fault: exosim.Fault{Kind: exosim.Clumped, Tokens: 4, Skip: 1, Count: 1}, in: every, turn: workload.TurnOK, requests: all(ok),
			shaped: true,
			check: func(t *testing.T, r faultRun) {
				if r.turn.Results[0].Coalesced == 0 {
					t.Error("no event shared a read with another")
				}
			},
		},
		{
			fault: exosim.Fault{Kind: exosim.HeldBack, Skip: 1, Count: 1}, in: every, turn: workload.TurnPartial,
			requests: first(workload.OutcomeBuffered), reason: []string{"something on the way held the stream back"},
		},
		{
			fault: exosim.Fault{Kind: exosim.Replayed, Skip: 1, Count: 1}, in: every, turn: workload.TurnPartial,
			requests: first(workload.OutcomeBuffered), reason: []string{"something on the way replays the answer"},
		},
		{
			name: "placing", fault: exosim.Fault{Kind: exosim.AnswerLost, Path: "POST /instance", Count: 1}, in: exo1,
			turn: workload.TurnOK, requests: all(ok),
		},
		{
			name: "a prompt's", fault: exosim.Fault{Kind: exosim.AnswerLost, Path: "/v1/chat/completions", Skip: 1, Count: 1},
			in: []generation{legacy}, turn: workload.TurnPartial,
			requests: first(workload.OutcomeTruncated), reason: []string{"closed the connection without an answer"},
		},
		{
			fault: exosim.Fault{Kind: exosim.Lingers, Skip: 1, Count: 1}, in: wire, turn: workload.TurnOK, requests: all(ok),
			check: func(t *testing.T, r faultRun) {
				if took := r.turn.Results[1].Start.Sub(r.turn.Results[0].Start); took > 10*time.Second {
					t.Errorf("the next prompt came %v later", took)
				}
			},
		},
		{
			name: "at first", fault: exosim.Fault{Kind: exosim.Stall}, in: every, turn: workload.TurnFailed,
			requests: []workload.Outcome{workload.OutcomeFirstTokenTimeout},
			reason:   []string{"no token came within 20s", "given up", "2 prompts not sent"},
		},
		{
			name: "for a while", fault: exosim.Fault{Kind: exosim.Stall, Skip: 1, Count: 1, After: 4, Seconds: 5}, in: every, turn: workload.TurnOK,
			requests: all(ok),
		},
		{
			fault: exosim.Fault{Kind: exosim.Cut, Skip: 1, Count: 1, After: 4}, in: every, turn: workload.TurnPartial,
			requests: first(workload.OutcomeTruncated), reason: []string{"without a finish_reason"},
		},
		{
			fault: exosim.Fault{Kind: exosim.Reset, Skip: 1, Count: 1, After: 4}, in: every, turn: workload.TurnPartial,
			requests: first(workload.OutcomeTruncated), reason: []string{"connection reset"},
		},
		{
			fault: exosim.Fault{Kind: exosim.Empty, Skip: 1, Count: 1}, in: wire, turn: workload.TurnPartial,
			requests: first(workload.OutcomeEmpty), reason: []string{"no token"},
		},
		{
			// Legacy exo ends its streams without [DONE]: only a finish_reason tells a proper end.
			fault: exosim.Fault{Kind: exosim.Empty, Skip: 1, Count: 1}, in: []generation{legacy}, turn: workload.TurnPartial,
			requests: first(workload.OutcomeTruncated), reason: []string{"0 tokens without a finish_reason"},
		},
		{
			fault: exosim.Fault{Kind: exosim.InstanceDeleted, Skip: 1, Count: 1, After: 4}, in: wire, turn: workload.TurnPartial,
			requests: first(workload.OutcomeTruncated), reason: []string{"without a finish_reason", "somebody deleted it", "placed again"},
		},
		{
			fault: exosim.Fault{Kind: exosim.InstanceDeleted, Skip: 1, Count: 2, After: 4}, in: wire, turn: workload.TurnFailed,
			requests: []workload.Outcome{workload.OutcomeTruncated, workload.OutcomeTruncated},
			reason:   []string{"somebody deleted it", "for the second time in this turn", "1 prompts not sent"},
		},
		{
			fault: exosim.Fault{Kind: exosim.DeadInstance, Count: 1}, in: exo1, turn: workload.TurnFailed,
			requests: []workload.Outcome{workload.OutcomeFirstTokenTimeout}, reason: []string{"no token came within 20s", "absent"},
		},
		{
			fault: exosim.Fault{Kind: exosim.Election, Skip: 1, Count: 1, After: 4, Seconds: 5}, in: exo1, turn: workload.TurnPartial,
			requests: first(workload.OutcomeIdleTimeout), reason: []string{"no further token"},
		},
		{
			// The second prompt is put while the election goes on and answered when it is over.
			name: "beyond the idle timeout", fault: exosim.Fault{Kind: exosim.Election, Skip: 1, Count: 1, After: 4, Seconds: 15}, in: exo1,
			turn:     workload.TurnPartial,
			requests: []workload.Outcome{workload.OutcomeIdleTimeout, workload.OutcomeProtocolError, ok}, reason: []string{"no further token"},
			check: func(t *testing.T, r faultRun) {
				if why := r.turn.Results[1].Err; !strings.Contains(why, "held the request back for ") {
					t.Errorf("reason %q", why)
				}
			},
		},
		{
			name: "without end", fault: exosim.Fault{Kind: exosim.Election, Skip: 1, Count: 1, After: 4, Seconds: 90}, in: exo1,
			turn:     workload.TurnFailed,
			requests: []workload.Outcome{workload.OutcomeIdleTimeout, workload.OutcomeFirstTokenTimeout},
			reason:   []string{"no token came", "1 prompts not sent"},
		},

		// Faults of an instance's life.
		{
			fault: exosim.Fault{Kind: exosim.PlacementRefused}, in: exo1, turn: workload.TurnSkipped,
			reason: []string{"sufficient memory", "memory available"},
		},
		{
			name: "not for memory", fault: exosim.Fault{Kind: exosim.PlacementRefused, Message: "No backend for it"}, in: exo1,
			turn:   workload.TurnUnavailable,
			reason: []string{"cannot place", "No backend for it"},
		},
		{
			fault: exosim.Fault{Kind: exosim.PlacementLate}, in: exo1, turn: workload.TurnOK, requests: all(ok),
		},
		{
			fault: exosim.Fault{Kind: exosim.InstanceVanishes}, in: exo1, turn: workload.TurnFailed,
			reason: []string{"#2047"},
		},
		{
			fault: exosim.Fault{Kind: exosim.RunnerFails, Message: "out of luck"}, in: wire, turn: workload.TurnFailed,
			reason: []string{"out of luck"},
		},
		{
			fault: exosim.Fault{Kind: exosim.RunnerFails, Message: "out of luck"}, fresh: true, in: []generation{legacy}, turn: workload.TurnFailed,
			requests: all(workload.OutcomeHTTPError), reason: []string{"HTTP 500", "out of luck"},
		},
		{
			fault: exosim.Fault{Kind: exosim.DownloadFails, Message: "HTTP 401"}, in: exo1, turn: workload.TurnFailed,
			fresh: true, missing: []string{victim}, lasts: true, reason: []string{"could not download", "HTTP 401"},
		},
		{
			name: "taken up again", fault: exosim.Fault{Kind: exosim.DownloadFails, Seconds: 6}, in: exo1, turn: workload.TurnOK,
			fresh: true, missing: []string{victim}, requests: all(ok),
		},
		{
			fault: exosim.Fault{Kind: exosim.BootSlow, Seconds: 20}, in: exo1, turn: workload.TurnOK, requests: all(ok),
		},
		{
			fault: exosim.Fault{Kind: exosim.RunnerStuck}, in: exo1, turn: workload.TurnFailed, load: 90 * time.Second,
			reason: []string{"RunnerIdle", "nothing being downloaded"},
		},
		{
			name: "loading", fault: exosim.Fault{Kind: exosim.RunnerStuck, State: "RunnerLoading"}, in: exo1, turn: workload.TurnFailed,
			reason: []string{"RunnerLoading", "EXOBENCH_LOAD_TIMEOUT"},
		},
		{
			name: "loaded", fault: exosim.Fault{Kind: exosim.RunnerStuck, State: "RunnerLoaded"}, in: exo1, turn: workload.TurnFailed,
			reason: []string{"RunnerLoaded", "EXOBENCH_LOAD_TIMEOUT"},
		},
		{
			name: "warming up", fault: exosim.Fault{Kind: exosim.RunnerStuck, State: "RunnerWarmingUp"}, in: exo1, turn: workload.TurnFailed,
			reason: []string{"RunnerWarmingUp", "EXOBENCH_LOAD_TIMEOUT"},
		},
		{
			fault: exosim.Fault{Kind: exosim.DeleteIgnored}, in: exo1, turn: workload.TurnOK, requests: all(ok),
			log: []string{"Could not give back", "still lists the instance"},
		},
		{
			name: "once", fault: exosim.Fault{Kind: exosim.DeleteIgnored, Count: 1}, in: exo1, turn: workload.TurnOK, requests: all(ok),
		},
		{
			name: "ready", fault: exosim.Fault{Kind: exosim.RecordLeft}, in: exo1, turn: workload.TurnOK, requests: all(ok),
		},
		{
			name: "running", fault: exosim.Fault{Kind: exosim.RecordLeft, State: "RunnerRunning"}, in: exo1, turn: workload.TurnOK,
			requests: all(ok),
		},
		{
			name: "failed", fault: exosim.Fault{Kind: exosim.RecordLeft, State: "RunnerFailed"}, in: exo1, turn: workload.TurnOK, requests: all(ok),
		},
		{
			fault: exosim.Fault{Kind: exosim.MemoryKept, Bytes: 1 << 30, Count: 1}, in: exo1, turn: workload.TurnOK, requests: all(ok),
			check: func(t *testing.T, r faultRun) {
				if kept := r.figure("exobench_model_unreleased_memory_bytes"); kept < 1<<30 || kept > 1<<30+1<<26 {
					t.Errorf("%.0f bytes shown as not given back", kept)
				}
			},
		},
		{
			fault: exosim.Fault{Kind: exosim.MemoryKept, Bytes: 1 << 30, Count: 1}, fresh: true, in: []generation{legacy}, turn: workload.TurnOK,
			requests: all(ok),
			check: func(t *testing.T, r faultRun) {
				const weights = 4_640_000_000
				if held := r.figure("exobench_model_resident_memory_bytes"); held < weights+1<<30 {
					t.Errorf("resident memory is %.0f bytes", held)
				}
			},
		},
	}
}
