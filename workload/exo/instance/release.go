package instance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exo/state"
)

// Release removes the instance if the Manager created it, and waits until it and its
// runners are gone. The DELETE goes out even when ctx has ended already, and the waiting
// stops within three seconds of the end of ctx. After an error the record stays and a later
// Acquire or Sweep tries again.
func (l *Lease) Release(ctx context.Context) error {
	if l.rec == nil {
		return nil
	}
	ctx, cancel := linger(ctx)
	defer cancel()
	l.m.progress(Progress{Model: l.in.Model, Stage: "releasing"})
	if err := l.m.remove(ctx, l.rec); errors.Is(err, errYoung) {
		l.m.log.Debug("The record of an instance is kept for a while: a call that creates it had got no answer", "instance", l.rec.Instance)
	} else if err != nil {
		return fmt.Errorf("release instance %s of %s: %w", l.rec.Instance, l.rec.Model, err)
	}
	l.m.log.Info("Instance removed", "model", l.rec.Model, "instance", l.rec.Instance)
	return nil
}

// errYoung says that an instance is not listed but may still appear.
var errYoung = errors.New("exo does not list the instance, but may still create it")

// remove deletes the instance of rec, waits until it and its runners are gone, and drops the
// record. It is the only function that sends DELETE, and only for an instance that rec proves
// to be ours. Without success the record is let go, for a later sweep.
func (m *Manager) remove(ctx context.Context, rec *record) (err error) {
	defer func() {
		if err != nil {
			m.store.letGo(rec)
		}
	}()
	if rec.void || !rec.proves() {
		return m.store.drop(rec)
	}
	var d deletion
	for start := time.Now(); ; {
		err := d.step(ctx, m, rec)
		late := time.Since(start) >= goneBound
		switch {
		case errors.Is(err, errDownload):
			return err
		case err != nil && late:
			return fmt.Errorf("exo did not delete the instance within %s: %w", goneBound, err)
		case err != nil:
		case d.listed && late:
			return fmt.Errorf("exo accepted the DELETE, but still lists the instance after %s", goneBound)
		case d.listed:
		case !rec.settled():
			return errYoung
		case !d.accepted && time.Since(d.absentSince) < vanishBound: // a master election may hide it for a moment
		case d.runners == 0:
			return m.store.drop(rec)
		case late:
			return errors.Join(m.store.drop(rec),
				fmt.Errorf("the instance is gone, but %d of its runners are still listed after %s; look into exo's log", d.runners, goneBound))
		}
		if e := sleep(ctx, pollInterval); e != nil {
			return errors.Join(fmt.Errorf("gave up waiting until the instance is gone: %w", e), err)
		}
	}
}

// deletion is what is known of an instance that is being removed.
type deletion struct {
	sent        time.Time // last DELETE that exo answered
	accepted    bool      // exo had the instance when it got a DELETE
	listed      bool
	runners     int // of it, that are listed
	absentSince time.Time
}

// step sends the DELETE, again where it had no effect, and looks what remains.
func (d *deletion) step(ctx context.Context, m *Manager, rec *record) error {
	if time.Since(d.sent) >= deleteAgain {
		if err := m.harmless(ctx, rec); err != nil {
			return err
		}
		had, err := m.delete(ctx, rec)
		if err != nil {
			return err
		}
		d.sent, d.accepted = time.Now(), d.accepted || had
		rec.seen = rec.seen || had
	}
	v, err := m.node.glance(ctx, state.Query{Parts: lifecycle})
	if err != nil {
		return err
	}
	if _, d.listed = v.Instances[rec.Instance]; d.listed {
		d.absentSince, rec.seen = time.Time{}, true
	} else if d.absentSince.IsZero() {
		d.absentSince = time.Now()
	}
	d.runners = 0
	for _, id := range rec.Runners {
		if _, listed := v.Runners[id]; listed {
			d.runners++
		}
	}
	return nil
}

// delete sends the DELETE and reports whether exo had the instance.
func (m *Manager) delete(ctx context.Context, rec *record) (bool, error) {
	err := m.node.api.Call(ctx, http.MethodDelete, "/instance/"+url.PathEscape(rec.Instance), nil, nil)
	if httpapi.IsStatus(err, http.StatusNotFound) {
		return false, nil
	}
	return err == nil, err
}
