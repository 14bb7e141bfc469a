package workload

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// fakeNode is a Target whose requests take a second each unless a script says otherwise.
type fakeNode struct {
	open    func(Model) error
	answer  func(ctx context.Context, r Request) Result
	closing time.Duration // how long Close takes unless its context ends
	busy    int
	log     []string
	closed  []string
	ended   string // why the node serves no model any more; empty while it does
	kept    bool   // what was loaded stays when a session is closed
}

func (n *fakeNode) Open(_ context.Context, m Model) (Session, error) {
	if n.open != nil {
		if err := n.open(m); err != nil {
			return nil, err
		}
	}
	return &fakeSession{n, m}, nil
}

type fakeSession struct {
	n *fakeNode
	m Model
}

func (s *fakeSession) ExoModel() string { return "id/" + s.m.Name }
func (s *fakeSession) Ended() string    { return s.n.ended }
func (s *fakeSession) Load() Load {
	return Load{Loaded: true, Owned: !s.n.kept || len(s.n.closed) == 0, Duration: time.Second}
}

func (s *fakeSession) Measure(ctx context.Context, r Request) Result {
	s.n.busy++
	defer func() { s.n.busy-- }()
	if s.n.busy > 1 {
		panic("two requests at once")
	}
	s.n.log = append(s.n.log, fmt.Sprintf("%s/%s warmup=%v", r.Model, r.Prompt.ID, r.Warmup))
	if s.n.answer != nil {
		return s.n.answer(ctx, r)
	}
	return s.n.wait(ctx, r, time.Second)
}

func (n *fakeNode) wait(ctx context.Context, r Request, d time.Duration) Result {
	res := timed(11, d/2, d/2)
	res.Model, res.Prompt = r.Model, r.Prompt.ID
	select {
	case <-time.After(d):
	case <-ctx.Done():
		res.Outcome = OutcomeCanceled
	}
	return res
}

func (s *fakeSession) Close(ctx context.Context) error {
	s.n.closed = append(s.n.closed, s.m.Name)
	select {
	case <-time.After(s.n.closing):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// recorder is an Observer that keeps everything.
type recorder struct {
	starts  []time.Time
	orders  [][]string
	results []Result
	turns   []Turn
	cycles  []Cycle
}

func (r *recorder) CycleStarted(_ int, order []Model, at time.Time) {
	var names []string
	for _, m := range order {
		names = append(names, m.Name)
	}
	r.starts, r.orders = append(r.starts, at), append(r.orders, names)
}
func (r *recorder) TurnStarted(string, time.Time) {}
func (r *recorder) RequestDone(res Result)        { r.results = append(r.results, res) }
func (r *recorder) TurnDone(t Turn)               { r.turns = append(r.turns, t) }
func (r *recorder) CycleDone(c Cycle)             { r.cycles = append(r.cycles, c) }

// meterLog is a Meter that keeps what it was told.
type meterLog struct{ log []string }

func (m *meterLog) Begin(model string) Recording {
	m.log = append(m.log, "begin "+model)
	return m
}
func (m *meterLog) Mark(p Phase) { m.log = append(m.log, string(p)) }
func (m *meterLog) End(_ context.Context, loaded bool) Memory {
	m.log = append(m.log, fmt.Sprintf("end loaded=%v", loaded))
	return Memory{Samples: 1, Median: 5}
}

func smallSuite(prompts int) Suite {
	s := Suite{Version: "t"}
	for i := range prompts {
		s.Prompts = append(s.Prompts, Prompt{ID: fmt.Sprintf("p%d", i), Kind: "chat", MaxTokens: 64, Messages: []Message{{"user", "x"}}})
	}
	return s
}

func newTestRunner(n *fakeNode, models, prompts int, o RunnerOptions) (*Runner, *recorder) {
	rec := &recorder{}
	for i := range models {
		o.Models = append(o.Models, Model{Name: fmt.Sprintf("m%d", i)})
	}
	o.Suite, o.Target, o.Observers = smallSuite(prompts), n, []Observer{rec}
	return NewRunner(o), rec
}

func TestCycleRunsEveryPromptOnEveryModelAfterAWarmup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, meter := &fakeNode{}, &meterLog{}
		r, rec := newTestRunner(n, 2, 3, RunnerOptions{Meter: meter})
		c := r.Cycle(t.Context())
		want := []string{
			"m0/p0 warmup=true", "m0/p0 warmup=false", "m0/p1 warmup=false", "m0/p2 warmup=false",
			"m1/p0 warmup=true", "m1/p0 warmup=false", "m1/p1 warmup=false", "m1/p2 warmup=false",
		}
		if !slices.Equal(n.log, want) {
			t.Errorf("requests:\n%s", strings.Join(n.log, "\n"))
		}
		if c.Outcome != TurnOK || len(c.Turns) != 2 || c.Duration != 8*time.Second {
			t.Errorf("cycle: %s, %d turns, %s", c.Outcome, len(c.Turns), c.Duration)
		}
		if len(rec.results) != 6 || len(rec.turns) != 2 || len(rec.cycles) != 1 {
			t.Errorf("observed %d results, %d turns, %d cycles; want 6 (no warm-up), 2, 1", len(rec.results), len(rec.turns), len(rec.cycles))
		}
		turn := rec.turns[0]
		if turn.ExoModel != "id/m0" || !turn.Load.Loaded || turn.Memory.Median != 5 || turn.Duration != 4*time.Second {
			t.Errorf("turn: %+v", turn)
		}
		if got := strings.Join(meter.log[:6], ", "); got != "begin m0, loading, measure, releasing, released, end loaded=true" {
			t.Errorf("meter was told: %s", got)
		}
		if !slices.Equal(n.closed, []string{"m0", "m1"}) {
			t.Errorf("closed %v", n.closed)
		}
	})
}

func TestOneModelsTroubleLeavesTheOthersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &fakeNode{open: func(m Model) error {
			if m.Name == "m1" {
				return &TurnError{Outcome: TurnUnavailable, Reason: "not in the catalogue"}
			}
			return nil
		}}
		n.answer = func(ctx context.Context, r Request) Result {
			res := n.wait(ctx, r, time.Second)
			if r.Model == "m2" && r.Prompt.ID != "p0" {
				res.Outcome, res.Err = OutcomeStreamError, "runner died"
			}
			if r.Model == "m3" {
				res.Outcome, res.Err = OutcomeHTTPError, "HTTP 500"
			}
			return res
		}
		r, rec := newTestRunner(n, 5, 3, RunnerOptions{})
		c := r.Cycle(t.Context())
		want := map[string]TurnOutcome{"m0": TurnOK, "m1": TurnUnavailable, "m2": TurnPartial, "m3": TurnFailed, "m4": TurnOK}
		for _, turn := range rec.turns {
			if turn.Outcome != want[turn.Model] {
				t.Errorf("%s: %s, want %s", turn.Model, turn.Outcome, want[turn.Model])
			}
			if (turn.Outcome == TurnOK) != (turn.Reason == "") {
				t.Errorf("%s is %s with reason %q", turn.Model, turn.Outcome, turn.Reason)
			}
		}
		if c.Outcome != TurnPartial {
			t.Errorf("cycle %s, want partial", c.Outcome)
		}
		if slices.Contains(n.closed, "m1") || len(n.closed) != 4 {
			t.Errorf("closed %v: whatever was opened, and only that, is closed", n.closed)
		}
	})
}

func TestUnreachableNodeCountsEveryPromptOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &fakeNode{open: func(Model) error { return errors.New("connection refused") }}
		r, rec := newTestRunner(n, 2, 3, RunnerOptions{})
		if c := r.Cycle(t.Context()); c.Outcome != TurnFailed {
			t.Errorf("cycle %s, want failed", c.Outcome)
		}
		if len(rec.results) != 6 || len(n.log) != 0 {
			t.Fatalf("%d results from %d requests, want 6 from none", len(rec.results), len(n.log))
		}
		for _, res := range rec.results {
			if res.Outcome != OutcomeConnectError || !strings.Contains(res.Err, "refused") {
				t.Errorf("result %s %q", res.Outcome, res.Err)
			}
		}
	})
}

func TestHopelessTurnIsGivenUp(t *testing.T) {
	for outcome, want := range map[Outcome]struct{ sent, counted int }{
		OutcomeFirstTokenTimeout: {2, 1}, // warm-up and one prompt; the rest was never due for an answer
		OutcomeConnectError:      {2, 6}, // every prompt that could not be sent is a failure
		OutcomeHTTPError:         {7, 6}, // an answer costs nothing: all are asked
	} {
		t.Run(string(outcome), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &fakeNode{}
				n.answer = func(_ context.Context, r Request) Result {
					return Result{Model: r.Model, Prompt: r.Prompt.ID, Outcome: outcome, Err: "why"}
				}
				r, rec := newTestRunner(n, 1, 6, RunnerOptions{})
				r.Cycle(t.Context())
				if len(n.log) != want.sent || len(rec.results) != want.counted {
					t.Errorf("sent %d, counted %d; want %d and %d", len(n.log), len(rec.results), want.sent, want.counted)
				}
				if turn := rec.turns[0]; turn.Outcome != TurnFailed || !strings.Contains(turn.Reason, "why") {
					t.Errorf("turn %s: %s", turn.Outcome, turn.Reason)
				}
			})
		})
	}
}

func TestRunStartsAtOnceAndKeepsTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &fakeNode{}
		r, rec := newTestRunner(n, 3, 1, RunnerOptions{Interval: time.Minute})
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute-time.Second)
		defer cancel()
		r.Run(ctx)
		if len(rec.starts) != 10 {
			t.Fatalf("%d cycles started in ten minutes", len(rec.starts))
		}
		for i, at := range rec.starts {
			if want := time.Duration(i) * time.Minute; at.Sub(begin) != want {
				t.Errorf("cycle %d started after %s, want %s", i, at.Sub(begin), want)
			}
		}
		if slices.Equal(rec.orders[0], rec.orders[1]) {
			t.Error("the order of the models does not rotate")
		}
	})
}

func TestOverrunIsFollowedAtOnceWithoutPilingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &fakeNode{}
		slow := true
		n.answer = func(ctx context.Context, r Request) Result {
			d := time.Second
			if slow && !r.Warmup {
				slow, d = false, 3*time.Minute+30*time.Second
			}
			return n.wait(ctx, r, d)
		}
		r, rec := newTestRunner(n, 1, 1, RunnerOptions{Interval: time.Minute})
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
		defer cancel()
		r.Run(ctx)
		var at []time.Duration
		for _, s := range rec.starts {
			at = append(at, s.Sub(begin))
		}
		want := []time.Duration{0, 211 * time.Second, 271 * time.Second, 331 * time.Second}
		if !slices.Equal(at, want) {
			t.Errorf("cycles started at %v, want %v", at, want)
		}
	})
}

func TestWakeStartsACycleOnlyAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wake := make(chan struct{}, 1)
		var up atomic.Bool
		n := &fakeNode{open: func(Model) error {
			if !up.Load() {
				return errors.New("connection refused")
			}
			return nil
		}}
		r, rec := newTestRunner(n, 1, 1, RunnerOptions{Interval: time.Hour, Wake: wake})
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Minute)
		defer cancel()
		time.AfterFunc(5*time.Minute, func() { up.Store(true); wake <- struct{}{} })
		time.AfterFunc(10*time.Minute, func() { wake <- struct{}{} }) // the node is well: this one waits
		r.Run(ctx)
		var at []time.Duration
		for _, s := range rec.starts {
			at = append(at, s.Sub(begin))
		}
		if want := []time.Duration{0, 5 * time.Minute, 65 * time.Minute}; !slices.Equal(at, want) {
			t.Errorf("cycles started at %v, want %v", at, want)
		}
	})
}

func TestCanceledWorkIsNotPublishedButGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &fakeNode{closing: time.Hour}
		r, rec := newTestRunner(n, 2, 3, RunnerOptions{Interval: time.Hour})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(2500*time.Millisecond, cancel) // in the middle of m0's second prompt
		begin := time.Now()
		r.Run(ctx)
		if took := time.Since(begin); took > 2500*time.Millisecond {
			t.Errorf("stopping took until %s", took)
		}
		if len(rec.results) != 1 || len(rec.turns) != 0 || len(rec.cycles) != 0 {
			t.Errorf("published %d results, %d turns, %d cycles; want 1, 0, 0", len(rec.results), len(rec.turns), len(rec.cycles))
		}
		if !slices.Equal(n.closed, []string{"m0"}) {
			t.Errorf("closed %v, want m0", n.closed)
		}
	})
}

// Whoever asked for the cycle gets what was measured until then.
func TestCanceledCycleHoldsWhatWasMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, rec := newTestRunner(&fakeNode{}, 2, 3, RunnerOptions{Interval: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond) // in the middle of m0's second prompt
		defer cancel()
		c := r.Cycle(ctx)
		if c.Outcome != TurnCanceled || len(c.Turns) != 1 || c.Turns[0].Outcome != TurnCanceled || c.Turns[0].Reason == "" ||
			len(c.Turns[0].Results) != 1 || !c.Turns[0].Results[0].OK() || len(rec.turns) != 0 {
			t.Errorf("cycle %+v; %d turns published", c, len(rec.turns))
		}
	})
}

