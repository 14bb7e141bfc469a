package exosim

import (
	"slices"
	"strings"
	"time"
)

// instance is a placed model with its one runner.
type instance struct {
	id, runnerID string
	profile      *Profile
	stranger     bool // placed by PlaceStranger
	created      time.Time

	stop    chan struct{} // closed by the command that deletes it
	stopped bool
	endedBy string      // who deleted it first
	kill    chan string // the runner dies with this cause

	// The rest is guarded by the node's mutex.
	listed  bool // in the state's instances
	ended   time.Time
	status  runnerStatus
	changed chan struct{} // closed and renewed whenever status changes
	proc    *runnerProcess
	active  map[*generation]struct{}
	cache   []cachedPrompt
	raises  bool // its shard asks for an immediate exception, a test hook of exo's own
}

// runnerStatus is a runner's state as exo tells it; the empty tag means that it has none.
type runnerStatus struct {
	tag           string
	layers, total int
	message       string
}

// Tags of runner statuses.
const (
	runnerIdle         = "RunnerIdle"
	runnerLoading      = "RunnerLoading"
	runnerLoaded       = "RunnerLoaded"
	runnerWarmingUp    = "RunnerWarmingUp"
	runnerReady        = "RunnerReady"
	runnerRunning      = "RunnerRunning"
	runnerShuttingDown = "RunnerShuttingDown"
	runnerFailed       = "RunnerFailed"
)

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

// deletedKept is how many ended instances a Node remembers.
const deletedKept = 1024

func (i *instance) info() InstanceInfo {
	return InstanceInfo{
		ID: i.id, Model: i.profile.ExoID, RunnerID: i.runnerID, Status: i.status.tag,
		Stranger: i.stranger, Listed: i.listed, Created: i.created, Gone: i.ended, EndedBy: i.endedBy,
	}
}

// Instances returns the instances that exist, oldest first, including those whose runner is
// still shutting down.
func (n *Node) Instances() []InstanceInfo {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := make([]InstanceInfo, 0, len(n.instances))
	for _, i := range n.instances {
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
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.deleted)
}

// KillRunner makes the instance a dead one (exo #2120): it stays listed, its runner and
// the runner's process are gone, and requests to it hang. False when there is none such.
func (n *Node) KillRunner(instanceID string) bool {
	n.mu.Lock()
	i, ok := n.instances[instanceID]
	n.mu.Unlock()
	if ok {
		n.killRunner(i, "")
	}
	return ok
}

// killRunner ends the runner's process. A cause makes that a failure, after which exo
// starts another runner; without one nobody ever notices.
func (n *Node) killRunner(i *instance, cause string) {
	select {
	case i.kill <- cause:
	default: // it is dying already
	}
}

// elect re-elects the master: running streams hang, and commands wait until it is done.
func (n *Node) elect(takes float64) {
	setDefault(&takes, 30)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pausedTill = time.Now().Add(n.scaled(seconds(takes)))
	for _, i := range n.instances {
		for g := range i.active {
			g.end(&interruption{hang: true})
		}
	}
}

// placement is an instance to be.
type placement struct {
	id, runnerID string
	profile      *Profile
	stranger     bool
	raises       bool
}

// place starts the life of an instance.
func (n *Node) place(p placement) {
	i := &instance{
		id: p.id, runnerID: p.runnerID, profile: p.profile, stranger: p.stranger, raises: p.raises,
		created: time.Now(),
		stop:    make(chan struct{}),
		kill:    make(chan string, 1),
		changed: make(chan struct{}),
		active:  map[*generation]struct{}{},
	}
	n.mu.Lock()
	if _, exists := n.instances[i.id]; exists {
		n.mu.Unlock()
		return // exo overwrites an instance with itself
	}
	n.instances[i.id] = i
	n.mu.Unlock()
	n.spawn(func() { n.live(i) })
}

// Who ends an instance, in InstanceInfo.EndedBy.
const (
	EndedByAPI      = "api"      // DELETE /instance/{id}
	EndedByStranger = "stranger" // DeleteStranger
	EndedByFault    = "fault"    // InstanceDeleted
	EndedByExo      = "exo"      // given up after too many failures of its runner
)

// remove is the command that deletes an instance.
func (n *Node) remove(i *instance, by string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !i.stopped {
		i.stopped, i.endedBy = true, by
		close(i.stop)
		if by == EndedByAPI || by == EndedByStranger { // a command, on which exo does this
			n.cancelDownloads()
		}
	}
}

// find returns the listed instance with this id.
func (n *Node) find(id string) *instance {
	n.mu.Lock()
	defer n.mu.Unlock()
	if i := n.instances[id]; i != nil && i.listed {
		return i
	}
	return nil
}

// leastLoaded returns the listed instance of the model with the fewest requests; nil for none.
func (n *Node) leastLoaded(exoID string) *instance {
	n.mu.Lock()
	defer n.mu.Unlock()
	var best *instance
	for _, i := range n.instances {
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

// setStatus moves the runner on and wakes who waits for it.
func (n *Node) setStatus(i *instance, s runnerStatus) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.setStatusLocked(i, s)
}

func (n *Node) setStatusLocked(i *instance, s runnerStatus) {
	i.status = s
	close(i.changed)
	i.changed = make(chan struct{})
}

// interrupt ends the instance's generations for the reason given. What is reported to clients
// concerns only those that the runner had begun; the others wait for the next one.
func (n *Node) interrupt(i *instance, r *interruption) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for g := range i.active {
		if r.event == "" || g.kvTokens > 0 {
			g.end(r)
		}
	}
}
