package exo1

import (
	"slices"
	"strings"
	"sync"
	"time"

	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/wire"
)

// cluster holds the instances, their runners and the runners' processes. It is safe for
// concurrent use; its mutex guards the part of each instance that says so.
type cluster struct {
	mu        sync.Mutex
	instances map[string]*instance
	deleted   []InstanceInfo
	leaked    uint64 // bytes that the main process never gave back
	nextPID   int
}

// deletedKept is how many ended instances a cluster remembers.
const deletedKept = 1024

func (c *cluster) init() {
	c.instances = map[string]*instance{}
	c.nextPID = 41_000
}

// InstanceInfo tells of an instance that is or was on the node.
type InstanceInfo struct {
	ID       string    `json:"id"`
	Model    string    `json:"model"` // exo's id
	RunnerID string    `json:"runner_id"`
	Status   string    `json:"status"` // tag of the runner's status, empty for none
	Stranger bool      `json:"stranger"`
	Listed   bool      `json:"listed"` // in the state
	Created  time.Time `json:"created"`
	Gone     time.Time `json:"gone,omitzero"` // when instance and runner had ended
	EndedBy  string    `json:"ended_by,omitempty"`
}

func (i *instance) info() InstanceInfo {
	return InstanceInfo{
		ID: i.id, Model: i.profile.ExoID, RunnerID: i.runnerID, Status: i.status.Tag,
		Stranger: i.stranger, Listed: i.listed, Created: i.created, Gone: i.ended, EndedBy: i.endedBy,
	}
}

// Instances returns the instances that exist, oldest first, including those whose runner is
// still shutting down.
func (n *Node) Instances() []InstanceInfo {
	c := &n.cluster
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]InstanceInfo, 0, len(c.instances))
	for _, i := range c.instances {
		all = append(all, i.info())
	}
	slices.SortFunc(all, func(a, b InstanceInfo) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all
}

// Deleted returns the instances that have gone, oldest first; the last 1024 of them.
func (n *Node) Deleted() []InstanceInfo {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	return slices.Clone(n.cluster.deleted)
}

// add takes a new instance in; false when there is one of that id.
func (c *cluster) add(i *instance) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, exists := c.instances[i.id]; exists {
		return false
	}
	c.instances[i.id] = i
	return true
}

// get returns the instance with this id, listed or not; nil for none.
func (c *cluster) get(id string) *instance {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.instances[id]
}

// find returns the listed instance with this id; nil for none.
func (c *cluster) find(id string) *instance {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := c.instances[id]; i != nil && i.listed {
		return i
	}
	return nil
}

// forget takes an instance out that has ended.
func (c *cluster) forget(i *instance) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.instances, i.id)
	i.ended = time.Now()
	if len(c.deleted) == deletedKept {
		c.deleted = c.deleted[1:]
	}
	c.deleted = append(c.deleted, i.info())
}

// models returns the exo ids of the instances that nobody has deleted.
func (c *cluster) models() map[string]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := map[string]bool{}
	for _, i := range c.instances {
		if i.endedBy == "" {
			ids[i.profile.ExoID] = true
		}
	}
	return ids
}

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

// instanceView is what the state shows of an instance.
type instanceView struct {
	placement
	listed bool
	status wire.Runner
}

func (c *cluster) snapshot() []instanceView {
	c.mu.Lock()
	defer c.mu.Unlock()
	views := make([]instanceView, 0, len(c.instances))
	for _, i := range c.instances {
		views = append(views, instanceView{i.placement, i.listed, i.status})
	}
	return views
}

// busy returns how many instances generate.
func (c *cluster) busy() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.busyLocked()
}

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

// setStatus moves a runner on and wakes who waits for it.
func (c *cluster) setStatus(i *instance, s wire.Runner) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setStatusLocked(i, s)
}

func (c *cluster) setStatusLocked(i *instance, s wire.Runner) {
	i.status = s
	close(i.changed)
	i.changed = make(chan struct{})
}

// status returns the runner's status, and a channel that is closed when it changes.
func (c *cluster) status(i *instance) (wire.Runner, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return i.status, i.changed
}

// setListed puts the instance into the state, or takes it out.
func (c *cluster) setListed(i *instance, listed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i.listed = listed
}

// enter adds a generation to the instance's work.
func (c *cluster) enter(i *instance, g *pace.Generation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i.active[g] = struct{}{}
}

// start marks the runner as running.
func (c *cluster) start(i *instance) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i.status.Tag == wire.RunnerReady {
		c.setStatusLocked(i, wire.Runner{Tag: wire.RunnerRunning})
	}
	i.settleMemory()
}

// leave ends a generation's part in the instance's work.
func (c *cluster) leave(i *instance, g *pace.Generation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i.settleMemory() // with the KV cache at its largest
	delete(i.active, g)
	if len(i.active) == 0 && i.status.Tag == wire.RunnerRunning {
		c.setStatusLocked(i, wire.Runner{Tag: wire.RunnerReady})
	}
	i.settleMemory()
}

// interrupt ends generations for the reason given: those of i, or of all instances when
// that is nil. What is reported to clients concerns only those that a runner had begun; the
// others wait for the next one.
func (c *cluster) interrupt(i *instance, a *pace.Interruption) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, each := range c.instances {
		if i != nil && each != i {
			continue
		}
		for g := range each.active {
			if a.Event == "" || g.Began() {
				g.End(a)
			}
		}
	}
}
