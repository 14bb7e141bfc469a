package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
)

// wire carries requests to a handler of this process; to nobody while there is none.
type wire struct {
	mu      sync.Mutex
	handler http.Handler
}

func (w *wire) connect(h http.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.handler = h
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	h := w.handler
	w.mu.Unlock()
	if h == nil {
		return nil, errors.New("connection refused")
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return rec.Result(), nil
}

// journal is a Sampler and a Sink that writes down what it is told.
type journal struct {
	mu    sync.Mutex
	lines []string
	pss   bool
}

func (j *journal) note(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) Begin(model string) workload.Recording {
	j.note("begin %s", model)
	return &journalRecording{j, workload.Memory{Samples: 1}}
}

func (j *journal) AllowPSS(allowed bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.pss = allowed
}
func (j *journal) Contact(State, error) {}
func (j *journal) Forget()              { j.note("forget") }

func (j *journal) Seen(model string, m workload.Memory, ok bool) {
	j.note("seen %s %v %v", model, ok, m.HasBefore)
}

type journalRecording struct {
	j *journal
	m workload.Memory
}

func (r *journalRecording) Mark(p workload.Phase) { r.j.note("mark %s", p) }

func (r *journalRecording) End(ctx context.Context, loaded bool) workload.Memory {
	r.j.note("end")
	if ctx.Err() == nil {
		r.j.note("which may take its time")
	}
	r.m.HasBefore = loaded
	return r.m
}

// world is a driver and an agent in virtual time.
type world struct {
	*wire
	*journal
	feed *Feed
	log  strings.Builder
}

// inWorld runs f in a bubble in which an agent runs. The driver is connected already.
func inWorld(t *testing.T, f func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{wire: &wire{}, journal: &journal{}, feed: newTestFeed()}
		w.connect(w.feed)
		ctx, cancel := context.WithCancel(t.Context())
		follower := &Follower{
			Client: newTestClient(t, "http://driver.test:9955", w.wire), Sampler: w.journal, Sink: w.journal,
			Logger: slog.New(slog.NewTextHandler(&w.log, nil)),
		}
		var wg sync.WaitGroup
		wg.Go(func() { follower.Run(ctx) })
		synctest.Wait()
		f(w)
		cancel()
		wg.Wait()
	})
}

// later lets the agent catch up and some time go by.
func later(d time.Duration) {
	synctest.Wait()
	time.Sleep(d)
	synctest.Wait()
}

// run puts the driver through the phases of a turn, the first of which is before.
func (w *world) run(model string, outcome workload.TurnOutcome, phases ...workload.Phase) {
	rec := w.feed.Meter(noMeter{}).Begin(model)
	for _, p := range phases[1:] {
		later(100 * time.Millisecond)
		rec.Mark(p)
	}
	later(10 * time.Second)
	if outcome != "" {
		w.feed.TurnDone(workload.Turn{Model: model, Outcome: outcome, Load: workload.Load{Loaded: true}})
		synctest.Wait()
	}
}

// expect fails unless the journal since the last call is that.
func (w *world) expect(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	w.journal.mu.Lock()
	defer w.journal.mu.Unlock()
	if !slices.Equal(w.lines, want) {
		t.Errorf("the journal says\n  %s\nwant\n  %s", strings.Join(w.lines, "\n  "), strings.Join(want, "\n  "))
	}
	w.lines = nil
}

func (w *world) pssAllowed() bool {
	synctest.Wait()
	w.journal.mu.Lock()
	defer w.journal.mu.Unlock()
	return w.pss
}

var wholeTurn = []workload.Phase{
	workload.PhaseBefore, workload.PhaseLoading, workload.PhaseMeasure, workload.PhaseReleasing, workload.PhaseReleased,
}

func wholeJournal(model, seen string) []string {
	return []string{"begin " + model, "mark loading", "mark measure", "mark releasing", "mark released", "end", "seen " + model + " " + seen}
}

func TestFollowsWholeTurns(t *testing.T) {
	inWorld(t, func(w *world) {
		later(time.Minute)
		w.expect(t)
		w.run("a", workload.TurnOK, wholeTurn...)
		w.expect(t, wholeJournal("a", "true true")...)
		w.run("b", workload.TurnFailed, wholeTurn...)
		w.expect(t, wholeJournal("b", "false true")...)
		w.run("c", workload.TurnUnavailable, wholeTurn[:2]...)
		w.expect(t, "begin c", "mark loading", "end", "seen c false true")
		later(time.Minute)
		w.expect(t)
	})
}

func TestFollowsTurnsThatAreAtEachOthersHeels(t *testing.T) {
	inWorld(t, func(w *world) {
		rec := play(w.feed, "a", workload.PhaseBefore)
		for _, p := range wholeTurn[1:] {
			synctest.Wait()
			rec.Mark(p)
		}
		synctest.Wait()
		// What happens from here on comes in one answer.
		w.feed.TurnDone(workload.Turn{Model: "a", Outcome: workload.TurnOK, Load: workload.Load{Loaded: true}})
		play(w.feed, "b", workload.PhaseLoading)
		w.expect(t, append(wholeJournal("a", "true true"), "begin b", "mark loading")...)
	})
}

