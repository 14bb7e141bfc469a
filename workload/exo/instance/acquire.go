package instance

import (
	"context"
	"slices"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/state"
)

// Info describes the instance behind a Lease, for logs and the status page. Its ids are
// random and make no labels.
type Info struct {
	Instance string
	Model    string // exo's id of the model
	Kind     string // exo's variant, for example MlxRingInstance
	Nodes    int    // nodes it runs on; 0 where exo does not say
	Via      string // "existing", "kept", or the route that proposed its placement: "previews", "placement"
}

// Lease is a ready instance of a model.
type Lease struct {
	Load   workload.Load
	Owned  bool // the Manager created it, and Release removes or keeps it
	Kept   bool // Release has kept it
	Shared bool // other instances were listed when it was ready
	Info   Info

	m     *Manager
	in    state.Instance
	rec   *record // nil unless Owned
	watch watch
	again bool // it was placed again in this turn
}

// Acquire finds a ready instance of the model that exo calls model, or places one and waits
// until it is ready. An error is a *workload.TurnError when exo answered but the model
// cannot be had, and any other error when exo could not be asked or ctx ended; either way
// nothing is left behind, unless exo cannot be reached: then the record stays, and a later
// Acquire, Release or Sweep removes the instance.
func (m *Manager) Acquire(ctx context.Context, model string) (*Lease, error) {
	return m.acquire(ctx, model, m.offered)
}

// AcquireListed is Acquire for a model that exo's catalogue was just seen to have, so that the
// catalogue need not be asked for again.
func (m *Manager) AcquireListed(ctx context.Context, model string) (*Lease, error) {
	return m.acquire(ctx, model, func(context.Context, string) error { return nil })
}

func (m *Manager) acquire(ctx context.Context, model string, offered func(context.Context, string) error) (*Lease, error) {
	m.sayOfSweep(m.Sweep(ctx))
	if err := m.WaitIdle(ctx); err != nil {
		return nil, err
	}
	m.survey(ctx)
	if lease, err := m.again(ctx, model); lease != nil || err != nil {
		return lease, err
	}
	if lease, err := m.existing(ctx, model); lease != nil || err != nil {
		return lease, err
	}
	if m.opts.Reload == ReloadNever {
		return nil, m.allowed(ctx, model)
	}
	if err := offered(ctx, model); err != nil {
		return nil, err
	}
	if err := m.waitDownloads(ctx); err != nil {
		return nil, err
	}
	if err := m.allowed(ctx, model); err != nil {
		return nil, err
	}
	return m.placeWithRoom(ctx, model)
}

// existing returns a lease on an instance of the model that is there already, or nil when
// there is none. One that is not ready, or that another exporter with the same state directory is
// measuring and will delete, is waited for: as long as others' work is, unless it is dead, which shows
// within deadBound. It is never touched, and no second one is placed beside it.
func (m *Manager) existing(ctx context.Context, model string) (*Lease, error) {
	for start := time.Now(); ; {
		v, err := m.node.look(ctx, state.Query{Parts: lifecycle, MaxAge: justNow})
		if err != nil {
			return nil, answered(ctx, err, "exo's instances cannot be read")
		}
		m.noteDead(v)
		all := v.Of(model)
		if len(all) == 0 {
			return nil, nil
		}
		waitFor, h := firstUnready(v, all)
		siblings := m.store.siblings()
		theirs := slices.ContainsFunc(all, func(in state.Instance) bool { return siblings[in.ID] }) // exo may send a request to any
		if waitFor == nil && !theirs {
			in := all[0]
			m.log.Info("Using an instance that is loaded already; it will be left alone", "model", model, "instance", in.ID)
			return m.lease(v, in, "existing", nil, workload.Load{}), nil
		}
		m.progress(Progress{Model: model, Stage: "waiting", Elapsed: time.Since(start)})
		late := time.Since(start) >= m.opts.BusyTimeout
		switch {
		case waitFor == nil && late:
			return nil, skipped(nil, "another exporter on this machine was still measuring its instance of %s after %s (EXOBENCH_BUSY_TIMEOUT)",
				model, m.opts.BusyTimeout)
		case waitFor == nil:
		case m.isDead(waitFor.ID):
			return nil, failed(nil, "instance %s of %s, which is not ours, is listed but not alive (runners: %s%s): exo would send requests "+
				"there and they would hang (exo #2120). It was left alone; delete it in exo's dashboard or with DELETE /instance/%s",
				waitFor.ID, model, h.States, because(h.Reason), waitFor.ID)
		case late:
			return nil, skipped(nil, "instance %s of %s, which is not ours, was not ready after %s (runners: %s): somebody seems to be "+
				"loading it. It was left alone and is used once it is ready",
				waitFor.ID, model, m.opts.BusyTimeout, h.States)
		}
		if err := sleep(ctx, retryInterval); err != nil {
			return nil, answered(ctx, err, "waiting for an instance of %s", model)
		}
	}
}

func firstUnready(v state.Snapshot, all []state.Instance) (*state.Instance, state.Health) {
	for _, in := range all {
		if h := v.Health(in); !h.Ready {
			return &in, h
		}
	}
	return nil, state.Health{}
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return "; " + reason
}

// Nodes returns the ids of the nodes that the instance is on, empty where exo does not say.
func (l *Lease) Nodes() []string { return l.in.Nodes }

// Weights returns the size of the model's weights in bytes, as exo gives it; 0 where it does not.
func (l *Lease) Weights() uint64 { return l.in.Weights }

func (m *Manager) lease(v state.Snapshot, in state.Instance, via string, rec *record, load workload.Load) *Lease {
	return &Lease{
		Load: load, Owned: rec != nil, Shared: len(v.Instances) > 1,
		Info: Info{Instance: in.ID, Model: in.Model, Kind: in.Kind, Nodes: len(in.Nodes), Via: via},
		m:    m, in: in, rec: rec, watch: watch{seen: v, calm: true},
	}
}
