package exo1

import (
	"slices"
	"strings"
	"sync"
	"time"

	"exo-bench-exporter/workload/exosim/wire"
)

// cluster holds the instances, their runners and the runners' processes. It is safe for
// concurrent use; its mutex guards the part of each instance that says so.
type cluster struct {
	mu        sync.Mutex
	instances map[string]*instance
	deleted   []InstanceInfo
	remains   []remains
	leaked    uint64 // bytes that the main process never gave back
	nextPID   int
	draw      draw
}

// remains is the last status of a runner that is gone, which exo never takes from the state.
type remains struct {
	runnerID string
	status   wire.Runner
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
	c.draw.note(c.busyLocked() > 0)
	i.ended = time.Now()
	if len(c.deleted) == deletedKept {
		c.deleted = c.deleted[1:]
	}
	c.deleted = append(c.deleted, i.info())
	if i.status.Tag != "" {
		c.remains = append(c.remains, remains{i.runnerID, i.status})
	}
	if len(c.remains) > deletedKept {
		c.remains = c.remains[1:]
	}
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

// instanceView is what the state shows of an instance.
type instanceView struct {
	placement
	listed bool
	status wire.Runner
}

// snapshot returns the instances, and what is left of runners that are gone.
func (c *cluster) snapshot() ([]instanceView, []remains) {
	c.mu.Lock()
	defer c.mu.Unlock()
	views := make([]instanceView, 0, len(c.instances))
	for _, i := range c.instances {
		views = append(views, instanceView{i.placement, i.listed, i.status})
	}
	return views, slices.Clone(c.remains)
}

// setStatus moves a runner on and wakes who waits for it.
func (c *cluster) setStatus(i *instance, s wire.Runner) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setStatusLocked(i, s)
}

func (c *cluster) setStatusLocked(i *instance, s wire.Runner) {
	i.status = s
	c.draw.note(c.busyLocked() > 0)
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
