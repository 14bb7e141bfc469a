package exo1

import (
	"slices"
	"time"

	"exo-bench-exporter/workload/exosim/faults"
	"exo-bench-exporter/workload/exosim/world"
)

// trackerPID is the process id of multiprocessing's resource tracker.
const trackerPID = 40_964

// Resident sets on the simulated machine, in bytes, and what else holds memory there.
const (
	mainRSS    = 350 << 20 // exo's main process
	trackerRSS = 14 << 20
	runnerRSS  = 310 << 20 // a runner without weights
	systemUsed = 6 << 30   // the operating system and the user's programs
)

// trackerCommand and runnerCommand return the arguments of those processes; a runner's name
// neither exo nor the model.
func trackerCommand() []string {
	return []string{"/opt/exo/.venv/bin/python", "-c", "from multiprocessing.resource_tracker import main;main(5)"}
}

func runnerCommand() []string {
	return []string{
		"/opt/exo/.venv/bin/python", "-c",
		"from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=6, pipe_handle=8)", "--multiprocessing-fork",
	}
}

// process is a runner's; the cluster's mutex guards it.
type process struct {
	pid     int
	created time.Time
	loaded  uint64 // bytes of weights
	peak    uint64
	child   world.Child // nil without a Spawner
}

// startProcess gives the instance's runner a process.
func (n *Node) startProcess(i *instance) {
	var child world.Child
	if n.Spawner != nil {
		c, err := n.Spawner.Spawn(i.profile.ExoID)
		if err != nil {
			n.Log.Error("No process for a runner; it stays simulated", "model", i.profile.ExoID, "err", err)
		} else {
			child = c
		}
	}
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	i.proc = &process{created: time.Now(), child: child}
	if child != nil {
		i.proc.pid = child.PID()
		return
	}
	n.cluster.nextPID++
	i.proc.pid = n.cluster.nextPID
}

// hasProcess reports whether the instance's runner has one.
func (n *Node) hasProcess(i *instance) bool {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	return i.proc != nil
}

// endProcess ends the process of the instance's runner, if it has one.
func (n *Node) endProcess(i *instance) {
	n.cluster.mu.Lock()
	proc := i.proc
	i.proc = nil
	i.cache = nil
	n.cluster.mu.Unlock()
	if proc != nil && proc.child != nil {
		proc.child.Stop()
	}
}

// loadedShare notes how much of the weights the runner has read.
func (n *Node) loadedShare(i *instance, share float64) {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	if i.proc != nil {
		i.proc.loaded = uint64(share * float64(i.profile.WeightsBytes))
		i.settleMemory()
	}
}

// settleMemory brings the high-water mark and the real process, if there is one, in line
// with what the runner holds. The cluster's mutex is held.
func (i *instance) settleMemory() {
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
		tokens += g.KVTokens()
	}
	for _, c := range i.cache {
		tokens += c.prompt.Tokens
	}
	return uint64(tokens) * i.profile.KVBytesPerToken
}

// rss returns the resident set of the runner's process. Weights count in full, as on Linux;
// on Apple silicon it may hold all, part or none of them.
func (i *instance) rss() uint64 { return runnerRSS + i.proc.loaded + i.kvBytes() }

// Processes returns exo's process tree: the main process first, then the others by pid.
func (n *Node) Processes() []world.Process {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	main, start := mainRSS+n.cluster.leaked, n.Clock.Start()
	all := []world.Process{
		{PID: world.MainPID, PPID: world.ParentPID, Created: start, RSS: main, PeakRSS: main, Command: world.MainCommand()},
		{PID: trackerPID, PPID: world.MainPID, Created: start, RSS: trackerRSS, PeakRSS: trackerRSS, Command: trackerCommand()},
	}
	for _, i := range n.cluster.instances {
		if i.proc == nil {
			continue
		}
		rss := i.rss()
		all = append(all, world.Process{
			PID: i.proc.pid, PPID: world.MainPID, Created: i.proc.created, RSS: rss, PeakRSS: max(rss, i.proc.peak),
			Command: runnerCommand(),
		})
	}
	slices.SortFunc(all[1:], func(a, b world.Process) int { return a.PID - b.PID })
	return all
}

// keep makes the main process keep bytes for ever.
func (c *cluster) keep(bytes uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaked += bytes
}

// memoryAvailable returns the machine's available memory in bytes, as exo sees it.
func (n *Node) memoryAvailable() uint64 {
	used := uint64(systemUsed)
	for _, p := range n.Processes() {
		if p.PID != trackerPID {
			used += p.RSS
		}
	}
	available := n.MemoryTotal - min(used, n.MemoryTotal)
	if f, ok := n.Faults.Active(faults.MemoryLow, ""); ok {
		available = min(available, f.Bytes)
	}
	return available
}
