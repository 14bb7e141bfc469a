package instance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"exo-bench-exporter/workload/exo/state"
)

// Sweep removes the instances that a predecessor recorded for this node and left behind
// when it was killed, and no others: neither those of a living sibling that shares the
// state directory, nor those recorded for another node's URL. Each Acquire begins with it, so
// that the first turn after a start clears away what is left, of whatever model. An error
// means that some could not be removed; their records stay, and the next Acquire tries again.
func (m *Manager) Sweep(ctx context.Context) error {
	for start := time.Now(); ; {
		young, err := m.reap(ctx)
		if young == 0 || err != nil || time.Since(start) >= sweepBound {
			return err
		}
		if err := sleep(ctx, pollInterval); err != nil {
			return fmt.Errorf("waiting for instances that were asked for just before a crash: %w", err)
		}
	}
}

// reap tries once to remove every leftover. young counts those that have not appeared yet
// but may.
func (m *Manager) reap(ctx context.Context) (young int, err error) {
	m.reaping.Lock()
	defer m.reaping.Unlock()
	left, err := m.store.leftovers()
	if len(left) == 0 {
		return 0, err
	}
	errs := []error{err}
	if _, err := m.node.glance(ctx, state.Query{Parts: state.Instances}); err != nil { // no use in trying each
		return 0, errors.Join(append(errs, fmt.Errorf("%d instances left behind: %w", len(left), err))...)
	}
	for _, rec := range left {
		switch err := m.remove(ctx, rec, func() bool { return false }); {
		case errors.Is(err, errYoung):
			young++
		case err != nil:
			errs = append(errs, fmt.Errorf("instance %s of %s: %w", rec.Instance, rec.Model, err))
		case !rec.proves():
			m.log.Warn("A record that was left behind proves no instance to be this exporter's: nothing was deleted. If nobody needs "+
				"the instance, delete it in exo's dashboard", "model", rec.Model, "instance", rec.Instance)
		default:
			m.log.Info("An instance that was left behind is gone", "model", rec.Model, "instance", rec.Instance)
		}
	}
	return young, errors.Join(errs...)
}

// sayOfSweep says what a Sweep before a turn came to, where that is another thing than before.
func (m *Manager) sayOfSweep(err error) {
	said := ""
	if err != nil {
		said = err.Error()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if said != "" && said != m.sweepSaid {
		m.log.Warn("Clearing away what was left behind did not succeed; it is tried again", "err", err)
	}
	m.sweepSaid = said
}
