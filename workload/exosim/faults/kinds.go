// Package faults knows what can go wrong in a simulated node, and keeps the book of what
// does at the moment. What a fault does is up to the rooms that ask the book.
package faults

import "slices"

// Kind says what goes wrong.
type Kind string

// Faults that last until they are cleared or expire. Count, Skip and After mean nothing.
const (
	Slow              Kind = "slow"
	MemoryLow         Kind = "memory_low"
	Unreachable       Kind = "unreachable"
	StatePathsMissing Kind = "state_paths_missing"
	UnknownTags       Kind = "unknown_tags"
	MovedFields       Kind = "moved_fields"
	NoPlacements      Kind = "no_placements"
	WarmBench         Kind = "warm_bench"
	SnakeKeys         Kind = "snake_keys"
	InstancesHidden   Kind = "instances_hidden"
	DownloadStalls    Kind = "download_stalls"
)

// Faults that strike one request for a chat completion.
const (
	HTTPError       Kind = "http_error"
	Text500         Kind = "text_500"
	Unprocessable   Kind = "unprocessable"
	ErrorEvent      Kind = "error_event"
	RunnerKilled    Kind = "runner_killed"
	Stall           Kind = "stall"
	Cut             Kind = "cut"
	Reset           Kind = "reset"
	Empty           Kind = "empty"
	InstanceDeleted Kind = "instance_deleted"
	DeadInstance    Kind = "dead_instance"
	Election        Kind = "election"
	ShortAnswer     Kind = "short_answer"
	IgnoresLimit    Kind = "ignores_limit"
	WrongUsage      Kind = "wrong_usage"
	SeveralTokens   Kind = "several_tokens"
	Clumped         Kind = "clumped"
	HeldBack        Kind = "held_back"
	Replayed        Kind = "replayed"
	Lingers         Kind = "lingers"
	AnswerLost      Kind = "answer_lost"
	Gibberish       Kind = "gibberish"
)

// Faults that strike the life of one instance of exo 1.x.
const (
	PlacementRefused Kind = "placement_refused"
	InstanceVanishes Kind = "instance_vanishes"
	RunnerFails      Kind = "runner_fails"
	DownloadFails    Kind = "download_fails"
	RunnerStuck      Kind = "runner_stuck"
	DeleteIgnored    Kind = "delete_ignored"
	MemoryKept       Kind = "memory_kept"
	RecordLeft       Kind = "record_left"
	PlacementLate    Kind = "placement_late"
	BootSlow         Kind = "boot_slow"
)

// Scope says what a fault strikes.
type Scope string

// The scopes of faults.
const (
	Lasting    Scope = "the node until they are cleared"
	OfRequest  Scope = "one request for a chat completion"
	OfInstance Scope = "the life of one instance"
)

// Spec describes one kind of fault.
type Spec struct {
	Kind   Kind
	Scope  Scope
	Legacy bool   // whether legacy exo has it, too
	Path   bool   // Path may be set, and it then strikes any request below that
	Help   string // what happens, naming the fields that matter
}

// Shorthands for the table.
const (
	both, only    = true, false // generations of exo
	anyPath, none = true, false
)

