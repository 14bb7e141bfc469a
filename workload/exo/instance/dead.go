package instance

import (
	"time"

	"exo-bench-exporter/workload/exo/state"
)

// A runner that boots shows nowhere in exo's state, and one that exo starts again stands as
// failed until then; so does one that is dead for ever (exo #2120). Only time tells them apart.

// noteDead notes since when instances lack a runner that lives. It wants a look at both
// instances and runners.
func (m *Manager) noteDead(s state.Snapshot) {
	m.mu.Lock()
	defer m.mu.Unlock()
	since := map[string]time.Time{}
	for id, in := range s.Instances {
		if !s.Health(in).Dead {
			continue
		}
		since[id] = time.Now()
		if before, known := m.deadSince[id]; known {
			since[id] = before
		}
	}
	m.deadSince = since
}

// isDead reports whether an instance has lacked a runner for so long that it will not get one.
func (m *Manager) isDead(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	since, dead := m.deadSince[id]
	return dead && time.Since(since) >= m.deadBound()
}
