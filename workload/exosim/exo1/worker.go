package exo1

import (
	"context"
	"sync"
	"time"

	"exo-bench-exporter/workload/exosim/pace"
)

// worker is exo's: it plans ten times a second and does one thing at a time. Starting
// something in a runner whose process has not booted yet holds up everything else, also
// what others ask of other runners. It is safe for concurrent use.
type worker struct {
	clock pace.Clock

	mu    sync.Mutex
	freed chan struct{} // closed when the worker is free again; nil while it is
}

// take makes the worker busy until release; when it is busy already, freed is closed at the
// end of that.
func (w *worker) take() (ok bool, freed <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.freed != nil {
		return false, w.freed
	}
	w.freed = make(chan struct{})
	return true, nil
}

func (w *worker) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.freed)
	w.freed = nil
}

// turn takes the worker at the first tick at which it is free. Waiting is up to wait, which
// waits until the time, when it is not zero, or until the channel is closed.
func (w *worker) turn(wait func(time.Time, <-chan struct{}) error) error {
	for {
		if err := wait(w.clock.NextTick(time.Now()), nil); err != nil {
			return err
		}
		ok, freed := w.take()
		if ok {
			return nil
		}
		if err := wait(time.Time{}, freed); err != nil {
			return err
		}
	}
}

// waitIn returns a wait that ends with ctx.
func waitIn(ctx context.Context) func(time.Time, <-chan struct{}) error {
	return func(t time.Time, freed <-chan struct{}) error {
		if !t.IsZero() {
			return pace.SleepUntil(ctx, t)
		}
		select {
		case <-freed:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
