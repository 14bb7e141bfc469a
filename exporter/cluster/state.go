package cluster

import "exo-bench-exporter/workload"

// Path is where a driver serves its State, below its base URL.
const Path = "/api/v1/turn"

// service is the value of State.Service.
const service = "exo-bench-exporter"

// State is what a driver tells: the turn that it is in. It is served as JSON.
type State struct {
	Service   string `json:"service"` // always exo-bench-exporter
	Version   string `json:"version"` // of the driver's program
	Run       string `json:"run"`     // names this run of the program; another one begins to count anew
	Seq       uint64 `json:"seq"`     // rises with every change
	Simulated bool   `json:"simulated"`
	Turn      *Turn  `json:"turn"` // nil between turns
	Last      *Ended `json:"last"` // turn that ended last; nil before the first has
}

// Turn is a turn under way.
type Turn struct {
	Number int            `json:"number"` // counts from 1 in each run of the driver
	Model  string         `json:"model"`
	Phase  workload.Phase `json:"phase"`
	// PhaseSeconds is for how long the phase had lasted at the time of the answer. It makes up
	// for clocks that differ between machines.
	PhaseSeconds float64 `json:"phase_seconds"`
}

// Ended is a turn that has ended.
type Ended struct {
	Number  int                  `json:"number"`
	Model   string               `json:"model"`
	Outcome workload.TurnOutcome `json:"outcome"`
	Loaded  bool                 `json:"loaded"` // the turn loaded the model, which was not there before
}
