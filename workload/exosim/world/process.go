package world

import "time"

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
// Its methods are called from the goroutines of a node and must not wait for the process.
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

// The pids of the main process and of its parent.
const (
	ParentPID = 1
	MainPID   = 40_961
)

// MainCommand returns the arguments of exo's main process.
func MainCommand() []string {
	return []string{"/opt/exo/.venv/bin/python", "/opt/exo/.venv/bin/exo"}
}
