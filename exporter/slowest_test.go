package exporter

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/record"
)

func TestSlowest(t *testing.T) {
	opts := Options{Models: []workload.Model{{Name: "a"}, {Name: "b"}}, Suite: workload.StandardSuite(), Records: true}
	s := NewStore(opts)
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := 0
	put := func(model, prompt string, took time.Duration, change func(*workload.Result)) workload.Result {
		at++
		r := workload.Result{
			Model: model, Prompt: prompt, Start: start.Add(time.Duration(at) * time.Minute), Outcome: workload.OutcomeOK,
			Timed: true, TTFT: took / 4, E2E: took, Decode: took * 3 / 4, OutputTokens: 4, TokenEvents: 4,
		}
		if change != nil {
			change(&r)
		}
		s.RequestDone(r)
		return r
	}
	put("a", "p", time.Hour, nil) // with nothing to compare with
	for range usualFrom + 2 {
		put("a", "p", time.Second, nil)
		put("a", "long", time.Minute, nil)
	}
	put("a", "long", 61*time.Second, nil) // as usual
	twice := put("a", "p", 2*time.Second, nil)
	put("a", "p", time.Minute, func(r *workload.Result) { r.Contended = true })
	put("a", "p", time.Minute, func(r *workload.Result) { r.Starved = true })
	failed := put("a", "p", time.Minute, func(r *workload.Result) { r.Outcome = workload.OutcomeIdleTimeout })
	half := put("a", "long", 90*time.Second, func(r *workload.Result) { r.Timed = false })
	put("gone", "p", time.Second, nil)

	got := s.State().Slowest
	if len(got) != 2 || got[0].Ratio() != 2 || got[0].Record != record.ResultID(twice) || *got[0].TTFT != 500*time.Millisecond ||
		got[0].Output == nil ||
		got[1].Ratio() != 1.5 || got[1].Prompt != "long" || got[1].TTFT != nil {
		t.Errorf("slowest %+v", got)
	}
	w := httptest.NewRecorder()
	(&page{shown: s, now: func() time.Time { return half.Start.Add(time.Minute) }}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	for _, want := range []string{
		`<a href="results/` + record.ResultID(twice) + `">`, `<a href="results/` + record.ResultID(half) + `">`,
		`<a href="results/` + record.ResultID(failed) + `">`,
		"2.00", "90.00 s", "60.00 s",
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page lacks %s:\n%s", want, w.Body)
		}
	}

	// Bounded by number and by time.
	for i := range 3 * maxSlowest {
		put("a", "p", time.Duration(i+3)*10*time.Second, nil)
		put("a", "p", time.Second, nil)
		put("a", "p", time.Second, nil)
	}
	if got := s.State().Slowest; len(got) != maxSlowest || !slices.IsSortedFunc(
		got, func(a, b Slow) int { return int(b.Ratio() - a.Ratio()) },
	) {
		t.Errorf("%d are shown: %v", len(got), fmt.Sprint(got))
	}
	at += 60 * 24
	put("a", "p", time.Second, nil)
	if got := s.State().Slowest; len(got) != 0 {
		t.Errorf("a day later %d are shown", len(got))
	}
	if n := len(s.slow.usual[modelPrompt{"a", "p"}]); n != usualOf {
		t.Errorf("%d results are remembered", n)
	}

	// What a reload takes away is gone; without records nothing leads to one.
	put("a", "p", time.Minute, nil)
	opts.Models, opts.Records = []workload.Model{{Name: "b"}}, false
	s.Apply(opts)
	if got := s.State(); len(got.Slowest) != 0 || len(s.slow.usual) != 0 {
		t.Errorf("of a model that is gone: %v", got.Slowest)
	}
	for range usualFrom {
		put("b", "p", time.Second, nil)
	}
	put("b", "p", time.Minute, nil)
	put("b", "p", time.Minute, func(r *workload.Result) { r.Outcome = workload.OutcomeEmpty })
	s.TurnDone(workload.Turn{Model: "b", Outcome: workload.TurnSkipped, Reason: "busy"})
	got2 := s.State()
	if len(got2.Slowest) != 1 || got2.Slowest[0].Record != "" || len(got2.Failures[0].Records)+len(got2.Failures[1].Records) > 0 {
		t.Errorf("without records: %+v", got2)
	}
	opts.Suite.Seed++
	if s.Apply(opts); len(s.State().Slowest) != 0 {
		t.Error("slow answers to other prompts are shown")
	}
}
