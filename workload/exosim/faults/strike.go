package faults

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/wire"
)

// Refuse answers an HTTP error in the form of a generation of exo.
type Refuse func(w http.ResponseWriter, status int, message string)

// Answer answers a request as f demands; false when f strikes later in the answer.
func (b *Book) Answer(ctx context.Context, w http.ResponseWriter, f Fault, refuse Refuse) bool {
	switch f.Kind {
	case HTTPError:
		status := cmp.Or(f.Status, http.StatusServiceUnavailable)
		refuse(w, status, cmp.Or(f.Message, http.StatusText(status)))
	case Text500:
		wire.Text500(w)
	case Unprocessable:
		wire.Unprocessable(w, wire.Invalid{
			Type: "extra_forbidden", Loc: []any{"body", "simulated"}, Msg: cmp.Or(f.Message, "Extra inputs are not permitted"),
		})
	case Stall:
		if f.Path == "" {
			return false
		}
		_ = pace.SleepUntil(ctx, b.clock.After(cmp.Or(pace.Seconds(f.Seconds), 24*time.Hour)))
	default:
		return false
	}
	return true
}

// InStream lets f happen to a running answer, if it is of a kind that needs no more than
// the answer; handled says whether it was.
func (f *Fault) InStream(g *pace.Generation) (handled bool, err error) {
	switch f.Kind {
	case ErrorEvent:
		return true, &pace.Interruption{Event: cmp.Or(f.Message, "Simulated failure of the engine")}
	case Stall:
		return true, g.Stall(pace.Seconds(f.Seconds))
	case Cut:
		return true, pace.ErrCut
	case Reset:
		return true, pace.ErrReset
	}
	return false, nil
}

// Due reports whether f's time in an answer has come.
func (f *Fault) Due(g *pace.Generation) bool { return f != nil && g.Events >= f.After }

// Shape changes the answer before it begins, where f is of a kind that does that.
func (f *Fault) Shape(a *pace.Answer) {
	if f == nil {
		return
	}
	switch f.Kind {
	case Empty:
		a.Length = 0
	case ShortAnswer:
		a.Length, a.Finish = min(a.Length, cmp.Or(f.Tokens, 4)), "stop"
	case IgnoresLimit:
		a.Length, a.Finish = cmp.Or(f.Tokens, 200), "stop"
	case Gibberish:
		a.Gibberish = true
	case SeveralTokens:
		a.PerEvent = cmp.Or(f.Tokens, 4)
	}
}

// replayGap is the time between two events of a stream that is replayed.
const replayGap = 200 * time.Microsecond

// Hold makes events of a stream wait for each other, where f is of a kind that does that, and
// returns what lets those go that wait at the end.
func (f *Fault) Hold(s *wire.SSE) (release func()) {
	if f == nil {
		return func() {}
	}
	switch f.Kind {
	case Clumped:
		s.Hold(cmp.Or(f.Tokens, 8))
	case HeldBack, Replayed:
		s.Hold(0)
	default:
		return func() {}
	}
	gap := time.Duration(0)
	if f.Kind == Replayed {
		gap = replayGap
	}
	return func() { _ = s.Release(gap) }
}
