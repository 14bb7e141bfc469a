package cluster

import (
	"crypto/rand"
	"sync"
	"time"

	"exo-bench-exporter/workload"
)

// Feed is the driver's side: it follows a workload.Runner, as its Observer and by its Meter, and
// serves the State to agents. All methods may be called concurrently.
type Feed struct {
	version   string
	run       string
	simulated func() bool
	places    chan struct{} // one for each answer that may be waited for
	closed    chan struct{}
	close     func()

	mu      sync.Mutex
	seq     uint64
	turn    *Turn
	since   time.Time // when turn came to its phase
	last    *Ended
	turns   int
	changed chan struct{} // closed with the next change
}

var _ workload.Observer = (*Feed)(nil)

// NewFeed returns a Feed between turns. simulated is asked with each answer whether the target
// is the simulator.
func NewFeed(version string, simulated func() bool) *Feed {
	f := &Feed{
		version: version, run: rand.Text(), simulated: simulated,
		places: make(chan struct{}, maxWaiting), closed: make(chan struct{}), changed: make(chan struct{}),
	}
	f.close = sync.OnceFunc(func() { close(f.closed) })
	return f
}

// Close ends every answer that is being waited for. It is to be called when the program ends.
func (f *Feed) Close() { f.close() }

// State returns what f tells now, and a channel that is closed when that changes.
func (f *Feed) State() (State, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := State{Service: service, Version: f.version, Run: f.run, Seq: f.seq, Simulated: f.simulated(), Last: f.last}
	if f.turn != nil {
		turn := *f.turn
		turn.PhaseSeconds = time.Since(f.since).Seconds()
		s.Turn = &turn
	}
	return s, f.changed
}

// change makes a change and tells it.
func (f *Feed) change(what func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	what()
	f.seq++
	close(f.changed)
	f.changed = make(chan struct{})
}

// Meter returns a Meter that tells the phases of every turn and leaves the measuring to m. It
// tells before m does its part, so that agents sample at the same time as m.
func (f *Feed) Meter(m workload.Meter) workload.Meter { return meter{f, m} }

type meter struct {
	f *Feed
	workload.Meter
}

func (m meter) Begin(model string) workload.Recording {
	m.f.change(func() {
		m.f.turns++
		m.f.turn, m.f.since = &Turn{Number: m.f.turns, Model: model, Phase: workload.PhaseBefore}, time.Now()
	})
	return recording{m.f, m.Meter.Begin(model)}
}

type recording struct {
	f *Feed
	workload.Recording
}

func (r recording) Mark(phase workload.Phase) {
	r.f.change(func() {
		if r.f.turn != nil {
			r.f.turn = &Turn{Number: r.f.turn.Number, Model: r.f.turn.Model, Phase: phase}
			r.f.since = time.Now()
		}
	})
	r.Recording.Mark(phase)
}

// TurnDone implements workload.Observer.
func (f *Feed) TurnDone(t workload.Turn) {
	f.change(func() {
		f.last = &Ended{Number: f.turns, Model: t.Model, Outcome: t.Outcome, Loaded: t.Load.Loaded}
		f.turn = nil
	})
}

// CycleStarted implements workload.Observer.
func (f *Feed) CycleStarted(int, []workload.Model, time.Time) {}

// TurnStarted implements workload.Observer.
func (f *Feed) TurnStarted(string, time.Time) {}

// RequestDone implements workload.Observer.
func (f *Feed) RequestDone(workload.Result) {}

// CycleDone implements workload.Observer.
func (f *Feed) CycleDone(workload.Cycle) {}
