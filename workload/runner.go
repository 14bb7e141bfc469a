package workload

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// RunnerOptions say what a Runner runs. Models, Suite and Target are required.
type RunnerOptions struct {
	Models []Model
	Suite  Suite
	Target Target
	Meter  Meter // nil: memory is not watched
	// Surroundings watches the machine beside the requests; nil: nothing does.
	Surroundings Surroundings
	Canary       *Canary       // nil: no questions are put
	Witness      Witness       // nil: answers are not compared with those before
	Observers    []Observer    // told in this order
	Interval     time.Duration // from the start of a cycle to the start of the next
	// Wake receives when a node that could not be reached can be reached again; a runner whose
	// last turn could not reach it then starts a cycle at once. Nil: it waits for the interval.
	Wake <-chan struct{}
	// First is the number of the first cycle, which decides the order of the models in it. Last is
	// when the cycle before it started, by which it is due; the zero time means at once.
	First  int
	Last   time.Time
	Logger *slog.Logger
}

// Runner cycles models through a suite, one request at a time.
type Runner struct {
	o         RunnerOptions
	sha256    string           // of the suite
	canary256 string           // of the questions; empty where there are none
	wall      func() time.Time // the time without a monotonic reading
	cycles    int              // number of the next cycle

	stopping chan struct{} // closed by Stop
	stop     func()
	cut      bool   // a cycle was cut short by Stop
	started  moment // when the last cycle started that was not; zero when the next is due at once
}

