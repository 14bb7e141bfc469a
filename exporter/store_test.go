package exporter

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/record"
)

func TestStoreFollowsACycle(t *testing.T) {
	s := NewStore(testOptions())
	if got := s.State(); got.Running != nil || got.Cycles != nil || len(got.Models) != 2 || got.Models[0].Last != nil || got.StatusKnown {
		t.Errorf("at the start: %+v", got)
	}
	s.CycleStarted(7, testOptions().Models, epoch)
	s.TurnStarted("mistral-7b", epoch)
	s.RequestDone(okResult("mistral-7b", "short"))
	want := Progress{Cycle: 7, Start: epoch, Turns: 2, Model: "mistral-7b", Since: epoch, Requests: 1, Tokens: 5}
	if got := *s.State().Running; got != want {
		t.Errorf("in the first turn: %+v", got)
	}
	s.TurnDone(turnOf("mistral-7b", workload.TurnOK, okResult("mistral-7b", "short")))
	if got := *s.State().Running; got != (Progress{Cycle: 7, Start: epoch, Turns: 2, Done: 1}) {
		t.Errorf("after the first turn: %+v", got)
	}
	goodTurn(s, "llama-3.2-1b")
	s.CycleDone(workload.Cycle{Number: 7, Start: epoch, Duration: time.Minute, Outcome: workload.TurnOK})
	got := s.State()
	done := []CycleSummary{{Number: 7, Start: epoch, Duration: time.Minute, Outcome: workload.TurnOK}}
	if got.Running != nil || !slices.Equal(got.Cycles, done) {
		t.Errorf("after the cycle: %+v", got)
	}
	if got.Models[0].Name != "llama-3.2-1b" || got.Models[0].Last.Requests != 2 || got.Models[1].Last == nil || len(got.Failures) != 0 {
		t.Errorf("models after the cycle: %+v", got.Models)
	}
}

func TestStoreForgetsModels(t *testing.T) {
	opts := testOptions()
	s := NewStore(opts)
	goodTurn(s, "llama-3.2-1b")
	goodTurn(s, "mistral-7b")
	opts.Models = opts.Models[:1]
	s.Apply(opts)
	goodTurn(s, "mistral-7b")
	if got := s.State().Models; len(got) != 1 || got[0].Last == nil {
		t.Errorf("with one model left: %+v", got)
	}
	s.Apply(testOptions())
	if got := s.State().Models; len(got) != 2 || got[1].Last != nil {
		t.Errorf("what was known of a model that had left is back: %+v", got)
	}
}

func TestStoreBoundsFailures(t *testing.T) {
	s := NewStore(testOptions())
	for i := range 3 * maxFailures {
		r := failedResult("mistral-7b", "short", workload.OutcomeHTTPError)
		r.Err = fmt.Sprintf("%03d ", i) + strings.Repeat("ü", maxReason) + "\xff"
		s.RequestDone(r)
	}
	got := s.State().Failures
	if len(got) != maxFailures || !strings.HasPrefix(got[0].Reason, "149 ") || !strings.HasPrefix(got[maxFailures-1].Reason, "100 ") {
		t.Fatalf("%d failures, newest %.4q, oldest %.4q", len(got), got[0].Reason, got[len(got)-1].Reason)
	}
	if r := got[0].Reason; len(r) > maxReason+len("…") || !utf8.ValidString(r) {
		t.Errorf("reason of %d bytes: %q", len(r), r)
	}
}

func TestStoreCountsAlikeFailures(t *testing.T) {
	s := NewStore(testOptions())
	for i := range 10 {
		r := failedResult("mistral-7b", fmt.Sprint(i), workload.OutcomeConnectError)
		r.Start = epoch.Add(time.Duration(i) * time.Second)
		s.RequestDone(r)
	}
	s.TurnDone(turnOf("mistral-7b", workload.TurnFailed, failedResult("mistral-7b", "9", workload.OutcomeConnectError)))
	s.TurnDone(workload.Turn{Model: "llama-3.2-1b", Outcome: workload.TurnSkipped, Reason: "busy", Start: epoch})
	got := s.State().Failures
	if len(got) != 2 {
		t.Fatalf("want two failures, got %+v", got)
	}
	if !reflect.DeepEqual(got[0], Failure{Last: epoch, Count: 1, Model: "llama-3.2-1b", Outcome: "skipped", Reason: "busy"}) {
		t.Errorf("newest: %+v", got[0])
	}
	if f := got[1]; f.Count != 10 || f.Prompt != "9" || !f.Last.Equal(epoch.Add(9*time.Second)) {
		t.Errorf("ten alike: %+v", f)
	}
}

// Of alike failures each of the latest leads to a record of its own.
func TestStoreLinksAlikeFailures(t *testing.T) {
	opts := testOptions()
	opts.Records = true
	s := NewStore(opts)
	var want []string
	for i := range maxLinked + 3 {
		r := failedResult("mistral-7b", "short", workload.OutcomeConnectError)
		r.Start = epoch.Add(time.Duration(i) * time.Second)
		s.RequestDone(r)
		want = slices.Insert(want, 0, record.ResultID(r))
	}
	if got := s.State().Failures; len(got) != 1 || got[0].Count != maxLinked+3 || !slices.Equal(got[0].Records, want[:maxLinked]) {
		t.Errorf("failures %+v, want the records %q", got, want[:maxLinked])
	}
	s.State().Failures[0].Records[0] = "changed"
	if s.State().Failures[0].Records[0] != want[0] {
		t.Error("a reader can change what is kept")
	}
}

// Cycles are kept newest first, and few.
func TestStoreKeepsCycles(t *testing.T) {
	s := NewStore(testOptions())
	for n := range maxCycles + 2 {
		s.CycleDone(workload.Cycle{Number: n})
	}
	if got := s.State().Cycles; len(got) != maxCycles || got[0].Number != maxCycles+1 || got[maxCycles-1].Number != 2 {
		t.Errorf("cycles %+v", got)
	}
}

// A load is shown until the first request is complete, and in the turn of its model alone.
func TestStoreShowsALoad(t *testing.T) {
	s := NewStore(testOptions())
	l := Loading{Stage: "downloading", Done: 1, Total: 4, Bytes: true}
	s.Loading(l)
	s.CycleStarted(0, testOptions().Models, epoch)
	s.Loading(l)
	if got := s.State().Running.Loading; got != nil {
		t.Errorf("between turns: %+v", got)
	}
	s.TurnStarted("mistral-7b", epoch)
	s.Loading(l)
	if got := s.State().Running.Loading; got == nil || *got != l {
		t.Errorf("in the turn: %+v", got)
	}
	s.RequestDone(okResult("mistral-7b", "short"))
	s.Loading(Loading{Stage: "releasing"})
	if got := s.State().Running.Loading; got != nil {
		t.Errorf("after a request: %+v", got)
	}
}

// What nobody counts is in no number of tokens.
func TestProgressCountsWhatIsKnown(t *testing.T) {
	s := NewStore(testOptions())
	s.CycleStarted(1, testOptions().Models, epoch)
	s.TurnStarted("mistral-7b", epoch)
	s.RequestDone(workload.Result{Outcome: workload.OutcomeOK, OutputTokens: 7, TokenSource: workload.TokensFromUsage})
	s.RequestDone(workload.Result{Outcome: workload.OutcomeOK, OutputTokens: 5, TokenSource: workload.TokensUnknown})
	if p := s.State().Running; p.Requests != 2 || p.Tokens != 7 {
		t.Errorf("%+v", p)
	}
}
