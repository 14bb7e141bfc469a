package exporter

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"exo-bench-exporter/workload"
)

func TestStoreFollowsACycle(t *testing.T) {
	s := NewStore(testOptions())
	if got := s.State(); got.Running != nil || got.LastCycle != nil || len(got.Models) != 2 || got.Models[0].Last != nil || got.StatusKnown {
		t.Errorf("at the start: %+v", got)
	}
	s.CycleStarted(7, testOptions().Models, epoch)
	s.TurnStarted("mistral-7b", epoch)
	s.RequestDone(okResult("mistral-7b", "short"))
	if got := *s.State().Running; got != (Progress{Cycle: 7, Start: epoch, Turns: 2, Model: "mistral-7b", Requests: 1}) {
		t.Errorf("in the first turn: %+v", got)
	}
	s.TurnDone(turnOf("mistral-7b", workload.TurnOK, okResult("mistral-7b", "short")))
	if got := *s.State().Running; got != (Progress{Cycle: 7, Start: epoch, Turns: 2, Done: 1}) {
		t.Errorf("after the first turn: %+v", got)
	}
	goodTurn(s, "llama-3.2-1b")
	s.CycleDone(workload.Cycle{Number: 7, Start: epoch, Duration: time.Minute, Outcome: workload.TurnOK})
	got := s.State()
	if got.Running != nil || *got.LastCycle != (CycleSummary{Number: 7, Start: epoch, Duration: time.Minute, Outcome: workload.TurnOK}) {
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
	if got[0] != (Failure{Last: epoch, Count: 1, Model: "llama-3.2-1b", Outcome: "skipped", Reason: "busy"}) {
		t.Errorf("newest: %+v", got[0])
	}
	if f := got[1]; f.Count != 10 || f.Prompt != "9" || !f.Last.Equal(epoch.Add(9*time.Second)) {
		t.Errorf("ten alike: %+v", f)
	}
}
