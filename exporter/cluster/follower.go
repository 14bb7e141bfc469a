package cluster

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"exo-bench-exporter/workload"
)

const (
	// retryPause is the time from a failed attempt to the next.
	retryPause = time.Second
	// pollPause is the least time between two answers that say the same.
	pollPause = time.Second
	// forgetAfter is how long figures outlive the contact with the driver: a driver that is
	// gone for longer shows none either, as far as Prometheus is concerned.
	forgetAfter = 5 * time.Minute
	// maxBehind is how late the news that the model is being loaded may come for the memory
	// at that moment to be that before the load. exo takes longer than that to start a process.
	maxBehind = 500 * time.Millisecond
)

// Sampler is the memory of this machine.
type Sampler interface {
	workload.Meter
	// AllowPSS says whether figures may be read that disturb a request under measurement.
	AllowPSS(allowed bool)
}

// Sink is told what a Follower finds. Calls come one at a time.
type Sink interface {
	// Contact says whether the driver answers; err is nil when it does. s is its answer.
	Contact(s State, err error)
	// Seen gives what a turn that has just ended occupied on this machine; ok is false when the
	// turn yielded no figures or was not watched as a whole, so that older ones are void, too.
	Seen(model string, m workload.Memory, ok bool)
	// Forget says that no figure of any turn holds any more.
	Forget()
}

// Follower is the agent's side: it has a Sampler record each turn of a driver.
//
// A turn counts when the Follower heard of it before its requests were measured, heard of its
// end, and was in contact with the same run of the driver all the time: whatever it missed
// would have to be guessed. When the Follower came too late for the moment before the load, the
// turn has neither delta nor unreleased memory.
type Follower struct {
	Client  *Client
	Sampler Sampler
	Sink    Sink
	Logger  *slog.Logger

	known    State
	up       bool
	lostAt   time.Time // when the contact was lost; zero while there is contact or nothing to forget
	fix      string    // of the last error that was logged
	turn     *followed // nil when none is being recorded
	finished int       // number of the last turn that is over with, recorded or not
}

// followed is a turn that is being recorded.
type followed struct {
	Turn
	rec      workload.Recording
	baseline bool // the moment before the load was seen
}

// Run follows the driver until ctx is done.
func (f *Follower) Run(ctx context.Context) {
	defer f.drop()
	f.Sampler.AllowPSS(false)
	for ctx.Err() == nil {
		asked := time.Now()
		wait := maxWait
		if !f.up {
			wait = 0
		}
		s, err := f.Client.State(ctx, f.known, wait)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			f.lost(err)
			sleep(ctx, retryPause)
			continue
		}
		same := f.up && s.Run == f.known.Run && s.Seq == f.known.Seq
		f.follow(s)
		if same {
			sleep(ctx, pollPause-time.Since(asked))
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// lost notes that there is no contact with the driver.
func (f *Follower) lost(err error) {
	var e *DriverError
	if !errors.As(err, &e) {
		e = &DriverError{Reason: err.Error(), Err: err}
	}
	if f.up || f.fix != e.Fix {
		f.Logger.Warn("The driver does not tell whose turn it is; memory is not attributed to models", "reason", e.Reason, "fix", e.Fix)
		f.fix = e.Fix
	}
	if f.up {
		f.up, f.lostAt = false, time.Now()
		f.drop()
		f.Sampler.AllowPSS(false)
	}
	if !f.lostAt.IsZero() && time.Since(f.lostAt) > forgetAfter {
		f.lostAt = time.Time{}
		f.Sink.Forget()
	}
	f.Sink.Contact(State{}, err)
}

// drop ends the recording under way without result.
func (f *Follower) drop() {
	if t := f.turn; t != nil {
		f.turn, f.finished = nil, t.Number
		f.end(t, false)
		f.Sink.Seen(t.Model, workload.Memory{}, false)
	}
}

// end ends a recording without waiting: when the driver says that a turn is over, it has
// waited for memory to settle, and the next turn may have begun.
func (*Follower) end(t *followed, loaded bool) workload.Memory {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	return t.rec.End(now, loaded)
}

// follow does what the driver's state calls for.
func (f *Follower) follow(s State) {
	if !f.up {
		f.Logger.Info("Following the turns of the driver", "version", s.Version)
		f.up, f.lostAt, f.fix = true, time.Time{}, ""
	}
	if s.Run != f.known.Run {
		f.drop()
		if f.known.Run != "" {
			f.Sink.Forget() // the driver has started anew, without figures of its own
		}
		f.finished = 0
	}
	f.known = s
	f.Sink.Contact(s, nil)
	if t := f.turn; t != nil && (s.Turn == nil || s.Turn.Number != t.Number) {
		f.finish(s.Last)
	}
	if s.Turn != nil && s.Turn.Number > f.finished {
		f.continueTurn(*s.Turn)
	}
	f.Sampler.AllowPSS(s.Turn == nil || f.turn != nil) // of a turn that is recorded the Sampler knows when
}

// finish ends the recording of a turn that the driver has done with. last is the driver's last
// turn.
func (f *Follower) finish(last *Ended) {
	t := f.turn
	if last == nil || last.Number != t.Number || t.Phase == workload.PhaseMeasure {
		f.drop() // its end was missed
		return
	}
	f.turn, f.finished = nil, t.Number
	m := f.end(t, last.Loaded && t.baseline)
	f.Sink.Seen(t.Model, m, last.Outcome.Good() && m.Samples > 0)
}

// continueTurn brings the recording to where the driver's turn is, or begins it.
func (f *Follower) continueTurn(now Turn) {
	if f.turn == nil {
		switch now.Phase {
		case workload.PhaseBefore, workload.PhaseLoading:
		default:
			f.finished = now.Number
			f.Logger.Info("The driver is in the middle of a turn; the next one is the first that is watched", "model", now.Model)
			f.Sink.Seen(now.Model, workload.Memory{}, false)
			return
		}
		f.turn = &followed{
			Turn: Turn{Number: now.Number, Model: now.Model, Phase: workload.PhaseBefore},
			rec:  f.Sampler.Begin(now.Model), baseline: true,
		}
	}
	t := f.turn
	if now.Phase == t.Phase {
		return
	}
	if t.Phase == workload.PhaseBefore {
		behind := time.Duration(now.PhaseSeconds * float64(time.Second))
		t.baseline = now.Phase == workload.PhaseLoading && behind <= maxBehind
		t.Phase = workload.PhaseLoading
		t.rec.Mark(t.Phase)
	}
	if now.Phase != t.Phase {
		t.Phase = now.Phase
		t.rec.Mark(t.Phase)
	}
}
