package instance

import (
	"slices"
	"time"
)

// The runner of an instance is a process of its own on each of the instance's nodes. exo's API
// does not tell which, and goes on listing a runner when its process has ended; but a process
// that appears while an instance is made, alone, is the instance's.

// runnersNow returns the runners' processes on this machine; false where they cannot be seen.
func (m *Manager) runnersNow() ([]string, bool) {
	if m.opts.Runners == nil {
		return nil, false
	}
	return m.opts.Runners()
}

// born notes the process that has appeared since the instance of rec was asked for. Where more
// than one has, one of them is somebody else's, and none is known. It is to be called once.
func (m *Manager) born(rec *record) {
	if !rec.counted {
		return
	}
	rec.counted = false
	now, seen := m.runnersNow()
	if !seen {
		return
	}
	born := slices.DeleteFunc(now, func(p string) bool { return slices.Contains(rec.before, p) })
	if len(born) == 1 {
		rec.Processes = born
	}
}

// ended reports whether the processes of the instance of rec have ended; known is false where
// that cannot be seen.
func (m *Manager) ended(rec *record) (ended, known bool) {
	now, seen := m.runnersNow()
	if !seen || len(rec.Processes) == 0 || rec.Nodes > 1 {
		return false, false
	}
	return !slices.ContainsFunc(rec.Processes, func(p string) bool { return slices.Contains(now, p) }), true
}

// settleTime is how long after the errand to shut a runner down its process is given to end,
// where that cannot be seen: exo asks it, and after three seconds ends it.
const settleTime = 4 * time.Second
