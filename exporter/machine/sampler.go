package machine

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"exo-bench-exporter/workload"
)

const (
	interval    = 5 * time.Second
	readTimeout = 2 * time.Second
	// whereFor is how long an answer of Config.Here holds: it may ask the network's names.
	whereFor = time.Minute
)

// Config says what to watch.
type Config struct {
	Source Source // nil for this machine's
	// Here reports whether exo is on this machine; nil means that it is.
	Here   func(ctx context.Context) bool
	Logger *slog.Logger // nil for none
}

// Sampler watches the conditions of a machine. It is a workload.Surroundings. All methods are safe for concurrent use;
// Current never waits for a sample.
type Sampler struct {
	src  Source
	here func(ctx context.Context) bool
	log  *slog.Logger

	current atomic.Pointer[sample] // nil while there is none

	mu      sync.Mutex // guards what follows, and src
	asked   time.Time  // when here was asked last
	where   bool       // what it said
	watched *watch     // nil between turns
}

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
		s.here = func(context.Context) bool { return true }
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
			s.mu.Lock()
			s.sample(ctx)
			s.mu.Unlock()
			timer.Reset(interval)
		case <-ctx.Done():
			return
		}
	}
}

// Look samples once, and says in words what can be seen. It needs no Run.
func (s *Sampler) Look(ctx context.Context) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.sample(ctx); ok {
		return "this machine tells " + r.String()
	}
	return "exo is on another machine: run a memory agent there for its pressure and throttling"
}

// Current returns the last sample; false where exo is on another machine, and when sampling has stopped.
func (s *Sampler) Current() (Reading, bool) {
	c := s.current.Load()
	if c == nil || time.Since(c.at) > 3*interval {
		return Reading{}, false
	}
	return c.Reading, true
}

// Watch implements workload.Surroundings. It replaces a watch that has not ended.
func (s *Sampler) Watch() (end func() workload.Conditions) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &watch{}
	s.watched = w
	s.sample(context.Background())
	return func() workload.Conditions {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.watched == w {
			s.sample(context.Background())
			s.watched = nil
		}
		return w.conditions()
	}
}

// sample reads once, for Current and for the watch; false where exo is on another machine. s.mu is held.
func (s *Sampler) sample(ctx context.Context) (Reading, bool) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if !s.isHere(ctx) {
		s.current.Store(nil)
		return Reading{}, false
	}
	r := sample{time.Now(), s.src.Read(ctx)}
	s.current.Store(&r)
	if s.watched != nil {
		s.watched.add(r)
	}
	return r.Reading, true
}

// isHere reports whether exo is on this machine, and says so when that is found out or has changed. s.mu is held.
func (s *Sampler) isHere(ctx context.Context) bool {
	if !s.asked.IsZero() && time.Since(s.asked) < whereFor {
		return s.where
	}
	here := s.here(ctx)
	if s.asked.IsZero() || here != s.where {
		if here {
			s.log.Debug("Watching the conditions of this machine")
		} else {
			s.log.Info("exo is on another machine, whose pressure and throttling only a memory agent there can tell")
		}
	}
	s.asked, s.where = time.Now(), here
	return here
}
