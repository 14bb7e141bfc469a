package workload

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Dialect names the API that a node speaks.
type Dialect string

// The dialects that can be driven. They are label values and therefore a contract.
const (
	DialectAuto   Dialect = "auto"   // find out
	DialectExo1   Dialect = "exo1"   // exo 1.x
	DialectExo0   Dialect = "exo0"   // legacy exo 0.0.x
	DialectOllama Dialect = "ollama" // Ollama's own API
	DialectOpenAI Dialect = "openai" // any server with OpenAI's chat completions
)

// dialects describes, for people, what may be configured.
var dialects = []struct {
	name Dialect
	what string
}{
	{DialectAuto, "find out"},
	{DialectExo1, "exo 1.x"},
	{DialectExo0, "legacy exo 0.0.x"},
	{DialectOllama, "Ollama's own API"},
	{DialectOpenAI, "any server with OpenAI's chat completions"},
}

// Dialects lists what may be configured: every dialect, and DialectAuto before them.
func Dialects() []Dialect {
	var names []Dialect
	for _, d := range dialects {
		names = append(names, d.name)
	}
	return names
}

// DialectWords says what each of Dialects is.
func DialectWords() string {
	words := make([]string, 0, len(dialects))
	for _, d := range dialects {
		words = append(words, fmt.Sprintf("%s (%s)", d.name, d.what))
	}
	return strings.Join(words, ", ")
}

// Target is an inference node that can make a model ready for measurement.
type Target interface {
	// Open makes m ready: it finds the id under which the node knows it and, where the node
	// has a lifecycle, has it placed and loaded. An error is a *TurnError when the node
	// answered but will not serve m, and any other error when it could not be asked.
	Open(ctx context.Context, m Model) (Session, error)
}

// Session is a model that is ready to be measured.
type Session interface {
	// ExoModel returns the id by which the node knows the model.
	ExoModel() string
	// Load tells how the model came to be ready.
	Load() Load
	// Measure puts one prompt to the model and returns what happened. It never fails
	// otherwise than by the Result's Outcome.
	Measure(ctx context.Context, r Request) Result
	// Close gives back what Open created, and nothing else, and bounds itself. It is called
	// when the turn was canceled too: ctx has ended then, or ends meanwhile, and Close does
	// within two seconds what can be done.
	Close(ctx context.Context) error
}

// Asker is a Session that can put questions.
type Asker interface {
	// Ask puts a question to the model. It mends nothing and disturbs nobody: it waits as long as others' work runs, until the
	// time that is given and not beyond, and then puts nothing. A question that was put is not cut off by that: a node may go on
	// generating for a client that has hung up, beside what is measured next.
	Ask(ctx context.Context, until time.Time, r Request) Result
}

// Ender is a Session that may find out that the node will not serve its model any more.
type Ender interface {
	// Ended returns why no further prompt is worth putting in this turn; empty while one is.
	Ended() string
}

// Hosted is a Session that may know something of the machines that hold its model.
type Hosted interface {
	Host() Host
}

// Host is what is known of the machines that hold a model together; each 0 where it is not.
type Host struct {
	IdleWatts float64 // power in watts just before the turn
	// WeightsBytes are the weights of the model, as the node gives their size.
	WeightsBytes uint64
	// MemoryBandwidth is the peak rate in bytes per second at which the one machine that holds the model reads its memory; 0 also
	// where several hold it.
	MemoryBandwidth float64
	// Machines are those that hold the model, as far as the node says what they are.
	Machines []Machine
}

// Machine is what a machine is, in the node's words; what it does not say is empty. Neither names nor addresses are part of it.
type Machine struct {
	Kind        string `json:"machine,omitempty"`      // for example Mac mini
	Chip        string `json:"chip,omitempty"`         // for example Apple M4 Pro
	OS          string `json:"os,omitempty"`           // the system, or its version
	MemoryBytes uint64 `json:"memory_bytes,omitempty"` // in all
}

