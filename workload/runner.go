package workload

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// RunnerOptions say what a Runner runs. Models, Suite and Target are required.
type RunnerOptions struct {
	Models    []Model
	Suite     Suite
	Target    Target
	Meter     Meter         // nil: memory is not watched
	Observers []Observer    // told in this order
	Interval  time.Duration // from the start of a cycle to the start of the next
	// Wake receives when a node that could not be reached can be reached again; a runner whose
	// last turn could not reach it then starts a cycle at once. Nil: it waits for the interval.
	Wake   <-chan struct{}
	Logger *slog.Logger
}

// Runner cycles models through a suite, one request at a time.
type Runner struct {
	o      RunnerOptions
	sha256 string           // of the suite
	wall   func() time.Time // the time without a monotonic reading
	cycles int
}

// NewRunner returns a Runner; nothing runs yet.
func NewRunner(o RunnerOptions) *Runner {
	if o.Meter == nil {
		o.Meter = noMeter{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Runner{o: o, sha256: o.Suite.SHA256(), wall: wallClock}
}

// Run runs a cycle at once and then one every interval until ctx is done. A cycle that takes
// longer than the interval is followed by the next at once; missed starts do not pile up. A cycle
// that was due while the machine slept starts after it has woken.
func (r *Runner) Run(ctx context.Context) {
	for {
		start := r.now()
		_, reached := r.cycle(ctx)
		if ctx.Err() != nil {
			return
		}
		took := time.Since(start.Time)
		if took > r.o.Interval {
			r.o.Logger.Warn("cycle took longer than the interval; the next one starts at once",
				"took", took.Round(time.Millisecond), "interval", r.o.Interval)
		}
		wake := r.o.Wake
		if reached {
			wake = nil
		}
		r.wait(ctx, start, wake)
		if ctx.Err() != nil {
			return
		}
	}
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
	for _, m := range order {
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
	c.Duration, c.Outcome = time.Since(c.Start), cycleOutcome(c.Turns)
	r.noteSleep(&c, start)
	args := []any{"cycle", c.Number, "outcome", c.Outcome, "took", c.Duration.Round(time.Millisecond)}
	if !reached {
		args = append(args, "reason", c.Turns[len(c.Turns)-1].Reason)
	}
	r.o.Logger.Info("cycle done", args...)
	r.each(func(o Observer) { o.CycleDone(c) })
	return c, reached
}

func cycleOutcome(turns []Turn) TurnOutcome {
	good, ok := 0, 0
	for _, t := range turns {
		if t.Outcome.Good() {
			good++
		}
		if t.Outcome == TurnOK {
			ok++
		}
	}
	switch {
	case ok == len(turns):
		return TurnOK
	case good > 0:
		return TurnPartial
	default:
		return TurnFailed
	}
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
		r.o.Logger.Info("turn done", args...)
		return
	}
	level := slog.LevelWarn
	if !reached {
		level = slog.LevelDebug
	}
	r.o.Logger.Log(context.Background(), level, "turn done", append(args, "reason", t.Reason)...)
}

// noMeter sees no memory.
type noMeter struct{}

func (noMeter) Begin(string) Recording { return noRecording{} }

type noRecording struct{}

func (noRecording) Mark(Phase)                       {}
func (noRecording) End(context.Context, bool) Memory { return Memory{} }

// openFailure turns an error of Target.Open into a turn's outcome. reached is false when the
// node could not be asked at all.
func openFailure(err error) (outcome TurnOutcome, reason string, reached bool) {
	var te *TurnError
	if errors.As(err, &te) {
		return te.Outcome, te.Error(), true
	}
	return TurnFailed, err.Error(), false
}
