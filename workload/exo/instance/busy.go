package instance

import (
	"context"
	"fmt"
	"slices"
	"time"

	"exo-bench-exporter/workload/exo/state"
)

const (
	busyPoll    = time.Second
	ownCommands = 64 // of our own command ids, how many are remembered
)

// atWork is what is looked at to see whether exo works on something.
const atWork = lifecycle | state.Tasks

// Busy reports whether exo works on something that a measurement would suffer from or
// disturb, and what, in words for people: requests of others, a model that is being loaded,
// a generation that still runs. Requests put to dead or missing instances wait for ever and
// do not count. It is to be asked while no request of ours is under way.
func (m *Manager) Busy(ctx context.Context) (bool, string, error) {
	s, err := m.node.look(ctx, state.Query{Parts: atWork})
	if err != nil {
		return false, "", answered(ctx, err, "exo's tasks cannot be read")
	}
	m.noteDead(s)
	why := m.othersWork(s, func(state.Instance) bool { return false })
	return why != "", why, nil
}

// WaitIdle waits until exo is not Busy. After BusyTimeout it gives up with a
// *workload.TurnError that says skipped.
func (m *Manager) WaitIdle(ctx context.Context) error {
	for start := time.Now(); ; {
		busy, why, err := m.Busy(ctx)
		if err != nil || !busy {
			return err
		}
		if time.Since(start) >= m.opts.BusyTimeout {
			return skipped(nil, "exo was busy for %s: %s; the turn is left out so as not to disturb it", m.opts.BusyTimeout, why)
		}
		m.progress(Progress{Stage: "waiting", Elapsed: time.Since(start)})
		if err := sleep(ctx, busyPoll); err != nil {
			return answered(ctx, err, "waiting until exo is idle (%s)", why)
		}
	}
}

// Mine tells the Manager the command ids of own requests: the id that exo gives every chunk
// of the stream. Tasks with such an id are nobody else's.
func (m *Manager) Mine(commands ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range commands {
		if c != "" && !slices.Contains(m.commands, c) {
			m.commands = append(m.commands, c)
		}
	}
	m.commands = m.commands[max(0, len(m.commands)-ownCommands):]
}

func (m *Manager) mine(command string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return command != "" && slices.Contains(m.commands, command)
}

// othersWork says what somebody else has exo work on in a look at everything: an open request,
// or a runner that boots, loads or generates; "" for nothing. Runners of instances that are ours to
// use are left out, and so is a request that waits for an instance that is gone or dead.
func (m *Manager) othersWork(s state.Snapshot, ours func(state.Instance) bool) string {
	if s.Tasks != nil {
		for _, t := range s.Tasks.Open {
			if !m.mine(t.Command) && !m.stuck(s, t) {
				m.pulse.sighted()
				return request(s, t) + " is under way"
			}
		}
	}
	for _, in := range s.Instances {
		if ours(in) {
			continue
		}
		if s.Health(in).Dead && !m.isDead(in.ID) {
			return orSome(in.Model) + " is being loaded"
		}
		for _, r := range s.RunnersOf(in) {
			switch {
			case r.Loading():
				return orSome(in.Model) + " is being loaded"
			case r.Status == state.RunnerRunning:
				return orSome(in.Model) + " is generating"
			}
		}
	}
	return ""
}

// stuck reports whether a request waits for an instance that will not answer it.
func (m *Manager) stuck(s state.Snapshot, t state.Task) bool {
	_, listed := s.Instances[t.Instance]
	return t.Instance != "" && (!listed || m.isDead(t.Instance))
}

func request(s state.Snapshot, t state.Task) string {
	return fmt.Sprintf("a request to %s", orSome(s.Instances[t.Instance].Model))
}

func orSome(model string) string {
	if model == "" {
		return "some model"
	}
	return model
}