func TestLateForTheMomentBeforeTheLoad(t *testing.T) {
	for name, tt := range map[string]struct {
		turns    []Turn // what the driver says until the turn is measured
		baseline bool
	}{
		"in time":                {[]Turn{{Phase: "before"}, {Phase: "loading", PhaseSeconds: 0.1}}, true},
		"just in time":           {[]Turn{{Phase: "loading", PhaseSeconds: 0.5}}, true},
		"came to a turn loading": {[]Turn{{Phase: "loading", PhaseSeconds: 0.6}}, false},
		"heard late of the load": {[]Turn{{Phase: "before"}, {Phase: "loading", PhaseSeconds: 3}}, false},
		"never heard of it":      {[]Turn{{Phase: "before"}, {Phase: "measure"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{journal: &journal{}}
			f := &Follower{Sampler: w.journal, Sink: w.journal, Logger: slog.New(slog.DiscardHandler)}
			for _, turn := range append(tt.turns, Turn{Phase: "measure"}, Turn{Phase: "releasing"}, Turn{Phase: "released"}) {
				turn.Number, turn.Model = 1, "a"
				f.follow(State{Run: "r", Turn: &turn})
			}
			f.follow(State{Run: "r", Last: &Ended{Number: 1, Model: "a", Outcome: workload.TurnOK, Loaded: true}})
			want := wholeJournal("a", fmt.Sprintf("true %v", tt.baseline))
			if !slices.Equal(w.lines, want) {
				t.Errorf("the journal says %q, want %q", w.lines, want)
			}
		})
	}
}

func TestATurnJoinedInItsMeasurementDoesNotCount(t *testing.T) {
	for _, phase := range wholeTurn[2:] {
		inWorld(t, func(w *world) {
			w.connect(nil)
			later(maxWait + 2*time.Second)
			w.expect(t)
			play(w.feed, "a", phase)
			w.connect(w.feed)
			later(2 * time.Second)
			w.expect(t, "seen a false false")
			if w.pssAllowed() {
				t.Error("memory may be weighed while requests are measured")
			}
			w.feed.TurnDone(workload.Turn{Model: "a", Outcome: workload.TurnOK})
			w.expect(t)
			if !w.pssAllowed() {
				t.Error("memory may not be weighed between turns")
			}
			w.run("b", workload.TurnOK, wholeTurn...)
			w.expect(t, wholeJournal("b", "true true")...)
		})
	}
}

func TestLosingTheDriverInATurn(t *testing.T) {
	inWorld(t, func(w *world) {
		w.run("a", workload.TurnOK, wholeTurn...)
		w.expect(t, wholeJournal("a", "true true")...)
		w.run("b", "", wholeTurn[:3]...)
		w.connect(nil)
		later(maxWait)
		w.expect(t, "begin b", "mark loading", "mark measure", "end", "seen b false false")
		if w.pssAllowed() {
			t.Error("memory may be weighed while nobody says whether requests are measured")
		}
		w.connect(w.feed)
		later(2 * time.Second)
		w.feed.TurnDone(workload.Turn{Model: "b", Outcome: workload.TurnOK, Load: workload.Load{Loaded: true}})
		w.expect(t) // the rest of that turn counts for nothing
		w.run("c", workload.TurnOK, wholeTurn...)
		w.expect(t, wholeJournal("c", "true true")...)
		if got := strings.Count(w.log.String(), "\n"); got != 3 {
			t.Errorf("%d lines of log, want one for each change:\n%s", got, w.log.String())
		}
		w.connect(nil)
		later(forgetAfter + maxWait + 2*time.Second)
		w.expect(t, "forget")
		later(time.Hour)
		w.expect(t)
		if got := strings.Count(w.log.String(), "\n"); got != 4 {
			t.Errorf("%d lines of log:\n%s", got, w.log.String())
		}
	})
}

func TestDriverStartsAgainInATurn(t *testing.T) {
	inWorld(t, func(w *world) {
		w.run("a", "", wholeTurn[:3]...)
		w.expect(t, "begin a", "mark loading", "mark measure")
		old := w.feed
		w.feed = newTestFeed()
		w.connect(w.feed)
		old.Close()
		later(2 * time.Second)
		w.expect(t, "end", "seen a false false", "forget")
		w.run("a", workload.TurnOK, wholeTurn...) // number 1 again
		w.expect(t, wholeJournal("a", "true true")...)
	})
}

func TestAnEndThatWasMissedGivesNoFigures(t *testing.T) {
	inWorld(t, func(w *world) {
		w.run("a", "", wholeTurn[:3]...)
		w.expect(t, "begin a", "mark loading", "mark measure")
		w.feed.change(func() { // two turns further on
			w.feed.last = &Ended{Number: 2, Model: "b", Outcome: workload.TurnOK}
			w.feed.turn, w.feed.turns = nil, 2
		})
		w.expect(t, "end", "seen a false false")
	})
}

func TestPollsSeldomWhereAnswersDoNotWait(t *testing.T) {
	asked := 0
	inWorld(t, func(w *world) {
		w.connect(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			asked++
			r.URL.RawQuery = ""
			w.feed.ServeHTTP(rw, r)
		}))
		later(maxWait + time.Minute)
	})
	if asked < 50 || asked > 70 {
		t.Errorf("asked %d times in a minute", asked)
	}
}
