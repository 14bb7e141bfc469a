package exo

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/stall"
)

func TestStallsOfTheExporterAreMarked(t *testing.T) {
	good := []step{
		{100 * ms, tok("a")},
		{200 * ms, tok("b")},
		{200 * ms, data(`{"role":"assistant","content":"c"}`, "length", useOf(9, 3, 0)) + doneEvent},
	}
	atOnce := []step{{500 * ms, tok("a") + tok("b") + tok("d") + tok("e") + tok("f") + tok("g") + tok("h") +
		data(`{"role":"assistant","content":"c"}`, "length", useOf(9, 8, 0)) + doneEvent}}
	quiet := stall.Report{Duration: time.Second, Longest: 3 * ms, RunDelay: 9 * ms, HasRunDelay: true}
	brief := stall.Report{Duration: time.Second, Longest: 19 * ms}
	stopped := stall.Report{Duration: time.Second, Longest: 300 * ms, Late: 298 * ms}
	busy := stall.Report{Duration: time.Second, Longest: 120 * ms, Late: 400 * ms}
	for _, tc := range []struct {
		name    string
		report  stall.Report
		steps   []step
		outcome workload.Outcome
		starved bool
		stalled time.Duration
	}{
		{"quiet", quiet, good, workload.OutcomeOK, false, 9 * ms},
		{"less than a tenth of a gap", brief, good, workload.OutcomeOK, false, 19 * ms},
		{"stopped", stopped, good, workload.OutcomeOK, true, 300 * ms},
		{"held back by others", quiet, atOnce, workload.OutcomeBuffered, false, 9 * ms},
		{"held back by others, and too short a stop to have done it", busy, atOnce, workload.OutcomeBuffered, true, 400 * ms},
		{"read at once after a stop", stopped, atOnce, workload.OutcomeOK, true, 300 * ms},
		{"stopped in a request that fails", stopped, good[:2], workload.OutcomeTruncated, true, 300 * ms},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newFakeNode(t, map[string]http.HandlerFunc{pathV1: stream(nil, tc.steps...)})
				var log strings.Builder
				r := n.session(workload.DialectOpenAI, func(o *Options) {
					o.Watcher, o.Logger = stall.Fixed(tc.report), slog.New(slog.NewTextHandler(&log, nil))
				}).Measure(t.Context(), request(8))
				if r.Outcome != tc.outcome || r.Starved != tc.starved || r.Stalled != tc.stalled {
					t.Errorf("%s (%s), starved %v for %v; want %s, %v for %v",
						r.Outcome, r.Err, r.Starved, r.Stalled, tc.outcome, tc.starved, tc.stalled)
				}
				if said := strings.Contains(log.String(), "the exporter stood still for"); said != tc.starved {
					t.Errorf("the log says %q", log.String())
				}
			})
		})
	}
}

func TestWithoutAWatcherNothingIsMarked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNode(t, map[string]http.HandlerFunc{pathV1: stream(nil, step{ms, tok("a")},
			step{ms, data(`{"role":"assistant","content":"b"}`, "length", useOf(9, 2, 0)) + doneEvent})})
		if r := n.session(workload.DialectOpenAI, nil).Measure(t.Context(), request(2)); !r.Clean() || r.Stalled != 0 {
			t.Errorf("%s (%s), starved %v for %v", r.Outcome, r.Err, r.Starved, r.Stalled)
		}
	})
}

// Of questions and of warm-ups no time goes anywhere, so that nobody has to be told what spoilt it.
func TestStallsAreNotSaidWhereNothingIsTimed(t *testing.T) {
	put := func(name string, said bool, ask func(*testing.T, *session) workload.Result) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newFakeNode(t, map[string]http.HandlerFunc{pathV1: stream(nil, step{100 * ms, tok("a")},
					step{200 * ms, data(`{"role":"assistant","content":"b"}`, "stop", useOf(9, 2, 0)) + doneEvent})})
				var log strings.Builder
				s := n.session(workload.DialectOpenAI, func(o *Options) {
					o.Watcher, o.Logger = stall.Fixed(stall.Report{Duration: time.Second, Longest: 300 * ms, Late: 298 * ms}),
						slog.New(slog.NewTextHandler(&log, nil))
				})
				r := ask(t, s)
				if !r.OK() || !r.Starved || strings.Contains(log.String(), "The times of a request") != said {
					t.Errorf("%s (%s), starved %v, the log says %q", r.Outcome, r.Err, r.Starved, log.String())
				}
			})
		})
	}
	put("measured", true, func(t *testing.T, s *session) workload.Result { return s.Measure(t.Context(), request(8)) })
	put("warm-up", false, func(t *testing.T, s *session) workload.Result {
		r := request(8)
		r.Warmup = true
		return s.Measure(t.Context(), r)
	})
	put("question", false, func(t *testing.T, s *session) workload.Result {
		r := request(8)
		r.Expect = &workload.Expectation{}
		return s.Ask(t.Context(), time.Now().Add(time.Minute), r)
	})
}
