package exporter

import (
	"slices"
	"sync"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/foreign"
	"exo-bench-exporter/workload/judge"
)

const (
	// maxFailures bounds the failures that a Store keeps, and maxLinked the records that one of them leads to.
	maxFailures, maxLinked = 50, 10
	// maxFix bounds a command in bytes.
	maxFix = 2000
)

// Store keeps what the status page shows: the cycle that runs, the last turn of each model,
// and the latest failures. What it holds is bounded. It is a workload.Observer; all methods
// may be called concurrently.
type Store struct {
	mu    sync.Mutex
	state State
	last  map[string]lastTurn // by model
	days  map[string]*day     // by model
	slow  slowest
	judge JudgeSource // nil where speeds are not judged
}

var _ workload.Observer = (*Store)(nil)

// lastTurn is the last turn of a model.
type lastTurn struct {
	Summary
	turn workload.Turn // what its notes are made of
}

// State is what a Store holds at one moment.
type State struct {
	Target       string        // URL of the node, without secrets
	Simulated    bool          // the target is the simulator, by configuration or by its own word
	Interval     time.Duration // from the start of a cycle to the start of the next
	SuiteVersion string
	SuiteSHA256  string
	Prompts      int // of the suite

	Status      workload.Status // of the node
	StatusKnown bool            // a status has been set
	Running     *Progress       // nil between cycles
	Cycles      []CycleSummary  // the last complete ones, newest first
	Models      []ModelState    // configured models in their order
	Speed       []judge.Verdict // what can be said of the speed of all of them together
	Failures    []Failure       // newest first
	Slowest     []Slow          // of the last day, slowest first
	Records     bool            // records of results can be looked at
}

// ModelState is one configured model with its last turn, nil before the first.
type ModelState struct {
	Name string
	Last *Summary
	// Speed is what can be said of its speed against what is normal.
	Speed []judge.Verdict
	// Day holds its good turns of the last day under the last one's method, oldest first, thinned out.
	Day []Point
	// Since compares the last of them with the median of those before; nil where they are too few.
	Since *Comparison
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
	Records []string // ids of the records of the latest of them, newest first; none where records are not kept
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
	s.state.SuiteVersion, s.state.SuiteSHA256, s.state.Prompts = opts.Suite.Version, sha, len(opts.Suite.Prompts)
	s.state.Models = nil
	last := make(map[string]lastTurn)
	for _, m := range opts.Models {
		s.state.Models = append(s.state.Models, ModelState{Name: m.Name})
		if turn, ok := s.last[m.Name]; ok {
			last[m.Name] = turn
		}
	}
	s.last = last
	s.keepDays()
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
	state.Failures = nil
	for _, f := range slices.Backward(s.state.Failures) {
		f.Records = slices.Clone(f.Records)
		state.Failures = append(state.Failures, f)
	}
	state.Slowest = slices.Clone(s.slow.found)
	state.Models = slices.Clone(s.state.Models)
	for i, m := range state.Models {
		if last, ok := s.last[m.Name]; ok {
			state.Models[i].Last = &last.Summary
		}
		if d := s.days[m.Name]; d != nil {
			state.Models[i].Day, state.Models[i].Since = d.thinned(), d.since()
		}
	}
	s.addSpeed(&state)
	state.Running = s.state.Running.clone()
	state.Cycles = slices.Clone(s.state.Cycles)
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

// AnswersAccepted takes the given quality of a model's answers for its normal one: notes that said otherwise end.
func (s *Store) AnswersAccepted(model string, normal []workload.Quality) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, ok := s.last[model]; ok {
		last.turn.Quality = normal
		last.Notes = notes(last.turn)
		s.last[model] = last
	}
}

// clean returns t with what a node said in its summary made fit for the page.
func clean(t workload.Turn) lastTurn {
	summary := Summarize(t)
	summary.Reason, summary.ExoModel = brief(summary.Reason), foreign.ID(summary.ExoModel)
	if summary.Fix != foreign.Cut(summary.Fix, maxFix) { // half a command mends nothing
		summary.Fix = ""
	}
	t.Results = slices.Clone(t.Results)
	for i := range t.Results { // which take most of the room
		t.Results[i].Gaps, t.Results[i].StampLateness = nil, nil
	}
	return lastTurn{summary, t}
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
			f.Records = append(f.Records, l.Records...)
			f.Records = f.Records[:min(len(f.Records), maxLinked)]
			*l = f
			return
		}
	}
	if len(all) == maxFailures {
		all = slices.Delete(all, 0, 1)
	}
	s.state.Failures = append(all, f)
}
