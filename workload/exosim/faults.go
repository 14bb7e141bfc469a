package exosim

import (
	"slices"
)

// Kind says what goes wrong.
type Kind string

// Faults that last until they are cleared or expire. Count, Skip and After mean nothing.
const (
	Slow              Kind = "slow"                // the model loses Percent of its decode and prefill rates
	MemoryLow         Kind = "memory_low"          // no more than Bytes of memory are available
	Unreachable       Kind = "unreachable"         // connections are refused or reset
	StatePathsMissing Kind = "state_paths_missing" // /state/{path} is 404, as before exo v1.0.70
	UnknownTags       Kind = "unknown_tags"        // the state holds instances, runners and tasks of unknown kinds beside the others
	MovedFields       Kind = "moved_fields"        // node metrics are elsewhere in the state
	NoPlacements      Kind = "no_placements"       // /instance/previews and /instance/placement are 404: no instance id is told in advance
	WarmBench         Kind = "warm_bench"          // /bench uses the prefix cache unasked
)

// Faults that strike one request for a chat completion.
const (
	HTTPError       Kind = "http_error"       // answered with Status and Message (with Path set: any request whose path begins so)
	Text500         Kind = "text_500"         // an unhandled exception: 500 as plain text (Path as above)
	Unprocessable   Kind = "unprocessable"    // 422 (Path as above)
	ErrorEvent      Kind = "error_event"      // after After token events an error, inside status 200
	RunnerKilled    Kind = "runner_killed"    // after After token events the runner dies; exo starts another
	Stall           Kind = "stall"            // after After token events nothing but keep-alives, for Seconds or for ever
	Cut             Kind = "cut"              // after After token events the stream ends, properly but without finish_reason
	Reset           Kind = "reset"            // after After token events the connection is reset
	Empty           Kind = "empty"            // the answer ends properly without any token
	InstanceDeleted Kind = "instance_deleted" // after After token events somebody deletes the instance
	DeadInstance    Kind = "dead_instance"    // the runner vanishes, the instance stays listed, requests hang (exo #2120)
	Election        Kind = "election"         // after After token events the master is re-elected: running streams hang for ever, commands wait Seconds (30 when zero)
)

// Faults that strike the life of one instance of exo 1.x.
const (
	PlacementRefused Kind = "placement_refused" // previews and POST /instance say there is no room; /place_instance says nothing
	InstanceVanishes Kind = "instance_vanishes" // POST /instance is accepted and nothing comes of it (exo #2047)
	RunnerFails      Kind = "runner_fails"      // the runner fails while it loads, with Message; legacy: the load does
	DownloadFails    Kind = "download_fails"    // DownloadFailed stays in the state, the runner in RunnerIdle
	RunnerStuck      Kind = "runner_stuck"      // the runner never leaves State (RunnerIdle when empty)
	DeleteIgnored    Kind = "delete_ignored"    // DELETE is accepted and the instance stays
	MemoryKept       Kind = "memory_kept"       // after the unload exo keeps Bytes (exo #752)
)

type scope int

const (
	lasting scope = iota
	ofRequest
	ofInstance
)

var scopes = map[Kind]scope{
	Slow: lasting, MemoryLow: lasting, Unreachable: lasting, StatePathsMissing: lasting,
	UnknownTags: lasting, MovedFields: lasting, NoPlacements: lasting, WarmBench: lasting,

	HTTPError: ofRequest, Text500: ofRequest, Unprocessable: ofRequest, ErrorEvent: ofRequest,
	RunnerKilled: ofRequest, Stall: ofRequest, Cut: ofRequest, Reset: ofRequest, Empty: ofRequest,
	InstanceDeleted: ofRequest, DeadInstance: ofRequest, Election: ofRequest,

	PlacementRefused: ofInstance, InstanceVanishes: ofInstance, RunnerFails: ofInstance,
	DownloadFails: ofInstance, RunnerStuck: ofInstance, DeleteIgnored: ofInstance, MemoryKept: ofInstance,
}

// Kinds returns all kinds of faults, sorted.
func Kinds() []Kind {
	var kinds []Kind
	for k := range scopes {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	return kinds
}

// Fault is something that goes wrong in a Node. Durations are modelled ones: the node's
// speed divides them.
type Fault struct {
	ID      string  `json:"id,omitempty"`      // given by Inject
	Kind    Kind    `json:"kind"`              // what goes wrong
	Model   string  `json:"model,omitempty"`   // workload name or id of the model it strikes; all when empty
	Path    string  `json:"path,omitempty"`    // HTTPError, Text500, Unprocessable, Stall: strike any request whose path begins so, whatever the model
	Count   int     `json:"count,omitempty"`   // how often it strikes; until cleared when 0
	Skip    int     `json:"skip,omitempty"`    // occasions that pass before it first strikes
	After   int     `json:"after,omitempty"`   // token events that are written first; a shorter answer escapes
	Percent float64 `json:"percent,omitempty"` // Slow: share of the rates that is lost; negative makes it faster
	Seconds float64 `json:"seconds,omitempty"` // Stall, Election: how long; other kinds: expires after this long
	Status  int     `json:"status,omitempty"`  // HTTPError: status code, 503 when zero
	Message string  `json:"message,omitempty"` // what the answer or the runner says
	State   string  `json:"state,omitempty"`   // RunnerStuck: RunnerIdle, RunnerLoading, RunnerLoaded or RunnerWarmingUp
	Bytes   uint64  `json:"bytes,omitempty"`   // MemoryLow, MemoryKept
	Struck  int     `json:"struck"`            // how often it has struck; Inject ignores it
}
