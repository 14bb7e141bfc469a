package instance

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exo/state"
)

// place has an instance of the model created, recorded, and waits until it is ready. When
// it fails after the instance was asked for, the instance is removed again.
func (m *Manager) place(ctx context.Context, model string) (_ *Lease, err error) {
	p, err := m.choose(ctx, model)
	if err != nil {
		return nil, err
	}
	if err := m.checkMemory(ctx, p); err != nil {
		return nil, err
	}
	v, err := m.node.look(ctx, state.Query{Parts: state.Instances})
	if err != nil {
		return nil, answered(ctx, err, "exo's instances cannot be read")
	}
	if _, taken := v.Instances[p.ID]; taken || p.ID == "" {
		return nil, failed(nil, "exo proposes to place %s under the instance id %q, which cannot be told from others'; nothing was placed",
			model, p.ID)
	}
	rec := &record{Instance: p.ID, Model: model, Created: time.Now(), Nodes: len(p.Nodes)}
	rec.before, rec.counted = m.runnersNow()
	if err := m.store.put(rec); err != nil {
		return nil, failed(err, "%s was not placed: the instance could not be recorded in the state directory %s, so it could not be removed "+
			"after a crash; "+
			"make the directory writable or set EXOBENCH_STATE_DIR", model, m.opts.StateDir)
	}
	defer func() {
		if err != nil {
			m.abandon(ctx, rec)
		}
	}()

	m.log.Info("Placing an instance", "model", model, "instance", p.ID, "nodes", len(p.Nodes), "via", p.via)
	m.progress(Progress{Model: model, Stage: "placing"})
	asked := time.Now()
	if err := m.create(ctx, rec, p); err != nil {
		return nil, err
	}
	w := &waiting{m: m, rec: rec, model: model, asked: asked}
	v, load, err := w.run(ctx)
	if err != nil {
		return nil, err
	}
	if m.born(rec); len(rec.Processes) > 0 {
		if err := m.store.put(rec); err != nil { // the record that matters is on disk
			m.log.Debug("The processes of an instance could not be recorded", "instance", rec.Instance, "err", err)
		}
	}
	return m.lease(v, v.Instances[rec.Instance], p.via, rec, load), nil
}

// create posts the proposed instance back, whose id exo keeps. The same id may be posted twice
// without harm, so a call that fails in passing is repeated.
func (m *Manager) create(ctx context.Context, rec *record, p placement) error {
	body := struct {
		Instance json.RawMessage `json:"instance"`
	}{p.raw}
	err := retry(ctx, m.log, func() error {
		err := m.node.api.Call(ctx, http.MethodPost, "/instance", body, nil)
		if err != nil && passing(err) {
			rec.unsure = true
		}
		if httpapi.IsStatus(err, http.StatusInternalServerError) {
			return &final{err} // exo failed over this very instance
		}
		return err
	})
	return m.refused(ctx, rec, err, p.Model)
}

// refused turns the error of a call that places an instance into the turn's outcome.
func (m *Manager) refused(ctx context.Context, rec *record, err error, model string) error {
	var se *httpapi.StatusError
	if !errors.As(err, &se) {
		if err == nil {
			return nil
		}
		return answered(ctx, err, "asking exo for an instance of %s", model)
	}
	rec.void = se.Code < 500 && !rec.unsure // nothing was created, unless by an earlier call that got no answer
	switch {
	case se.Code == http.StatusBadRequest && strings.Contains(strings.ToLower(se.Message), "memory"):
		return noMemory(err, "exo refused to place %s for want of memory; unload something or choose a smaller model", model)
	case se.Code == http.StatusBadRequest || missing(err):
		return unavailable(err, "exo refused to place %s", model)
	case se.Code == http.StatusUnprocessableEntity:
		return failed(err, "exo did not understand the instance of %s that it had proposed itself; this version of exo is not supported for "+
			"placing, "+
			"load the model in exo's dashboard instead", model)
	}
	return failed(err, "exo failed to place %s; look into exo's log", model)
}

// abandon removes what a failed place may have created.
func (m *Manager) abandon(ctx context.Context, rec *record) {
	m.born(rec)
	if err := m.giveBack(ctx, rec); errors.Is(err, errYoung) {
		m.log.Info("An instance that exo was asked for may still appear; it will be removed then", "model", rec.Model, "instance", rec.Instance)
	} else if err != nil {
		m.log.Warn("An instance could not be removed yet; it is tried again", "model", rec.Model, "instance", rec.Instance, "err", err)
	}
}
