package instance

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	busyPoll      = time.Second
	watchInterval = 5 * time.Second
	ownCommands   = 64 // of our own command ids, how many are remembered
)

// Busy reports whether exo works on something that a measurement would suffer from or
// disturb, and what, in words for people: requests of others, a model that is being loaded,
// a generation that still runs. Requests put to dead or missing instances wait for ever and
// do not count. It is to be asked while no request of ours is under way.
func (m *Manager) Busy(ctx context.Context) (bool, string, error) {
	s, err := m.node.look(ctx, "instances", "runners", "tasks")
	if err != nil {
		return false, "", answered(ctx, err, "exo's tasks cannot be read")
	}
	for _, f := range foreignWork(s, func(inst) bool { return false }) {
		if !m.mine(f.command) {
			return true, f.what, nil
		}
	}
	return false, "", nil
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

// foreign is a piece of work that was seen; somebody else's unless the command is ours.
type foreign struct {
	command string // empty for a runner's
	what    string
}

// foreignWork lists the requests that exo works on, our own included, and the runners that
// load or generate, but those of instances that are ours to use.
func foreignWork(s state, ours func(inst) bool) []foreign {
	v := newView(s)
	var out []foreign
	if s.Tasks != nil {
		for _, t := range *s.Tasks {
			in, listed := v.instances[t.instance]
			if t.instance != "" && (!listed || v.health(in).dead) {
				continue
			}
			out = append(out, foreign{t.command, fmt.Sprintf("a request to %s is under way", orSome(in.model))})
		}
	}
	for _, in := range v.instances {
		if ours(in) {
			continue
		}
		for _, r := range v.runnersOf(in) {
			switch r.status {
			case "RunnerConnecting", "RunnerConnected", "RunnerLoading", "RunnerLoaded", "RunnerWarmingUp":
				out = append(out, foreign{"", fmt.Sprintf("%s is being loaded", orSome(in.model))})
			case "RunnerRunning":
				out = append(out, foreign{"", fmt.Sprintf("%s is generating", orSome(in.model))})
			}
		}
	}
	return out
}

func orSome(model string) string {
	if model == "" {
		return "some model"
	}
	return model
}
