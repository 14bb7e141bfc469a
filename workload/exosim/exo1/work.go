package exo1

import (
	"slices"
	"time"

	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/wire"
)

// leastLoaded returns the listed instance of the model with the fewest requests; nil for none.
func (c *cluster) leastLoaded(exoID string) *instance {
	c.mu.Lock()
	defer c.mu.Unlock()
	var best *instance
	for _, i := range c.instances {
		if !i.listed || i.profile.ExoID != exoID {
			continue
		}
		if best == nil || len(i.active) < len(best.active) ||
			len(i.active) == len(best.active) && i.created.Before(best.created) {
			best = i
		}
	}
	return best
}

// working reports whether the runner is at something that keeps it from listening.
func (c *cluster) working(i *instance) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains([]string{wire.RunnerRunning, wire.RunnerLoading, wire.RunnerWarmingUp}, i.status.Tag)
}

// load returns how many instances generate, and the power that exo shows.
func (c *cluster) load() (busy int, watts float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.busyLocked(), c.draw.reading(time.Now())
}

// busyLocked returns how many instances generate.
func (c *cluster) busyLocked() int {
	busy := 0
	for _, i := range c.instances {
		if i.status.Tag == wire.RunnerRunning {
			busy++
		}
	}
	return busy
}

// contention returns by which factor a request of i takes longer because of the others:
// instances share the memory's bandwidth evenly, and a batch of one instance costs a
// little more for each further request.
func (c *cluster) contention(i *instance) float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return float64(max(1, c.busyLocked())) * (1 + 0.15*float64(max(0, len(i.active)-1)))
}

// cancel ends the request whose answer has this id; false when none runs.
func (c *cluster) cancel(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, i := range c.instances {
		for g := range i.active {
			if g.Record.ID() == id {
				g.End(&pace.Interruption{Silent: true})
				return true
			}
		}
	}
	return false
}

// enter adds a generation to the instance's work.
func (c *cluster) enter(i *instance, g *pace.Generation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i.active[g] = struct{}{}
}

// start marks the runner as running; false when it was.
func (c *cluster) start(i *instance) (moved bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i.settleMemory()
	if i.status.Tag != wire.RunnerReady {
		return false
	}
	c.setStatusLocked(i, wire.Runner{Tag: wire.RunnerRunning})
	return true
}

// leave ends a generation's part in the instance's work; moved says whether the runner has
// nothing more to do.
func (c *cluster) leave(i *instance, g *pace.Generation) (moved bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i.settleMemory() // with the KV cache at its largest
	delete(i.active, g)
	// Of a runner whose instance is gone nothing is heard any more.
	if len(i.active) == 0 && i.status.Tag == wire.RunnerRunning && i.listed {
		c.setStatusLocked(i, wire.Runner{Tag: wire.RunnerReady})
		moved = true
	}
	i.settleMemory()
	return moved
}

// interrupt ends generations for the reason given: those of i, or of all instances when
// that is nil.
func (c *cluster) interrupt(i *instance, a *pace.Interruption) {
	c.interruptIf(i, a, func(*pace.Generation) bool { return true })
}

// interruptBegun ends the generations that i's runner has begun; the others wait for the
// next one.
func (c *cluster) interruptBegun(i *instance, a *pace.Interruption) {
	c.interruptIf(i, a, (*pace.Generation).Began)
}

func (c *cluster) interruptIf(i *instance, a *pace.Interruption, concerns func(*pace.Generation) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, each := range c.instances {
		if i != nil && each != i {
			continue
		}
		for g := range each.active {
			if concerns(g) {
				g.End(a)
			}
		}
	}
}