// NewRunner returns a Runner; nothing runs yet.
func NewRunner(o RunnerOptions) *Runner {
	if o.Meter == nil {
		o.Meter = noMeter{}
	}
	if o.Surroundings == nil {
		o.Surroundings = noSurroundings{}
	}
	if o.Witness == nil {
		o.Witness = noWitness{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	stopping := make(chan struct{})
	r := &Runner{
		o: o, sha256: o.Suite.SHA256(), wall: wallClock, cycles: o.First,
		stopping: stopping, stop: sync.OnceFunc(func() { close(stopping) }),
	}
	if o.Canary != nil {
		r.canary256 = o.Canary.SHA256()
	}
	if !o.Last.IsZero() {
		r.started = moment{o.Last, r.wall().Add(-time.Since(o.Last))}
	}
	return r
}

// Run runs a cycle when it is due and then one every interval until ctx is done or Stop is called. A
// cycle that takes longer than the interval is followed by the next at once; missed starts do not
// pile up. A cycle that was due while the machine slept starts after it has woken.
func (r *Runner) Run(ctx context.Context) {
	reached := true
	for r.await(ctx, reached) {
		start := r.now()
		_, reached = r.cycle(ctx)
		if r.cut {
			r.started = moment{}
			return
		}
		r.started = start
		if took := time.Since(start.Time); took > r.o.Interval && ctx.Err() == nil {
			r.o.Logger.Warn("Cycle took longer than the interval; the next one starts at once",
				"took", took.Round(time.Millisecond), "interval", r.o.Interval)
		}
	}
}

// await waits until a cycle is due, or until a node that could not be reached can be; false when
// the runner has to end instead.
func (r *Runner) await(ctx context.Context, reached bool) bool {
	wake := r.o.Wake
	if reached {
		wake = nil
	}
	if !r.started.IsZero() {
		r.wait(ctx, r.started, wake)
	}
	return ctx.Err() == nil && !r.stopped()
}

// Stop has Run return when the turn that runs has ended, or at once between cycles. A cycle that
// is cut short so is not published.
func (r *Runner) Stop() { r.stop() }

func (r *Runner) stopped() bool {
	select {
	case <-r.stopping:
		return true
	default:
		return false
	}
}

// Next returns, after Run, the First and Last with which another Runner goes on. After a cycle that
// was cut short its first one is due at once.
func (r *Runner) Next() (first int, last time.Time) {
	if !r.started.IsZero() {
		last = r.started.Add(-r.slept(r.started)) // which the clock of last does not count
	}
	return r.cycles, last
}

// Cycle runs one cycle. When ctx ends before the cycle does, the returned Cycle holds the
// turns that were complete and, with the requests that were, the one at hand, which is TurnCanceled
// as the cycle is.
func (r *Runner) Cycle(ctx context.Context) Cycle {
	c, _ := r.cycle(ctx)
	return c
}

// cycle runs one cycle; reached is false when its last turn could not reach the node.
func (r *Runner) cycle(ctx context.Context) (c Cycle, reached bool) {
	start := r.now()
	c = Cycle{Number: r.cycles, Start: start.Time}
	r.cycles++
	var order []Model
	for _, i := range Order(len(r.o.Models), c.Number) {
		order = append(order, r.o.Models[i])
	}
	r.each(func(o Observer) { o.CycleStarted(c.Number, order, c.Start) })
	reached = true
	for i, m := range order {
		if r.cut = i > 0 && r.stopped(); r.cut {
			c.Duration, c.Outcome = time.Since(c.Start), TurnCanceled
			r.o.Logger.Info("Cycle cut short", "cycle", c.Number, "turns", len(c.Turns), "of", len(order))
			return c, reached
		}
		t, ok := r.turn(ctx, c.Number, m)
		if ctx.Err() != nil {
			t.Outcome, t.Reason = TurnCanceled, "the exporter was told to stop"
			c.Turns = append(c.Turns, t)
			c.Duration, c.Outcome = time.Since(c.Start), TurnCanceled
			return c, true
		}
		reached = ok
		c.Turns = append(c.Turns, t)
		r.logTurn(t, reached)
		r.each(func(o Observer) { o.TurnDone(t) })
	}
	c.Duration, c.Outcome = time.Since(c.Start), CycleOutcome(c.Turns)
	r.noteSleep(&c, start)
	args := []any{"cycle", c.Number, "outcome", c.Outcome, "took", c.Duration.Round(time.Millisecond)}
	if !reached {
		args = append(args, "reason", c.Turns[len(c.Turns)-1].Reason)
	}
	r.o.Logger.Info("Cycle done", args...)
	r.each(func(o Observer) { o.CycleDone(c) })
	return c, reached
}

func (r *Runner) each(f func(Observer)) {
	for _, o := range r.o.Observers {
		f(o)
	}
}

// logTurn says how a turn ended. While the node cannot be reached every turn ends alike, and
// the cycle's line says why.
func (r *Runner) logTurn(t Turn, reached bool) {
	args := []any{"model", t.Model, "outcome", t.Outcome, "took", t.Duration.Round(time.Millisecond)}
	if rate, ok := t.DecodeRate(); ok {
		args = append(args, "decode_tokens_per_second", float64(int(rate*10))/10)
	}
	if ttft, ok := t.MedianTTFT(); ok {
		args = append(args, "median_ttft", ttft.Round(time.Millisecond))
	}
	if t.Outcome == TurnOK {
		r.o.Logger.Info("Turn done", args...)
		return
	}
	level := slog.LevelWarn
	if !reached {
		level = slog.LevelDebug
	}
	r.o.Logger.Log(context.Background(), level, "Turn done", append(args, "reason", t.Reason)...)
}

// noMeter sees no memory.
type noMeter struct{}

func (noMeter) Begin(string) Recording { return noRecording{} }

type noRecording struct{}

func (noRecording) Mark(Phase)                       {}
func (noRecording) End(context.Context, bool) Memory { return Memory{} }

// openFailure turns an error of Target.Open into a turn's outcome. reached is false when the
// node could not be asked at all.
func openFailure(err error) (outcome TurnOutcome, reason, fix string, reached bool) {
	var te *TurnError
	if errors.As(err, &te) {
		return te.Outcome, te.Error(), te.Fix, true
	}
	return TurnFailed, err.Error(), "", false
}