var table = []Spec{
	{Slow, Lasting, both, none, "the model loses percent of its decode and prefill rates; a negative percent makes it faster"},
	{MemoryLow, Lasting, only, none, "no more than bytes of memory are available"},
	{Unreachable, Lasting, both, none, "connections are refused or reset"},
	{StatePathsMissing, Lasting, only, none, "/state/{path} is 404, as before exo v1.0.70"},
	{UnknownTags, Lasting, only, none, "the state holds instances, runners and tasks of unknown kinds beside the others"},
	{MovedFields, Lasting, only, none, "node metrics are elsewhere in the state"},
	{NoPlacements, Lasting, only, none, "/instance/previews and /instance/placement are 404: no instance id is told in advance"},
	{WarmBench, Lasting, only, none, "/bench uses the prefix cache unasked"},
	{SnakeKeys, Lasting, only, none, "the keys of the state are in snake_case"},
	{InstancesHidden, Lasting, only, none, "instances are neither listed nor found, as after an election; what they do goes on"},
	{DownloadStalls, Lasting, only, none, "no download gets another byte; all go on being listed as under way"},

	{HTTPError, OfRequest, both, anyPath, "answered with status (503) and message"},
	{Text500, OfRequest, both, anyPath, "an unhandled exception: 500 as plain text"},
	{Unprocessable, OfRequest, both, anyPath, "422 with message"},
	{ErrorEvent, OfRequest, both, none, "after so many token events an error with message, inside status 200"},
	{RunnerKilled, OfRequest, only, none, "after so many token events the runner dies; exo starts another"},
	{Stall, OfRequest, both, anyPath, "after so many token events nothing but keep-alives, for seconds or for ever"},
	{Cut, OfRequest, both, none, "after so many token events the stream ends, properly but without finish_reason"},
	{Reset, OfRequest, both, none, "after so many token events the connection is reset"},
	{Empty, OfRequest, both, none, "the answer ends properly without any token"},
	{InstanceDeleted, OfRequest, only, none, "after so many token events somebody deletes the instance"},
	{DeadInstance, OfRequest, only, none, "the runner vanishes, the instance stays listed, requests hang (exo #2120)"},
	{Election, OfRequest, only, none, "after so many token events the master is re-elected: streams hang for ever, commands wait seconds " +
		"(30)"},
	{ShortAnswer, OfRequest, both, none, "the answer ends by itself after tokens (4), also where it must not"},
	{IgnoresLimit, OfRequest, both, none, "max_tokens means nothing: the answer has tokens (200)"},
	{WrongUsage, OfRequest, only, none, "usage says that there were tokens output tokens, whatever there were"},
	{SeveralTokens, OfRequest, both, none, "each event carries tokens (4) of them"},
	{Clumped, OfRequest, both, none, "something on the way lets events through in clumps of tokens (8)"},
	{HeldBack, OfRequest, both, none, "something on the way holds the stream back and lets it through at its end, all at once"},
	{Replayed, OfRequest, both, none, "like held_back, but an event every 0.2 ms"},
	{Gibberish, OfRequest, both, none, "the answer is gibberish, at full speed (exo #1962)"},
	{AnswerLost, OfRequest, both, anyPath, "what is asked for happens, and the connection is reset before its answer"},
	{Lingers, OfRequest, only, none, "the stream stays open behind its end, with keep-alives, for seconds or for ever"},

	{PlacementRefused, OfInstance, only, none, "previews and POST /instance refuse with message (no memory); /place_instance says nothing"},
	{PlacementLate, OfInstance, only, none, "POST /instance is answered at once, and the instance is there seconds (20) later"},
	{InstanceVanishes, OfInstance, only, none, "POST /instance is accepted and nothing comes of it (exo #2047)"},
	{RunnerFails, OfInstance, both, none, "the runner fails while it loads, with message; legacy: the load does"},
	{DownloadFails, OfInstance, only, none, "DownloadFailed with message is in the state, the runner in RunnerIdle, for seconds or for ever"},
	{BootSlow, OfInstance, only, none, "the runner's process listens seconds (30) later; until then exo's worker does nothing else"},
	{RunnerStuck, OfInstance, only, none, "the runner never leaves state: RunnerIdle (or empty), RunnerLoading, RunnerLoaded or " +
		"RunnerWarmingUp"},
	{DeleteIgnored, OfInstance, only, none, "DELETE is accepted and the instance stays"},
	{MemoryKept, OfInstance, both, none, "after the unload exo keeps bytes (exo #752)"},
	{RecordLeft, OfInstance, only, none, "the runner's record stays for ever in state: RunnerReady (or empty), RunnerRunning or " +
		"RunnerFailed, where it stays in RunnerShuttingDown by itself (exo #1732)"},
}

// Table returns what every kind of fault does.
func Table() []Spec { return slices.Clone(table) }

// Kinds returns all kinds of faults, sorted.
func Kinds() []Kind {
	kinds := make([]Kind, 0, len(table))
	for _, s := range table {
		kinds = append(kinds, s.Kind)
	}
	slices.Sort(kinds)
	return kinds
}

func spec(k Kind) (Spec, bool) {
	for _, s := range table {
		if s.Kind == k {
			return s, true
		}
	}
	return Spec{}, false
}

// Fault is something that goes wrong in a node. Durations are modelled ones: the node's
// speed divides them. What a field means to a kind, its Spec says.
type Fault struct {
	ID      string  `json:"id,omitempty"`      // given by Inject
	Kind    Kind    `json:"kind"`              // what goes wrong
	Model   string  `json:"model,omitempty"`   // workload name or id of the model it strikes; all when empty
	Path    string  `json:"path,omitempty"`    // strike any request whose path begins so, or method and path: "POST /instance"
	Count   int     `json:"count,omitempty"`   // how often it strikes; until cleared when 0
	Skip    int     `json:"skip,omitempty"`    // occasions that pass before it first strikes
	After   int     `json:"after,omitempty"`   // token events that are written first; a shorter answer escapes
	Percent float64 `json:"percent,omitempty"` // share that is lost
	Seconds float64 `json:"seconds,omitempty"` // how long, where the table says so; other kinds: expires after this long
	Status  int     `json:"status,omitempty"`  // status code
	Tokens  int     `json:"tokens,omitempty"`
	Message string  `json:"message,omitempty"` // what the answer or the runner says
	State   string  `json:"state,omitempty"`   // status of a runner
	Bytes   uint64  `json:"bytes,omitempty"`
	Struck  int     `json:"struck"` // how often it has struck; Inject ignores it
}
