// Package exo0 is a simulated node of legacy exo 0.0.x.
package exo0

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"

	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/wire"
	"exo-bench-exporter/workload/exosim/world"
)

// Engine says which inference engine a Node has; it decides what can be served.
type Engine string

// The engines of legacy exo.
const (
	MLX      Engine = "MLXDynamicShardInferenceEngine"
	Tinygrad Engine = "TinygradDynamicShardInferenceEngine" // llama models only
)

// Options are those of legacy exo alone.
type Options struct {
	Engine            Engine
	MaxGenerateTokens int
}

// Node is one simulated node of legacy exo. It ends with its world.
type Node struct {
	*world.World
	opts   Options
	id     string
	engine engine
}

// New returns a Node of w.
func New(w *world.World, o Options) *Node {
	var b [16]byte
	_, _ = rand.Read(b[:])
	n := &Node{World: w, opts: o, id: hex.EncodeToString(b[:])}
	n.engine.init()
	return n
}

// ID returns the node's id.
func (n *Node) ID() string { return n.id }

// Refuse answers with legacy exo's error document.
func (n *Node) Refuse(w http.ResponseWriter, status int, message string) {
	wire.Detail(w, status, message)
}

// RunningTasks returns how many generations run.
func (n *Node) RunningTasks() int { return n.engine.running() }

// Processes returns exo's one process.
func (n *Node) Processes() []world.Process {
	rss, peak := n.engine.memory()
	return []world.Process{{
		PID: world.MainPID, PPID: world.ParentPID, Created: n.Clock.Start(), RSS: rss, PeakRSS: max(rss, peak),
		Command: world.MainCommand(),
	}}
}

// registered returns the models of legacy exo's registry.
func (n *Node) registered() []*pace.Profile {
	var all []*pace.Profile
	for _, p := range n.Profiles {
		if p.LegacyID != "" {
			all = append(all, p)
		}
	}
	return all
}

// supports reports whether the node's engine has weights for the model.
func (n *Node) supports(p *pace.Profile) bool { return n.opts.Engine == MLX || p.Family == "llama" }
