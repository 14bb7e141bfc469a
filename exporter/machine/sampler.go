package machine

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"exo-bench-exporter/workload"
)

const (
	interval = 5 * time.Second
	// readTimeout bounds a sample, for which a turn waits twice: on macOS a program is run.
	readTimeout = 2 * time.Second
	// whereTimeout bounds a call of Config.Here, which may ask the network's names, and whereFor is how long an answer holds.
	whereTimeout = 2 * time.Second
	whereFor     = time.Minute
)

// Config says what to watch.
type Config struct {
	Source Source // nil for this machine's
	// Here reports whether exo is on this machine; nil means that it is. By an error it says that it does not know, and the
	// last answer holds. It is called by Run, but not while requests are measured, and by Look.
	Here   func(ctx context.Context) (bool, error)
	Logger *slog.Logger // nil for none
}

// Sampler watches the conditions of a machine. It is a workload.Surroundings. All methods are safe for concurrent use;
// Current never waits for a sample, nor one sample for another.
type Sampler struct {
	src  Source
	here func(ctx context.Context) (bool, error)
	log  *slog.Logger

	current atomic.Pointer[sample] // nil while there is none
	where   atomic.Int32           // unknown, here or elsewhere

	asking sync.Mutex // guards asked; held while here is called
	asked  time.Time  // when here gave its last answer

	mu      sync.Mutex // guards what follows; never held while anything is waited for
	watched *watch     // nil between turns
}

// Where exo is, as far as it is known.
const (
	unknown int32 = iota
	here
	elsewhere
)

const noneOfExo = "exo is on another machine, or outside of this container"

// sample is a reading and when it was taken.
type sample struct {
	at time.Time
	Reading
}

var _ workload.Surroundings = (*Sampler)(nil)

// New returns a Sampler that has not looked at anything yet.
func New(c Config) *Sampler {
	s := &Sampler{src: c.Source, here: c.Here, log: c.Logger}
	if s.src == nil {
		s.src = system()
	}
	if s.here == nil {
		s.where.Store(here)
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s
}

// Run samples every five seconds until ctx is done.
func (s *Sampler) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			if !s.watching() {
				_ = s.ask(ctx) // the last answer holds
			}
			if r, ok := s.sample(ctx); ok {
				s.add(r)
			}
			timer.Reset(interval)
		case <-ctx.Done():
			return
		}
	}
}

// Look samples once, and says in words what can be seen. It needs no Run.
func (s *Sampler) Look(ctx context.Context) string {
	err := s.ask(ctx)
	if r, ok := s.sample(ctx); ok {
		s.add(r)
		return "this machine tells " + r.String()
	}
	if s.where.Load() == unknown {
		return fmt.Sprintf("whether exo is on this machine cannot be found out: %v", err)
	}
	return noneOfExo + ": run a memory agent there for its pressure and throttling"
}

// Current returns the last sample; false where exo is on another machine, and when sampling has stopped.
func (s *Sampler) Current() (Reading, bool) {
	c := s.current.Load()
	if c == nil || time.Since(c.at) > 3*interval {
		return Reading{}, false
	}
	return c.Reading, true
}

// Watch implements workload.Surroundings. It replaces a watch that has not ended. Nothing is watched unless it is known by
// now that exo is on this machine.
func (s *Sampler) Watch() (end func() workload.Conditions) {
	w := &watch{}
	s.begin(w)
	if r, ok := s.sample(context.Background()); ok {
		s.mu.Lock()
		w.start(r)
		s.mu.Unlock()
	}
	return func() workload.Conditions { return s.end(w) }
}

func (s *Sampler) begin(w *watch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watched = w
}

func (s *Sampler) end(w *watch) workload.Conditions {
	r, ok := s.sample(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watched == w {
		if ok {
			w.add(r)
		}
		s.watched = nil
	}
	return w.conditions()
}

func (s *Sampler) watching() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watched != nil
}

// add takes a sample for the watch.
func (s *Sampler) add(r sample) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watched != nil {
		s.watched.add(r)
	}
}

// sample reads once, for Current; false where exo is not known to be on this machine.
func (s *Sampler) sample(ctx context.Context) (sample, bool) {
	if s.where.Load() != here {
		s.current.Store(nil)
		return sample{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	r := sample{time.Now(), s.src.Read(ctx)}
	s.current.Store(&r)
	return r, true
}

// ask finds out whether exo is on this machine where that is not known, or was for too long, and says so when it is found
// out or has changed.
func (s *Sampler) ask(ctx context.Context) error {
	s.asking.Lock()
	defer s.asking.Unlock()
	before := s.where.Load()
	if s.here == nil || before != unknown && time.Since(s.asked) < whereFor {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, whereTimeout)
	defer cancel()
	isHere, err := s.here(ctx)
	if err != nil {
		s.log.Debug("It cannot be found out whether exo is on this machine", "err", err)
		return err
	}
	now := elsewhere
	if isHere {
		now = here
	}
	s.asked = time.Now()
	s.where.Store(now)
	if now == before {
		return nil
	}
	if isHere {
		s.log.Debug("Watching the conditions of this machine")
	} else {
		s.log.Info(noneOfExo + ": only a memory agent there can tell its pressure and throttling")
	}
	return nil
}
