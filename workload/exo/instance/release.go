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

// Release removes the instance if the Manager created it and does not keep it, and waits until
// it is released: it is
// not listed any more, exo's worker has shut its runners down, and their processes have ended,
// or a short time has passed where those cannot be seen. A runner's record without an instance
// means nothing: exo never removes it.
//
// The DELETE goes out even when ctx has ended already; then only the instance's leaving the
// list is waited for, and no longer than graceAfterStop. After an error the record stays and a
// later Acquire or Sweep tries again.
func (l *Lease) Release(ctx context.Context) error {
	if l.rec == nil {
		return nil
	}
	if l.m.keep(ctx, l) {
		l.Kept = true
		l.m.log.Info("Keeping the instance loaded", "model", l.in.Model, "instance", l.in.ID)
		return nil
	}
	l.m.progress(Progress{Model: l.in.Model, Stage: "releasing"})
	if err := l.m.giveBack(ctx, l.rec); errors.Is(err, errYoung) {
		l.m.log.Debug("The record of an instance is kept for a while: a call that creates it had got no answer", "instance", l.rec.Instance)
	} else if err != nil {
		return fmt.Errorf("release instance %s of %s: %w", l.rec.Instance, l.rec.Model, err)
	}
	l.m.log.Info("Instance removed", "model", l.rec.Model, "instance", l.rec.Instance)
	return nil
}

// giveBack is remove for a caller who may have to leave: it goes on for a moment after the end
// of ctx.
func (m *Manager) giveBack(ctx context.Context, rec *record) error {
	lingering, cancel := linger(ctx)
	defer cancel()
	return m.remove(lingering, rec, func() bool { return ctx.Err() != nil })
}

// errYoung says that an instance is not listed but may still appear.
var errYoung = errors.New("exo does not list the instance, but may still create it")

// remove deletes the instance of rec, waits until it is released, and drops the record. It is
// the only function that sends DELETE, and only for an instance that rec proves to be ours.
// Without success the record is let go, for a later sweep. Once leaving says so, an instance
// that is not listed any more is enough.
func (m *Manager) remove(ctx context.Context, rec *record, leaving func() bool) (err error) {
	defer func() {
		if err != nil {
			m.store.letGo(rec)
		}
	}()
	if rec.void || !rec.proves() {
		return m.store.drop(rec)
	}
	d := deletion{leaving: leaving}
	for start := time.Now(); ; {
		err := d.step(ctx, m, rec)
		took := time.Since(start)
		late := took >= m.commandBound()
		switch {
		case errors.Is(err, errDownload):
			return err
		case err != nil && late:
			return fmt.Errorf("exo did not delete the instance within %s: %w", m.commandBound(), err)
		case err != nil:
		case d.listed && late:
			return fmt.Errorf("exo accepted the DELETE, but still lists the instance after %s", m.commandBound())
		case d.listed:
		case leaving() && d.accepted:
			return m.store.drop(rec)
		case !rec.settled():
			return errYoung
		case !d.accepted && time.Since(d.absentSince) < vanishBound: // a master election may hide it for a moment
		default:
			remains := d.remains(m, rec)
			if remains == "" {
				return m.store.drop(rec)
			}
			if took >= m.opts.LoadTimeout {
				return errors.Join(m.store.drop(rec), fmt.Errorf("the instance is gone, but %s after %s (EXOBENCH_LOAD_TIMEOUT); look into exo's log",
					remains, took.Round(time.Second)))
			}
		}
		if e := sleep(ctx, pollInterval); e != nil {
			return errors.Join(fmt.Errorf("gave up waiting until the instance is gone: %w", e), err)
		}
	}
}

// deletion is what is known of an instance that is being removed.
type deletion struct {
	leaving     func() bool
	sent        time.Time // last DELETE that exo answered
	accepted    bool      // exo had the instance when it got a DELETE
	listed      bool
	absentSince time.Time
	created     int // errands to create a runner of it
	shut        int // errands to shut one down
	shutSince   time.Time
}

// step sends the DELETE, again where it had no effect, and looks what remains.
func (d *deletion) step(ctx context.Context, m *Manager, rec *record) error {
	if time.Since(d.sent) >= deleteAgain {
		if err := m.harmless(ctx, rec, d.leaving()); err != nil {
			return err
		}
		had, err := m.delete(ctx, rec)
		if err != nil {
			return err
		}
		d.sent, d.accepted = time.Now(), d.accepted || had
		rec.seen = rec.seen || had
	}
	s, err := m.node.glance(ctx, state.Query{Parts: state.Instances | state.Tasks, Instance: rec.Instance})
	if err != nil {
		return err
	}
	if _, d.listed = s.Instances[rec.Instance]; d.listed {
		d.absentSince, rec.seen = time.Time{}, true
	} else if d.absentSince.IsZero() {
		d.absentSince = time.Now()
	}
	d.errands(s.Tasks)
	return nil
}

// errands counts what exo's worker has done to runners of the instance. It does one errand
// after the other: until it has shut a runner down it is busy with something before that.
func (d *deletion) errands(tasks *state.TaskList) {
	if tasks == nil {
		return
	}
	shut := d.shut
	d.created, d.shut = 0, 0
	for _, t := range tasks.Of {
		switch t.Kind {
		case "CreateRunner":
			d.created++
		case "Shutdown":
			d.shut++
		}
	}
	if d.shut > shut {
		d.shutSince = time.Now()
	}
}

// remains says what of an instance that is not listed is still there; "" for nothing.
func (d *deletion) remains(m *Manager, rec *record) string {
	if d.created > d.shut {
		return "exo's worker has not shut its runners down"
	}
	if d.created == 0 && !rec.seen {
		return ""
	}
	if ended, known := m.ended(rec); known {
		if !ended {
			return fmt.Sprintf("a process of its runners (%s) still runs", rec.Processes[0])
		}
		return ""
	}
	since := d.absentSince
	if d.shutSince.After(since) {
		since = d.shutSince
	}
	if time.Since(since) < settleTime {
		return "its runners have had no time to end"
	}
	return ""
}

// delete sends the DELETE and reports whether exo had the instance.
func (m *Manager) delete(ctx context.Context, rec *record) (bool, error) {
	err := m.node.api.Call(ctx, http.MethodDelete, "/instance/"+url.PathEscape(rec.Instance), nil, nil)
	if httpapi.IsStatus(err, http.StatusNotFound) {
		return false, nil
	}
	return err == nil, err
}
