package exporter

import (
	"slices"
	"sync"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/foreign"
	"exo-bench-exporter/workload/judge"
	"exo-bench-exporter/workload/record"
)

// maxFailures bounds the failures that a Store keeps.
const maxFailures = 50

// Store keeps what the status page shows: the cycle that runs, the last turn of each model,
// and the latest failures. What it holds is bounded. It is a workload.Observer; all methods
// may be called concurrently.
type Store struct {
	mu    sync.Mutex
	state State
	last  map[string]Summary // last turn by model
	slow  slowest
	judge JudgeSource // nil where speeds are not judged
}

var _ workload.Observer = (*Store)(nil)

// State is what a Store holds at one moment.
type State struct {
	Target       string        // URL of the node, without secrets
	Simulated    bool          // the target is the simulator, by configuration or by its own word
	Interval     time.Duration // from the start of a cycle to the start of the next
	SuiteVersion string
	SuiteSHA256  string

	Status      workload.Status // of the node
	StatusKnown bool            // a status has been set
	Running     *Progress       // nil between cycles
	LastCycle   *CycleSummary   // nil before the first complete cycle
	Models      []ModelState    // configured models in their order
	Speed       []judge.Verdict // what can be said of the speed of all of them together
	Failures    []Failure       // newest first
	Slowest     []Slow          // of the last day, slowest first
	Records     bool            // records of results can be looked at
}

// Progress tells how far a cycle has come.
type Progress struct {
	Cycle    int
	Start    time.Time
	Turns    int    // turns of the cycle
	Done     int    // of those, complete
	Model    string // whose turn it is; empty between turns
	Requests int    // complete requests of that turn
}

// CycleSummary is a complete cycle in short.
type CycleSummary struct {
	Number   int
	Start    time.Time
	Duration time.Duration
	Outcome  workload.TurnOutcome
}

// ModelState is one configured model with its last turn, nil before the first.
type ModelState struct {
	Name string
	Last *Summary
	// Speed is what can be said of its speed against what is normal.
	Speed []judge.Verdict
}

// Failure is a request or turn that did not go well. Alike failures that follow one another
// are one Failure.
type Failure struct {
	Last    time.Time // when the latest of them began
	Count   int
	Model   string
	Prompt  string // of the latest; empty for a turn
	Outcome string
	Reason  string
	Record  string // id of the record of the latest; empty where records are not kept
}

// NewStore returns a Store for the models of opts.
func NewStore(opts Options) *Store {
	s := &Store{judge: opts.Judge}
	s.Apply(opts)
	return s
}

// Apply makes opts the configuration; what is known of models that left it is dropped. opts.Judge is that
// of NewStore for good.
func (s *Store) Apply(opts Options) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Target = redactURL(opts.Target)
	s.state.Simulated = opts.Simulated
	s.state.Interval = opts.Interval
	s.state.Records = opts.Records
	before, sha := s.state.SuiteSHA256, opts.Suite.SHA256()
	s.state.SuiteVersion, s.state.SuiteSHA256 = opts.Suite.Version, sha
	s.state.Models = nil
	last := make(map[string]Summary)
	for _, m := range opts.Models {
		s.state.Models = append(s.state.Models, ModelState{Name: m.Name})
		if summary, ok := s.last[m.Name]; ok {
			last[m.Name] = summary
		}
	}
	s.last = last
	s.slow.keep(s.state.Models, sha == before)
}

// SetStatus makes status what is known of the node.
func (s *Store) SetStatus(status workload.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Status, _ = briefStatus(status)
	s.state.StatusKnown = true
}

// State returns a copy of what s holds.
func (s *Store) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.state
	state.Simulated = state.Simulated || state.Status.Simulated
	state.Failures = slices.Clone(s.state.Failures)
	slices.Reverse(state.Failures)
	state.Slowest = slices.Clone(s.slow.found)
	state.Models = slices.Clone(s.state.Models)
	for i, m := range state.Models {
		if summary, ok := s.last[m.Name]; ok {
			state.Models[i].Last = &summary
		}
	}
	s.addSpeed(&state)
	if s.state.Running != nil {
		running := *s.state.Running
		state.Running = &running
	}
	return state
}

// addSpeed puts into state what is said of speeds.
func (s *Store) addSpeed(state *State) {
	if s.judge == nil {
		return
	}
	for _, v := range s.judge() {
		if v.Model == "" {
			state.Speed = append(state.Speed, v)
			continue
		}
		for i := range state.Models {
			if m := &state.Models[i]; m.Name == v.Model {
				m.Speed = append(m.Speed, v)
			}
		}
	}
}

// CycleStarted implements workload.Observer.
func (s *Store) CycleStarted(number int, order []workload.Model, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Running = &Progress{Cycle: number, Start: at, Turns: len(order)}
}

// TurnStarted implements workload.Observer.
func (s *Store) TurnStarted(model string, _ time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.state.Running; p != nil {
		p.Model, p.Requests = model, 0
	}
}

// RequestDone implements workload.Observer.
func (s *Store) RequestDone(r workload.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.state.Running; p != nil {
		p.Requests++
	}
	switch {
	case !r.OK():
		s.fail(Failure{
			Last: r.Start, Model: r.Model, Prompt: r.Prompt, Outcome: string(r.Outcome), Reason: r.Err, Record: s.recordID(r),
		})
	case r.Clean() && s.configured(r.Model):
		s.slow.add(r, s.recordID(r))
	}
}

// TurnDone implements workload.Observer.
func (s *Store) TurnDone(t workload.Turn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.state.Running; p != nil {
		p.Model, p.Requests, p.Done = "", 0, p.Done+1
	}
	summary := clean(t)
	if s.configured(t.Model) {
		s.last[t.Model] = summary
	}
	if summary.Requests == 0 && t.Outcome != workload.TurnOK { // otherwise its requests tell why
		f := Failure{Last: t.Start, Model: t.Model, Outcome: string(t.Outcome), Reason: t.Reason}
		if s.state.Records {
			f.Record = record.TurnID(t)
		}
		s.fail(f)
	}
}

// CycleDone implements workload.Observer.
func (s *Store) CycleDone(c workload.Cycle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Running = nil
	s.state.LastCycle = &CycleSummary{Number: c.Number, Start: c.Start, Duration: c.Duration, Outcome: c.Outcome}
}

// clean returns the summary of t with what a node said made fit for the page.
func clean(t workload.Turn) Summary {
	summary := Summarize(t)
	summary.Reason, summary.ExoModel = brief(summary.Reason), foreign.ID(summary.ExoModel)
	return summary
}

func (s *Store) configured(model string) bool {
	return slices.ContainsFunc(s.state.Models, func(m ModelState) bool { return m.Name == model })
}

// fail adds f to the failures, or to the latest of them when that is alike.
func (s *Store) fail(f Failure) {
	f.Reason, f.Count = brief(f.Reason), 1
	f.Model, f.Prompt, f.Outcome = foreign.ID(f.Model), foreign.ID(f.Prompt), foreign.ID(f.Outcome)
	all := s.state.Failures
	if n := len(all); n > 0 {
		if l := &all[n-1]; l.Model == f.Model && l.Outcome == f.Outcome && l.Reason == f.Reason {
			f.Count = l.Count + 1
			*l = f
			return
		}
	}
	if len(all) == maxFailures {
		all = slices.Delete(all, 0, 1)
	}
	s.state.Failures = append(all, f)
}