// A runner that is stopped ends with its turn, and another goes on where it ended.
func TestStoppedRunnerHandsOver(t *testing.T) {
	for name, tt := range map[string]struct {
		stop    time.Duration
		turns   int           // that were published
		cycles  int           // likewise
		ended   time.Duration // when Run returned
		next    int
		started time.Duration // of the last whole cycle; negative for none
	}{
		"in the first turn":     {2500 * time.Millisecond, 1, 0, 4 * time.Second, 1, -1},
		"in the last turn":      {6500 * time.Millisecond, 2, 1, 8 * time.Second, 1, 0},
		"between cycles":        {time.Minute, 2, 1, time.Minute, 1, 0},
		"in the second cycle":   {time.Hour + time.Second, 3, 1, time.Hour + 4*time.Second, 2, -1},
		"before anything began": {-1, 0, 0, 0, 0, -1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, rec := newTestRunner(&fakeNode{}, 2, 3, RunnerOptions{Interval: time.Hour})
				begin := time.Now()
				if tt.stop < 0 {
					r.Stop()
				} else {
					time.AfterFunc(tt.stop, r.Stop)
				}
				r.Run(t.Context())
				if ended := time.Since(begin); ended != tt.ended {
					t.Errorf("ended after %s, want %s", ended, tt.ended)
				}
				if len(rec.turns) != tt.turns || len(rec.cycles) != tt.cycles {
					t.Errorf("%d turns and %d cycles were published, want %d and %d", len(rec.turns), len(rec.cycles), tt.turns, tt.cycles)
				}
				next, started := r.Next()
				if next != tt.next || started.IsZero() != (tt.started < 0) || tt.started >= 0 && started.Sub(begin) != tt.started {
					t.Errorf("next is cycle %d after one started at %s", next, started.Sub(begin))
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		r, rec := newTestRunner(&fakeNode{}, 3, 1, RunnerOptions{Interval: time.Hour, First: 7, Last: time.Now().Add(-50 * time.Minute)})
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
		defer cancel()
		r.Run(ctx)
		if len(rec.starts) != 1 || rec.starts[0].Sub(begin) != 10*time.Minute || rec.cycles[0].Number != 7 {
			t.Errorf("started at %v: %+v", rec.starts, rec.cycles)
		}
	})
}

// A session that says that it has ended gets no further prompt, and its turn the reason.
func TestEndedSession(t *testing.T) {
	for _, c := range []struct {
		name     string
		at       int // the request that finds out, the warm-up being 0
		outcome  TurnOutcome
		requests int
		reason   string
	}{
		{"in the warm-up", 0, TurnFailed, 1, "the instance is gone; 3 prompts not sent"},
		{"in the second prompt", 2, TurnPartial, 3, "the instance is gone; 1 prompts not sent"},
		{"in the last prompt", 3, TurnPartial, 4, "1 of 3 requests failed; the first: http_error: HTTP 404"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &fakeNode{}
				n.answer = func(ctx context.Context, r Request) Result {
					res := n.wait(ctx, r, time.Second)
					if len(n.log) > c.at {
						n.ended, res.Outcome, res.Err = "the instance is gone", OutcomeHTTPError, "HTTP 404"
					}
					return res
				}
				r, rec := newTestRunner(n, 1, 3, RunnerOptions{})
				r.Cycle(t.Context())
				if turn := rec.turns[0]; turn.Outcome != c.outcome || turn.Reason != c.reason || len(n.log) != c.requests || len(n.closed) != 1 {
					t.Errorf("%s after %d requests: %s", turn.Outcome, len(n.log), turn.Reason)
				}
			})
		})
	}
}

// What a session keeps loaded was not released: its memory says nothing of what is not given back.
func TestKeptIsNotReleased(t *testing.T) {
	for _, kept := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			meter := &meterLog{}
			r, rec := newTestRunner(&fakeNode{kept: kept}, 1, 1, RunnerOptions{Meter: meter})
			r.Cycle(t.Context())
			if released := slices.Contains(meter.log, string(PhaseReleased)); released == kept || rec.turns[0].Load.Owned == kept {
				t.Errorf("kept: %v, marked as released: %v, load %+v", kept, released, rec.turns[0].Load)
			}
		})
	}
}