// Request is one prompt to be put to a model.
type Request struct {
	Model       string // name in the workload
	Prompt      Prompt
	Temperature float64
	Seed        int
	Warmup      bool
	// Expect is what the right answer holds; nil of a prompt that is timed. A question is put as it stands, the model ends
	// its answer itself, and of the Result only Outcome, Verdict and Fingerprint mean anything.
	Expect *Expectation
}

// TurnError says why a node that can be reached will not serve a model.
type TurnError struct {
	Outcome TurnOutcome // TurnUnavailable, TurnSkipped or TurnFailed
	Reason  string      // for people: what is the matter and what to do
	Fix     string      // the command that mends it, as it is to be typed; empty where there is none
	Err     error       // cause, may be nil
}

func (e *TurnError) Error() string {
	if e.Err != nil {
		return e.Reason + ": " + e.Err.Error()
	}
	return e.Reason
}

func (e *TurnError) Unwrap() error { return e.Err }

// AnsweredError is the error of an Open whose node was reached, but did not answer as a node does
// that can be driven: by a status of HTTP, or by something else than was asked for. Prompts that
// were due count as OutcomeHTTPError rather than as ones that found nobody.
type AnsweredError struct{ Err error }

func (e *AnsweredError) Error() string { return e.Err.Error() }

func (e *AnsweredError) Unwrap() error { return e.Err }

// OwnError is the error of an Open that failed because the exporter itself lacked something, such as
// descriptors. It tells nothing about the node. Prompts that were due count as OutcomeExporterError.
type OwnError struct{ Err error }

func (e *OwnError) Error() string { return e.Err.Error() }

func (e *OwnError) Unwrap() error { return e.Err }

// Phase is a stage of a turn, as far as memory is concerned.
type Phase string

// The phases of a turn in their order.
const (
	PhaseBefore    Phase = "before"    // the model is not loaded yet
	PhaseLoading   Phase = "loading"   // exo loads it; legacy exo does so within the warm-up
	PhaseMeasure   Phase = "measure"   // loaded and warm; the measured requests run
	PhaseReleasing Phase = "releasing" // what was created is being given back
	PhaseReleased  Phase = "released"  // unloaded, settling; not reached where nothing was unloaded
)

// Meter watches exo's memory during turns.
type Meter interface {
	// Begin starts the recording of model's turn in PhaseBefore.
	Begin(model string) Recording
}

// Recording is the memory of one turn being watched.
type Recording interface {
	// Mark says that the turn has come to phase.
	Mark(phase Phase)
	// End stops the recording and returns what was seen. loaded is false when the model was
	// ready before the turn, so that before and after mean nothing. End may wait until memory
	// has settled, but not beyond the end of ctx.
	End(ctx context.Context, loaded bool) Memory
}

// Observer is told what the runner does. Calls come one at a time, in order, from the
// runner's goroutine; an Observer must not block.
type Observer interface {
	CycleStarted(number int, order []Model, at time.Time)
	TurnStarted(model string, at time.Time)
	RequestDone(Result) // measured requests only: neither warm-ups nor canceled ones
	TurnDone(Turn)      // not called for a canceled turn
	CycleDone(Cycle)    // not called for a canceled cycle
}

// Status is what is known of a node at one moment.
type Status struct {
	Up        bool
	Unknown   bool    // the exporter itself could not ask: Up tells nothing
	Simulated bool    // what answered last is the simulator
	Dialect   Dialect // empty while it was never found
	RTT       time.Duration
	Err       error // why Up is false, or Unknown true
	Nodes     []NodeStatus
	TooBig    bool // what the node says of its machines is beyond every bound, and Nodes is empty
}

// NodeStatus is what exo says of one machine of its cluster. Pointers are nil where exo
// does not say.
type NodeStatus struct {
	Name               string // friendly name
	Machine, Chip, OS  string // what it is, in exo's words; empty where exo does not say
	MemoryTotal        *uint64
	MemoryAvailable    *uint64
	PowerWatts         *float64
	GPUUtilization     *float64 // 0 to 1
	TemperatureCelsius *float64
}
