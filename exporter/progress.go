package exporter

import (
	"slices"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/foreign"
	"exo-bench-exporter/workload/record"
)

// maxCycles bounds the complete cycles that a Store keeps.
const maxCycles = 5

// Progress tells how far a cycle has come.
type Progress struct {
	Cycle    int
	Start    time.Time
	Turns    int       // turns of the cycle
	Done     int       // of those, complete
	Model    string    // whose turn it is; empty between turns
	Since    time.Time // when that turn began
	Requests int       // complete requests of that turn
	Tokens   int       // output tokens that they have brought
	Loading  *Loading  // how the model comes to be ready; nil where it is, or nothing tells
}

// Loading tells how the model of a turn comes to be ready.
type Loading struct {
	Stage string // in the node's words or ours, such as "downloading"
	// Done of Total: bytes where Bytes, else layers; Total is 0 where that is not known.
	Done, Total    uint64
	Bytes          bool
	BytesPerSecond float64 // 0 where that is not known
	Elapsed        time.Duration
}

func (p *Progress) clone() *Progress {
	if p == nil {
		return nil
	}
	c := *p
	if c.Loading != nil {
		l := *c.Loading
		c.Loading = &l
	}
	return &c
}

// CycleSummary is a complete cycle in short.
type CycleSummary struct {
	Number   int
	Start    time.Time
	Duration time.Duration
	Outcome  workload.TurnOutcome
}

// CycleStarted implements workload.Observer.
func (s *Store) CycleStarted(number int, order []workload.Model, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Running = &Progress{Cycle: number, Start: at, Turns: len(order)}
}

// TurnStarted implements workload.Observer.
func (s *Store) TurnStarted(model string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.state.Running; p != nil {
		p.Model, p.Since, p.Requests, p.Tokens, p.Loading = model, at, 0, 0, nil
	}
}

// Loading shows how the model of the turn that runs comes to be ready.
func (s *Store) Loading(l Loading) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.state.Running; p != nil && p.Model != "" && p.Requests == 0 {
		l.Stage = foreign.ID(l.Stage)
		p.Loading = &l
	}
}

// RequestDone implements workload.Observer.
func (s *Store) RequestDone(r workload.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.state.Running; p != nil {
		p.Requests, p.Tokens, p.Loading = p.Requests+1, p.Tokens+r.CountedTokens(), nil
	}
	switch {
	case !r.OK():
		s.fail(Failure{
			Last: r.Start, Model: r.Model, Prompt: r.Prompt, Outcome: string(r.Outcome), Reason: r.Err, Records: ids(s.recordID(r)),
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
		p.Model, p.Since, p.Requests, p.Tokens, p.Loading, p.Done = "", time.Time{}, 0, 0, nil, p.Done+1
	}
	last := clean(t)
	if s.configured(t.Model) {
		s.last[t.Model] = last
		s.remember(t)
	}
	if last.Requests == 0 && t.Outcome != workload.TurnOK { // otherwise its requests tell why
		f := Failure{Last: t.Start, Model: t.Model, Outcome: string(t.Outcome), Reason: t.Reason}
		if s.state.Records {
			f.Records = ids(record.TurnID(t))
		}
		s.fail(f)
	}
}

// CycleDone implements workload.Observer.
func (s *Store) CycleDone(c workload.Cycle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Running = nil
	done := CycleSummary{Number: c.Number, Start: c.Start, Duration: c.Duration, Outcome: c.Outcome}
	s.state.Cycles = slices.Insert(s.state.Cycles[:min(len(s.state.Cycles), maxCycles-1)], 0, done)
}

// ids returns a list of an id, of none where it is empty.
func ids(id string) []string {
	if id == "" {
		return nil
	}
	return []string{id}
}
