package exosim

import (
	"slices"
	"time"
)

// Process is one process of exo on the simulated machine.
type Process struct {
	PID     int       `json:"pid"`
	PPID    int       `json:"ppid"`
	Created time.Time `json:"created"`
	RSS     uint64    `json:"rss_bytes"`
	PeakRSS uint64    `json:"peak_rss_bytes"` // high-water mark since Created
	Command []string  `json:"command"`        // arguments, the program first
}

// Spawner starts a real process for each runner, so that something real can be sampled.
// Its methods are called from the goroutines of a Node and must not wait for the process.
type Spawner interface {
	// Spawn starts the process of a runner of the model with this exo id.
	Spawn(model string) (Child, error)
}

// Child is a real process that stands for a runner.
type Child interface {
	// PID returns the process id.
	PID() int
	// Hold makes the process hold about this much memory for the model, in bytes as the
	// profile has them; the Child scales them down.
	Hold(bytes uint64)
	// Stop ends the process.
	Stop()
}

// The pids of the processes that are always there.
const (
	parentPID  = 1
	mainPID    = 40_961
	trackerPID = 40_964
)

// The arguments that exo's processes have. Those of a runner name neither exo nor the model.
var (
	mainCommand    = []string{"/opt/exo/.venv/bin/python", "/opt/exo/.venv/bin/exo"}
	trackerCommand = []string{"/opt/exo/.venv/bin/python", "-c", "from multiprocessing.resource_tracker import main;main(5)"}
	runnerCommand  = []string{
		"/opt/exo/.venv/bin/python", "-c",
		"from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=6, pipe_handle=8)", "--multiprocessing-fork",
	}
)

// runnerProcess is a runner's process; the node's mutex guards it.
type runnerProcess struct {
	pid     int
	created time.Time
	loaded  uint64 // bytes of weights
	peak    uint64
	child   Child // nil without a Spawner
}

// startProcess gives the instance's runner a process.
func (n *Node) startProcess(i *instance) {
	var child Child
	if n.opts.Spawner != nil {
		c, err := n.opts.Spawner.Spawn(i.profile.ExoID)
		if err != nil {
			n.opts.Log.Error("no process for a runner; it stays simulated", "model", i.profile.ExoID, "err", err)
		} else {
			child = c
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	i.proc = &runnerProcess{created: time.Now(), child: child}
	if child != nil {
		i.proc.pid = child.PID()
		return
	}
	n.nextPID++
	i.proc.pid = n.nextPID
}

// endProcess ends the process of the instance's runner, if it has one.
func (n *Node) endProcess(i *instance) {
	n.mu.Lock()
	proc := i.proc
	i.proc = nil
	i.cache = nil
	n.mu.Unlock()
	if proc != nil && proc.child != nil {
		proc.child.Stop()
	}
}

// loadedShare notes how much of the weights the runner has read.
func (n *Node) loadedShare(i *instance, share float64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if i.proc != nil {
		i.proc.loaded = uint64(share * float64(i.profile.WeightsBytes))
		n.settleMemory(i)
	}
}

// settleMemory brings the high-water mark and the real process, if there is one, in line
// with what the runner holds. The node's mutex is held.
func (n *Node) settleMemory(i *instance) {
	if i.proc == nil {
		return
	}
	i.proc.peak = max(i.proc.peak, i.rss())
	if i.proc.child != nil {
		i.proc.child.Hold(i.proc.loaded + i.kvBytes())
	}
}

// kvBytes returns what the runner's KV caches hold, for running requests and for prefixes.
func (i *instance) kvBytes() uint64 {
	tokens := 0
	for g := range i.active {
		tokens += g.kvTokens
	}
	for _, c := range i.cache {
		tokens += c.prompt.tokens
	}
	return uint64(tokens) * i.profile.KVBytesPerToken
}

// rss returns the resident set of the runner's process. Weights count in full, as on Linux;
// on Apple silicon most of them sit outside the resident set.
func (i *instance) rss() uint64 { return runnerRSS + i.proc.loaded + i.kvBytes() }

// Processes returns exo's process tree: the main process first, then the others by pid.
func (n *Node) Processes() []Process {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.opts.Dialect == Exo0 {
		rss := n.legacy.rss() + n.leaked
		return []Process{{PID: mainPID, PPID: parentPID, Created: n.start, RSS: rss, PeakRSS: max(rss, n.legacy.peak), Command: mainCommand}}
	}
	main := mainRSS + n.leaked
	all := []Process{
		{PID: mainPID, PPID: parentPID, Created: n.start, RSS: main, PeakRSS: main, Command: mainCommand},
		{PID: trackerPID, PPID: mainPID, Created: n.start, RSS: trackerRSS, PeakRSS: trackerRSS, Command: trackerCommand},
	}
	for _, i := range n.instances {
		if i.proc == nil {
			continue
		}
		rss := i.rss()
		all = append(all, Process{
			PID: i.proc.pid, PPID: mainPID, Created: i.proc.created, RSS: rss, PeakRSS: max(rss, i.proc.peak),
			Command: runnerCommand,
		})
	}
	slices.SortFunc(all[1:], func(a, b Process) int { return a.PID - b.PID })
	return all
}

// memoryAvailable returns the machine's available memory in bytes, as exo sees it.
func (n *Node) memoryAvailable() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	used := uint64(systemUsed + mainRSS)
	used += n.leaked
	for _, i := range n.instances {
		if i.proc != nil {
			used += i.rss()
		}
	}
	available := n.opts.MemoryTotal - min(used, n.opts.MemoryTotal)
	if f, ok := n.activeLocked(MemoryLow, ""); ok {
		available = min(available, f.Bytes)
	}
	return available
}
