// Package world is what the rooms of a simulated node share: its clock and lifetime, its
// models, the book of faults, the record of the truth, and its machine.
package world

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"exo-bench-exporter/workload/exosim/faults"
	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/truth"
)

// Options are those of a node that more than one room needs.
type Options struct {
	Speed        float64
	Seed         uint64
	Jitter       float64
	Models       []pace.Profile
	AnswerTokens int
	MemoryTotal  uint64
	Spawner      Spawner
	Log          *slog.Logger
}

// World is one node's. It is safe for concurrent use.
type World struct {
	Options
	Clock    pace.Clock
	Profiles []*pace.Profile
	Faults   *faults.Book
	Truths   truth.Log

	ctx         context.Context
	cancel      context.CancelFunc
	generations atomic.Uint64

	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup
}

// New returns a World that begins now. It must be stopped.
func New(o Options) *World {
	w := &World{Options: o, Clock: pace.NewClock(o.Speed)}
	for i := range o.Models {
		w.Profiles = append(w.Profiles, &o.Models[i])
	}
	w.Faults = faults.NewBook(w.Clock, w.Profiles, o.Log)
	w.ctx, w.cancel = context.WithCancel(context.Background())
	return w
}

// Stop tells everything that goes on to end.
func (w *World) Stop() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.cancel()
}

// Wait waits until everything has ended that Spawn and Enter have begun.
func (w *World) Wait() { w.wg.Wait() }

// Enter begins something that Wait waits for until Leave; false when the world has stopped.
func (w *World) Enter() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.wg.Add(1)
	return true
}

// Leave ends what Enter began.
func (w *World) Leave() { w.wg.Done() }

// With returns a context that also ends with the world.
func (w *World) With(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	unhook := context.AfterFunc(w.ctx, cancel)
	return ctx, func() { unhook(); cancel() }
}

// Context ends with Stop.
func (w *World) Context() context.Context { return w.ctx }

// Spawn runs f on a goroutine that Wait waits for; false when the world has stopped.
func (w *World) Spawn(f func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.wg.Go(f)
	return true
}

// Sleep waits for a modelled duration, or until the world stops.
func (w *World) Sleep(d time.Duration) error { return pace.SleepUntil(w.ctx, w.Clock.After(d)) }

// Tick waits until exo's worker plans next, or until the world stops.
func (w *World) Tick() error { return pace.SleepUntil(w.ctx, w.Clock.NextTick(time.Now())) }

// Profile returns the model that ref, a workload name or an id, means; nil for none.
func (w *World) Profile(ref string) *pace.Profile {
	for _, p := range w.Profiles {
		if p.Is(ref) {
			return p
		}
	}
	return nil
}

// Request is what a generation is for.
type Request struct {
	Truth   truth.Truth // with what is known before it begins
	Client  context.Context
	Profile *pace.Profile
	Prompt  pace.Prompt
	Limit   int  // of tokens
	Exact   bool // so many tokens, unparsed
	Fault   *faults.Fault
	Share   func() float64 // by which factor the others' work holds it up
	// Strike lets a fault happen that the answer alone cannot show.
	Strike func(f faults.Fault, g *pace.Generation) error
}

// Generation prepares the answer to r. The caller sets its sink.
func (w *World) Generation(r Request) *pace.Generation {
	natural := w.AnswerTokens
	if natural == 0 {
		natural = r.Prompt.NaturalLength()
	}
	answer := pace.NewAnswer(r.Profile, r.Prompt, natural, r.Limit, r.Exact)
	r.Fault.Shape(&answer)
	r.Truth.PromptTokens = r.Prompt.Tokens
	model, fault := r.Profile.Ref(), r.Fault
	return pace.NewGeneration(pace.Plan{
		Clock: w.Clock, Closed: w.ctx.Done(), Client: r.Client, Profile: r.Profile, Prompt: r.Prompt, Answer: answer,
		Jitter: w.Jitter, Seed: [2]uint64{w.Seed, w.generations.Add(1)},
		Record: w.Truths.Begin(r.Truth),
		Slow:   func() float64 { return w.Faults.Slowdown(model) * r.Share() },
		Strike: func(g *pace.Generation) error {
			if !fault.Due(g) {
				return nil
			}
			f := *fault
			fault = nil
			if handled, err := f.InStream(g); handled {
				return err
			}
			return r.Strike(f, g)
		},
	})
}

// UUID returns a random version 4 UUID.
func UUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
