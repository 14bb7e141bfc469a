package instance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Sweep removes the instances that a predecessor recorded for this node and left behind
// when it was killed, and no others: neither those of a living sibling that shares the
// state directory, nor those recorded for another node's URL. An error means that some could
// not be removed; their records stay, and each Acquire tries again.
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
	if _, err := m.node.glance(ctx, "instances"); err != nil { // no use in trying each
		return 0, errors.Join(append(errs, fmt.Errorf("%d instances left behind: %w", len(left), err))...)
	}
	for _, rec := range left {
		switch err := m.remove(ctx, rec); {
		case errors.Is(err, errYoung):
			young++
		case err != nil:
			errs = append(errs, fmt.Errorf("instance %s of %s: %w", rec.Instance, rec.Model, err))
		default:
			m.log.Info("An instance that was left behind is gone", "model", rec.Model, "instance", rec.Instance)
		}
	}
	return young, errors.Join(errs...)
}

// identify finds the instance of an intent: the only one of its model that was not there
// before, and only while the intent is young, because later somebody else may have created
// it. Where that is not certain the intent is dropped and the instances are left alone.
func (m *Manager) identify(ctx context.Context, rec *record) error {
	if rec.settled() {
		return m.store.drop(rec)
	}
	s, err := m.node.glance(ctx, "instances")
	if err != nil {
		return err
	}
	fresh := slices.DeleteFunc(ids(newView(s).of(rec.Model)), func(id string) bool { return slices.Contains(rec.Before, id) })
	age := time.Since(rec.Created)
	switch young := age >= 0 && age < intentBound; {
	case young && len(fresh) == 0:
		return errYoung
	case young && len(fresh) == 1:
		rec.Instance = fresh[0]
		return m.store.put(rec)
	case len(fresh) > 0:
		m.log.Warn("One of these instances may have been left behind by this exporter, but that is not certain, so all are left alone; "+
			"if nobody needs them, delete them in exo's dashboard", "model", rec.Model, "instances", strings.Join(fresh, ", "))
	}
	return m.store.drop(rec)
}
