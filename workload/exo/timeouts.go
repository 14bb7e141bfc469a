package exo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"exo-bench-exporter/workload"
)

// Timeouts bound one request. exo itself has no timeout at all (1.x) or one of 15 minutes
// (0.0.x).
type Timeouts struct {
	FirstToken time.Duration // from t0 to the first token event
	Idle       time.Duration // between two token events; keep-alives do not count
	Request    time.Duration // the whole request, connect included
}

// DefaultTimeouts returns the timeouts that hold where nothing is configured.
func DefaultTimeouts() Timeouts {
	return Timeouts{FirstToken: 2 * time.Minute, Idle: 30 * time.Second, Request: 10 * time.Minute}
}

func (t Timeouts) withDefaults() Timeouts {
	d := DefaultTimeouts()
	setDefault(&t.FirstToken, d.FirstToken)
	setDefault(&t.Idle, d.Idle)
	setDefault(&t.Request, d.Request)
	return t
}

func setDefault(d *time.Duration, v time.Duration) {
	if *d <= 0 {
		*d = v
	}
}

// timeoutError is the cause of a context that a guard ended.
type timeoutError struct {
	outcome workload.Outcome
	text    string
}

func (e *timeoutError) Error() string { return e.text }

// guard ends the context of a request when one of its timeouts passes.
type guard struct {
	cancel context.CancelCauseFunc
	total  *time.Timer
	idle   time.Duration

	mu    sync.Mutex
	timer *time.Timer // first-token timeout, then idle timeout
	first bool        // the first token came

	ending time.Duration // what is waited for the end; 0 while the answer is not complete
}

// newGuard returns a context of parent under t. The first-token timeout starts to run.
func newGuard(parent context.Context, t Timeouts) (context.Context, *guard) {
	ctx, cancel := context.WithCancelCause(parent)
	g := &guard{cancel: cancel, idle: t.Idle}
	g.total = g.after(t.Request, workload.OutcomeTotalTimeout, "the request was not done")
	g.timer = g.after(t.FirstToken, workload.OutcomeFirstTokenTimeout, "no token came")
	return ctx, g
}

func (g *guard) after(d time.Duration, o workload.Outcome, what string) *time.Timer {
	return time.AfterFunc(d, func() {
		g.cancel(&timeoutError{o, fmt.Sprintf("%s within %v", what, d)})
	})
}

// connected starts the first-token timeout anew: the connection stands, d counts from now.
func (g *guard) connected(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.timer.Stop() {
		g.timer.Reset(d)
	}
}

// token starts the idle timeout anew; the first call puts it in the place of the first-token
// timeout, and one after an answer that seemed complete in the place of the wait for its end.
func (g *guard) token() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.timer.Stop() {
		return // it has passed already
	}
	if g.first && g.ending == 0 {
		g.timer.Reset(g.idle)
		return
	}
	g.first, g.ending = true, 0
	g.timer = g.after(g.idle, workload.OutcomeIdleTimeout, "no further token came")
}

// How long an answer that is complete is waited for to come to its end: the node's own figures may
// follow, and the usage if it has not come yet.
const (
	endWait      = time.Second
	endWaitUsage = 2 * time.Second
)

// complete starts to wait for the end of an answer that is complete. counted says that the usage
// has come, too. What comes meanwhile is not waited for any longer.
func (g *guard) complete(counted bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	wait := endWaitUsage
	if counted {
		wait = endWait
	}
	if g.ending == wait || !g.timer.Stop() {
		return
	}
	g.ending = wait
	g.timer = g.after(wait, workload.OutcomeIdleTimeout, "the answer did not come to its end")
}

// untimed leaves only the bound on the whole request: the answer comes as one document.
func (g *guard) untimed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.timer.Stop()
}

// stop ends the request's context and all timers.
func (g *guard) stop() {
	g.total.Stop()
	g.untimed()
	g.cancel(nil)
}

// interrupted tells why ctx, that of a request, has ended: by one of its timeouts, or by the
// caller. stopped is false while it has not.
func interrupted(ctx context.Context) (o workload.Outcome, why string, stopped bool) {
	var timeout *timeoutError
	switch {
	case ctx.Err() == nil:
		return "", "", false
	case errors.As(context.Cause(ctx), &timeout):
		return timeout.outcome, timeout.text, true
	default:
		return workload.OutcomeCanceled, "the exporter gave the request up", true
	}
}
