package instance

import (
	"context"
	"time"

	"exo-bench-exporter/workload/exo/state"
)

// Reload says when a model that is not loaded may be loaded. A load holds up every request on
// its nodes until the new runner's process has booted, for seconds, on a busy machine for half
// a minute.
type Reload string

// The choices of when to load.
const (
	ReloadNever  Reload = "never"  // measure what is loaded, and leave the others out
	ReloadIdle   Reload = "idle"   // load in a moment in which nobody has worked for some seconds
	ReloadAlways Reload = "always" // load as soon as no request is open
)

// quietFor is for how long nobody may have worked before a load.
const quietFor = 5 * time.Second

// allowed returns an error when the model must not be loaded, once the moment has come in which
// it may. It waits for BusyTimeout at most.
func (m *Manager) allowed(ctx context.Context, model string) error {
	switch m.opts.Reload {
	case ReloadNever:
		return skipped(nil, "%s is not loaded, and EXOBENCH_RELOAD=never: it is measured when somebody has loaded it", model)
	case ReloadAlways:
		return nil
	}
	for start := time.Now(); ; {
		why, gone, err := m.stirring(ctx)
		late := time.Since(start) >= m.opts.BusyTimeout
		switch {
		case err != nil:
			return answered(ctx, err, "waiting for a quiet moment to load %s", model)
		case why == "" || late && gone:
			return nil
		case late:
			return skipped(nil, "there was no quiet moment of %s to load %s in %s (%s), and a load would hold others up; "+
				"EXOBENCH_RELOAD=always does not wait for one", quietFor, model, m.opts.BusyTimeout, why)
		}
		m.progress(Progress{Model: model, Stage: "waiting", Elapsed: time.Since(start)})
	}
}

// stirring looks for others' work for quietFor and says what there was; "" for nothing. gone
// tells that it is over, and that only the number of events told of it: then a load disturbs
// nobody at the moment.
func (m *Manager) stirring(ctx context.Context) (why string, gone bool, err error) {
	before, err := m.node.look(ctx, state.Query{Parts: atWork | state.Events})
	if err != nil {
		return "", false, err
	}
	from := marked(before)
	if err := sleep(ctx, quietFor); err != nil {
		return "", false, err
	}
	after, err := m.node.look(ctx, state.Query{Parts: atWork | state.Events, Since: before.Tasks})
	if err != nil {
		return "", false, err
	}
	m.noteDead(after)
	if why := m.othersWork(after, func(state.Instance) bool { return false }); why != "" {
		return why, false, nil
	}
	if others, _ := m.others(ctx, from, marked(after), 0); others == 0 {
		return "", false, nil
	}
	return "somebody's request came and went", true, nil
}

// survey notes how large exo's cluster is, by a look that may be some minutes old.
func (m *Manager) survey(ctx context.Context) {
	s, err := m.node.glance(ctx, state.Query{Parts: state.Memories | state.Downloads, MaxAge: 10 * time.Minute})
	if err != nil {
		return
	}
	c := cluster{nodes: max(1, len(s.Memories))}
	for _, n := range s.Cards {
		c.cards = max(c.cards, n)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cluster = c
}

// size returns how large the cluster is.
func (m *Manager) size() cluster {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.cluster
	c.nodes = max(1, c.nodes)
	return c
}
