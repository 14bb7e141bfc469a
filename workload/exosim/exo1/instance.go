package exo1

import (
	"time"

	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/wire"
)

// placement is an instance to be.
type placement struct {
	id, runnerID string
	profile      *pace.Profile
	stranger     bool // placed by PlaceStranger
	raises       bool // its shard asks for an immediate exception, a test hook of exo's own
}

// instance is a placed model with its one runner.
type instance struct {
	placement
	created time.Time

	stop chan struct{} // closed by the command that deletes it
	kill chan failure  // ends the runner

	kept bool // the worker has a runner of it, dead or alive; for the goroutine that is its life

	// The rest is guarded by the cluster's mutex.
	endedBy string // who deleted it first
	listed  bool   // in the state's instances
	ended   time.Time
	status  wire.Runner
	changed chan struct{} // closed and renewed whenever status changes
	proc    *process
	active  map[*pace.Generation]struct{}
	cache   []cachedPrompt
}

// place starts the life of an instance.
func (n *Node) place(p placement) {
	i := &instance{
		placement: p,
		created:   time.Now(),
		stop:      make(chan struct{}),
		kill:      make(chan failure, 1),
		changed:   make(chan struct{}),
		active:    map[*pace.Generation]struct{}{},
	}
	if n.cluster.add(i) { // else exo overwrites an instance with itself
		n.Spawn(func() { n.live(i) })
	}
}

// Who ends an instance, in InstanceInfo.EndedBy.
const (
	EndedByAPI      = "api"      // DELETE /instance/{id}
	EndedByStranger = "stranger" // DeleteStranger
	EndedByFault    = "fault"    // the fault of that name
	EndedByExo      = "exo"      // given up after too many failures of its runner
)

// end notes who deletes the instance; false when somebody has already.
func (c *cluster) end(i *instance, by string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i.endedBy != "" {
		return false
	}
	i.endedBy = by
	close(i.stop)
	return true
}

// remove is the command that deletes an instance. It takes effect in the state whatever
// exo's worker is at.
func (n *Node) remove(i *instance, by string) {
	if !n.cluster.end(i, by) {
		return
	}
	if by == EndedByAPI || by == EndedByStranger { // a command, on which exo does this
		n.cancelDownloads()
	}
	n.Spawn(func() {
		if n.Sleep(commandDelay) == nil {
			n.unlist(i)
		}
	})
}

// KillRunner makes the instance a dead one (exo #2120): it stays listed, its runner and
// the runner's process are gone, and requests to it hang. False when there is none such.
func (n *Node) KillRunner(instanceID string) bool {
	i := n.cluster.get(instanceID)
	if i != nil {
		i.die(failure{vanished: true})
	}
	return i != nil
}

// die ends the runner.
func (i *instance) die(f failure) {
	select {
	case i.kill <- f:
	default: // it is dying already
	}
}

// elect re-elects the master: running streams hang, and commands wait until it is done.
func (n *Node) elect(takes time.Duration) {
	n.master.elect(n.Clock.After(takes))
	n.cluster.interrupt(nil, &pace.Interruption{Hang: true})
}

const (
	// ephemeralPort is where the ring of every instance listens.
	ephemeralPort = 50123
	// ringHost is where it listens to others.
	ringHost = "0.0.0.0"
)

func (n *Node) wireShard(p *pace.Profile) wire.TaggedShard {
	return wire.TaggedShard{Pipeline: &wire.PipelineShard{
		ModelCard: n.catalogue.card(p), WorldSize: 1, EndLayer: p.Layers, NLayers: p.Layers,
	}}
}

// wirePlacement returns the instance that a placement makes.
func (n *Node) wirePlacement(p placement) wire.TaggedInstance {
	return wire.TaggedInstance{Ring: &wire.RingInstance{
		InstanceID: p.id,
		ShardAssignments: wire.ShardAssignments{
			ModelID:       p.profile.ExoID,
			RunnerToShard: map[string]wire.TaggedShard{p.runnerID: n.wireShard(p.profile)},
			NodeToRunner:  map[string]string{n.id: p.runnerID},
		},
		HostsByNode:   map[string][]wire.Address{n.id: {{IP: ringHost, Port: ephemeralPort}}},
		EphemeralPort: ephemeralPort,
	}}
}

func (n *Node) wireInstance(i *instance) wire.TaggedInstance { return n.wirePlacement(i.placement) }
