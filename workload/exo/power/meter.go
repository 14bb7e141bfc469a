package power

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"exo-bench-exporter/workload/exo/state"
)

// Every is how often exo reads the power of a machine.
const Every = time.Second

// idleMost is the most of a machine's GPU that is in use when it rests.
const idleMost = 0.1

// Source is where power is looked at.
type Source interface {
	Look(ctx context.Context, q state.Query) (state.Snapshot, error)
	Narrow() bool
}

// Meter measures power. It is safe for concurrent use.
type Meter struct {
	source Source
	every  time.Duration
	log    *slog.Logger

	mu   sync.Mutex
	work time.Time // when a watched request ended last
}

// NewMeter returns a Meter; every is how often exo reads power, Every when 0.
func NewMeter(source Source, every time.Duration, log *slog.Logger) *Meter {
	if every <= 0 {
		every = Every
	}
	return &Meter{source: source, every: every, log: log}
}

// Readings are what machines show at a moment, by node.
type Readings map[string]state.System

// look reads what all machines show; nil where exo shows nothing, or not by itself.
func (m *Meter) look(ctx context.Context) Readings {
	if !m.source.Narrow() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*m.every)
	defer cancel()
	s, err := m.source.Look(ctx, state.Query{Parts: state.Systems})
	if err != nil {
		m.log.Debug("The machines' power cannot be read", "err", err)
		return nil
	}
	return s.Systems
}

// Rest looks at what machines draw while nothing is asked of them. For two readings after a watched request what exo
// shows may be of that, so that there is nothing to look at; nobody waits for it, because cycles may be short.
func (m *Meter) Rest(ctx context.Context) Readings {
	m.mu.Lock()
	work := m.work
	m.mu.Unlock()
	if !work.IsZero() && time.Since(work) < 2*m.every {
		return nil
	}
	return m.look(ctx)
}

// of returns the machines among all that hold an instance on the named nodes. Where exo does not say which they are,
// it is the only one that there is. nil where one of them does not tell its power.
func (all Readings) of(nodes []string) Readings {
	if len(nodes) == 0 && len(all) == 1 {
		nodes = slices.Collect(maps.Keys(all))
	}
	held := Readings{}
	for _, node := range nodes {
		if all[node].Watts == nil {
			return nil
		}
		held[node] = all[node]
	}
	if len(held) == 0 {
		return nil
	}
	return held
}

// Idle returns what the named nodes draw together, in watts; false where that is not known, or one of them was at work.
func (all Readings) Idle(nodes []string) (watts float64, known bool) {
	held := all.of(nodes)
	for _, y := range held {
		if y.GPU != nil && *y.GPU > idleMost {
			return 0, false
		}
		watts += *y.Watts
	}
	return watts, len(held) > 0
}
