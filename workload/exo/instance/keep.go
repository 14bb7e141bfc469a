package instance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/state"
)

// Loading a model holds up every request on its nodes, because exo's worker does one thing at
// a time. With KeepLoaded an instance of ours stays after its turn, for the next one, as long as
// there is memory: it is given back when a model to be loaded needs the room, when somebody
// loads the same model, and by Close. Its record stays too, so that a crash leaves nothing.

// What a machine must have available beside the instances that are kept.
const (
	reserveDivisor = 8 // of its memory
	reserveLeast   = 2 << 30
)

// kept is an instance of ours that nobody uses at the moment.
type kept struct {
	in    state.Instance
	rec   *record
	since time.Time
}

// keep keeps the instance of a lease that ends, if there is memory for it.
func (m *Manager) keep(ctx context.Context, l *Lease) bool {
	if !m.opts.KeepLoaded || ctx.Err() != nil {
		return false
	}
	s, err := m.node.glance(ctx, state.Query{Parts: lifecycle | state.Memories})
	if err != nil || !s.Health(s.Instances[l.in.ID]).Ready || !spare(s, l.in) {
		return false
	}
	l.rec.Kept = true
	if err := m.store.put(l.rec); err != nil {
		m.log.Warn("An instance cannot be kept: its record cannot be written", "model", l.in.Model, "instance", l.in.ID, "err", err)
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept = append(m.kept, kept{l.in, l.rec, time.Now()})
	return true
}

// spare reports whether the nodes of in, which is loaded, have memory to spare.
func spare(s state.Snapshot, in state.Instance) bool {
	for _, node := range in.Nodes {
		mem := s.Memories[node]
		if mem.Total == nil || mem.Available == nil || *mem.Available < max(*mem.Total/reserveDivisor, reserveLeast) {
			return false
		}
	}
	return len(in.Nodes) > 0
}

// oldest returns the kept instance that has not been used for longest. False when there is none.
func (m *Manager) oldest() (kept, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.kept) == 0 {
		return kept{}, false
	}
	return m.kept[0], true // they are in the order in which they were used
}

// take takes k out of the list, to be used or to be given back: others may not use it any more.
func (m *Manager) take(k kept) {
	m.mu.Lock()
	m.kept = slices.DeleteFunc(m.kept, func(other kept) bool { return other.rec == k.rec })
	m.mu.Unlock()
	k.rec.Kept = false
	if err := m.store.put(k.rec); err != nil {
		m.log.Warn("Other exporters on this machine may use an instance that was kept: its record cannot be written",
			"model", k.in.Model, "instance", k.in.ID, "err", err)
	}
}

// drop gives a kept instance back; why is for the log.
func (m *Manager) drop(ctx context.Context, k kept, why string) {
	m.log.Info("Giving back an instance that was kept", "model", k.in.Model, "instance", k.in.ID, "because", why)
	if err := m.giveBack(ctx, k.rec); err != nil && !errors.Is(err, errYoung) {
		m.log.Warn("An instance could not be removed yet; it is tried again", "model", k.in.Model, "instance", k.in.ID, "err", err)
	}
}

// again returns a lease on the kept instance of the model, nil when there is none that can be
// used. One that is gone or broken, or that somebody has one of the same model beside, is given back.
func (m *Manager) again(ctx context.Context, model string) (*Lease, error) {
	s, err := m.node.look(ctx, state.Query{Parts: lifecycle, MaxAge: justNow})
	if err != nil {
		return nil, answered(ctx, err, "exo's instances cannot be read")
	}
	m.mu.Lock()
	all := append([]kept(nil), m.kept...)
	m.mu.Unlock()
	for _, k := range all {
		in, listed := s.Instances[k.in.ID]
		why := ""
		switch {
		case !listed:
			why = "it is gone"
		case k.in.Model == model && len(s.Of(model)) > 1:
			why = "somebody has loaded the same model"
		case k.in.Model == model && !s.Health(in).Ready:
			why = "its runners are " + s.Health(in).States
		case k.in.Model == model:
			m.take(k)
			m.log.Info("Using the instance that was kept", "model", model, "instance", in.ID, "for", time.Since(k.since).Round(time.Second))
			return m.lease(s, in, "kept", k.rec, workload.Load{}), nil
		}
		if why != "" {
			m.take(k)
			m.drop(ctx, k, why)
		}
	}
	return nil, nil
}

// placeWithRoom is place, giving kept instances back for as long as memory is wanting.
func (m *Manager) placeWithRoom(ctx context.Context, model string) (*Lease, error) {
	for {
		lease, err := m.place(ctx, model)
		var want *wantOfMemory
		if !errors.As(err, &want) {
			return lease, err
		}
		k, any := m.oldest()
		if !any || m.lent(ctx, k) {
			return nil, err
		}
		m.take(k)
		m.drop(ctx, k, fmt.Sprintf("%s needs the room", model))
	}
}

// lent reports whether somebody uses a kept instance at the moment, as whoever asks exo for its
// model does.
func (m *Manager) lent(ctx context.Context, k kept) bool {
	s, err := m.node.glance(ctx, state.Query{Parts: state.Tasks})
	if err != nil || s.Tasks == nil {
		return false
	}
	return slices.ContainsFunc(s.Tasks.Open, func(t state.Task) bool { return t.Instance == k.in.ID })
}

// giveAllBack gives back what is kept, within graceAfterStop.
func (m *Manager) giveAllBack() {
	ctx, cancel := context.WithTimeout(context.Background(), graceAfterStop)
	defer cancel()
	var all sync.WaitGroup
	for {
		k, any := m.oldest()
		if !any {
			break
		}
		m.take(k)
		all.Go(func() {
			if err := m.remove(ctx, k.rec, func() bool { return true }); err != nil && !errors.Is(err, errYoung) {
				m.log.Warn("An instance that was kept could not be given back; the next start does",
					"model", k.in.Model, "instance", k.in.ID, "err", err)
			}
		})
	}
	all.Wait()
}
