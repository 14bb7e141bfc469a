package exosim

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"exo-bench-exporter/workload/exosim/exo0"
	"exo-bench-exporter/workload/exosim/exo1"
	"exo-bench-exporter/workload/exosim/link"
	"exo-bench-exporter/workload/exosim/world"
)

// generation is what a Node knows of the exo that it is.
type generation interface {
	ID() string
	Routes() *http.ServeMux
	Refuse(w http.ResponseWriter, status int, message string)
	Processes() []world.Process
	RunningTasks() int
	StartStranger(model string, tokens int) (string, error)
}

// Node is one simulated exo node. It is safe for concurrent use.
type Node struct {
	world   *world.World
	exo     generation
	exo1    *exo1.Node // nil for legacy exo
	routes  *http.ServeMux
	control *http.ServeMux // under /_sim/
	style   link.Style
	calls   callCount

	mu        sync.Mutex
	answers   http.Handler // routes, with what Wrap puts before them
	servers   []*http.Server
	link      *link.Listener  // nil until Transport is asked for
	transport *http.Transport // over link
}

// New starts a Node. It must be closed.
func New(o Options) *Node {
	o = o.withDefaults()
	w := world.New(world.Options{
		Speed: o.Speed, Seed: o.Seed, Jitter: o.Jitter, Models: o.Profiles, AnswerTokens: o.AnswerTokens,
		MemoryTotal: o.MemoryTotal, Spawner: o.Spawner, Log: o.Log,
	})
	n := &Node{world: w}
	if o.Dialect == Exo0 {
		n.style = link.Aiohttp
		n.exo = exo0.New(w, exo0.Options{Engine: o.Engine, MaxGenerateTokens: o.MaxGenerateTokens})
	} else {
		n.exo1 = exo1.New(w, exo1.Options{
			Variant: o.Variant, Machine: o.Machine, CatalogueOnly: o.CatalogueOnly, Offline: o.Offline,
			NotDownloaded: o.NotDownloaded, DownloadRate: o.DownloadRate, Boot: o.Boot, CatalogueIn: o.CatalogueIn,
		})
		n.exo, n.style = n.exo1, link.Hypercorn
	}
	n.routes, n.control = n.exo.Routes(), n.controlRoutes()
	n.answers = n.routes
	return n
}

// Close ends everything that goes on in the node and waits for it. Streams are cut.
func (n *Node) Close() error {
	n.world.Stop()
	n.hangUp()
	n.world.Wait()
	return nil
}

// ID returns the node id, as GET /node_id does.
func (n *Node) ID() string { return n.exo.ID() }

// Inject makes f go wrong from now on and returns the fault's id.
func (n *Node) Inject(f Fault) (string, error) { return n.world.Faults.Inject(f) }

// Clear ends the fault with this id, or all of them when id is empty, and returns how many
// it ended. What a fault has done already stays done.
func (n *Node) Clear(id string) int { return n.world.Faults.Clear(id) }

// Faults returns the faults that are in force.
func (n *Node) Faults() []Fault { return n.world.Faults.InForce() }

// Truth returns what happened to the request whose answer has this id; false when it is
// unknown or forgotten. A request that still runs is reported as far as it got.
func (n *Node) Truth(id string) (Truth, bool) { return n.world.Truths.Truth(id) }

// Truths returns the last requests, oldest first, at most limit of them if that is positive.
func (n *Node) Truths(limit int) []Truth { return n.world.Truths.Truths(limit) }

// Joules returns the energy that the simulated machine drew from one moment to another: the exact integral of the
// power that exo 1.x shows once a second. 0 on legacy exo, which shows none.
func (n *Node) Joules(from, to time.Time) float64 {
	if n.exo1 == nil {
		return 0
	}
	return n.exo1.Joules(from, to)
}

// Processes returns exo's process tree: the main process first, then the others by pid.
func (n *Node) Processes() []Process { return n.exo.Processes() }

// RunningTasks returns how many text generations run or wait, strangers' included.
func (n *Node) RunningTasks() int { return n.exo.RunningTasks() }

// StartStranger starts a generation of so many tokens as another user would, over a prompt
// of its own, and returns at once with its id. It waits like any other until the model is
// ready and slows the others down.
func (n *Node) StartStranger(model string, tokens int) (string, error) {
	return n.exo.StartStranger(model, tokens)
}

// errLegacy is returned for what only exo 1.x has.
var errLegacy = errors.New("legacy exo has neither instances nor downloads")

// Instances returns the instances that exist, oldest first, including those whose runner is
// still shutting down.
func (n *Node) Instances() []InstanceInfo {
	if n.exo1 == nil {
		return nil
	}
	return n.exo1.Instances()
}

// Deleted returns the instances that have gone, oldest first; the last 1024 of them.
func (n *Node) Deleted() []InstanceInfo {
	if n.exo1 == nil {
		return nil
	}
	return n.exo1.Deleted()
}

// KillRunner makes the instance a dead one (exo #2120): it stays listed, its runner and
// the runner's process are gone, and requests to it hang. False when there is none such.
func (n *Node) KillRunner(instanceID string) bool {
	return n.exo1 != nil && n.exo1.KillRunner(instanceID)
}

// PlaceStranger places an instance as another user of the node would, and returns its id.
// It is ready once its runner has gone through its states like any other.
func (n *Node) PlaceStranger(model string) (string, error) {
	if n.exo1 == nil {
		return "", errLegacy
	}
	return n.exo1.PlaceStranger(model)
}

// DeleteStranger deletes an instance as another user would; false when there is none such.
func (n *Node) DeleteStranger(instanceID string) bool {
	return n.exo1 != nil && n.exo1.DeleteStranger(instanceID)
}

// StartDownload downloads the weights of a model as another user of the node would, who
// needs no instance for that.
func (n *Node) StartDownload(model string) error {
	if n.exo1 == nil {
		return errLegacy
	}
	return n.exo1.StartDownload(model)
}
