package instance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"exo-bench-exporter/workload/exo/state"
)

// errGone says that an instance is not listed any more.
var errGone = errors.New("gone")

// checkBound bounds the look at an instance after a request to it failed.
const checkBound = 5 * time.Second

// Check tells what is wrong with the instance at the moment; nil when it is ready. It is for
// telling a request that failed because the instance went from one that failed by itself.
func (l *Lease) Check(ctx context.Context) error {
	v, err := l.m.node.look(ctx, state.Query{Parts: lifecycle, MaxAge: justNow})
	if err != nil {
		return answered(ctx, err, "exo's instances cannot be read")
	}
	in, listed := v.Instances[l.in.ID]
	if !listed {
		return failed(errGone, "instance %s of %s is gone: somebody deleted it, its node left, or exo's master changed", l.in.ID, l.in.Model)
	}
	if h := v.Health(in); !h.Ready {
		return failed(nil, "instance %s of %s is not ready any more (runners: %s%s)", in.ID, in.Model, h.States, because(h.Reason))
	}
	return nil
}

// Recover is to be called after a request that failed. It says what is the matter with the
// instance, "" for nothing that can be seen. An instance of ours that is gone is placed again,
// once in a turn; over tells that there is none to put further requests to.
func (l *Lease) Recover(ctx context.Context) (why string, over bool) {
	look, cancel := context.WithTimeout(ctx, checkBound)
	defer cancel()
	err := l.Check(look)
	if _, turn := outcomeOf(err); !turn {
		return "", false // nothing, or exo cannot be asked
	}
	if !errors.Is(err, errGone) {
		return reasonOf(err), false
	}
	switch {
	case !l.Owned:
		return reasonOf(err), true
	case l.again:
		return reasonOf(err) + ", for the second time in this turn", true
	}
	l.again = true
	l.m.log.Info("Our instance is gone in mid-turn; it is placed again", "model", l.in.Model, "instance", l.in.ID)
	if e := l.replace(ctx); e != nil {
		return fmt.Sprintf("%s; and it could not be placed again: %v", reasonOf(err), e), true
	}
	return reasonOf(err) + "; it was placed again", false
}

// replace puts a new instance in the place of one that is gone, at a moment in which any may be loaded.
func (l *Lease) replace(ctx context.Context) error {
	if err := l.m.giveBack(ctx, l.rec); err != nil && !errors.Is(err, errYoung) {
		return err
	}
	if err := l.m.WaitIdle(ctx); err != nil {
		return err
	}
	if err := l.m.allowed(ctx, l.in.Model); err != nil {
		return err
	}
	next, err := l.m.placeWithRoom(ctx, l.in.Model)
	if err != nil {
		return err
	}
	next.watch.waited = l.watch.waited
	l.in, l.rec, l.watch, l.Info = next.in, next.rec, next.watch, next.Info
	return nil
}
