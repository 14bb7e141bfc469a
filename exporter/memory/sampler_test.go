package memory

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
)

// counting counts the calls that cost something.
type counting struct {
	Source
	tables, reads, searches atomic.Int64
}

func (c *counting) Table(ctx context.Context, anew bool) ([]Process, error) {
	c.tables.Add(1)
	return c.Source.Table(ctx, anew)
}

func (c *counting) Read(ctx context.Context, pids []int32, d Detail) ([]Usage, error) {
	c.reads.Add(1)
	return c.Source.Read(ctx, pids, d)
}

func (c *counting) listeners(ctx context.Context, at place, port uint16) ([]listener, error) {
	c.searches.Add(1)
	return c.Source.listeners(ctx, at, port)
}

// run runs s until the test ends.
func run(t *testing.T, s *Sampler) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go s.Run(ctx)
}

func noHostMemory(context.Context) (HostMemory, error) { return HostMemory{}, errors.ErrUnsupported }

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func TestRunReadsOftenInATurnAndSeldomBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counting{Source: SimulatedSource(exo1)}
		s := New(Config{APIURL: api, Source: c, Interval: 250 * time.Millisecond, Logger: quiet()})
		run(t, s)
		time.Sleep(61 * time.Second)
		if got := c.reads.Load(); got != 13 {
			t.Errorf("%d readings in a minute between turns, want 13", got)
		}
		rec := s.Begin("llama-3.1-8b")
		rec.Mark(workload.PhaseLoading)
		rec.Mark(workload.PhaseMeasure)
		c.reads.Store(0)
		c.tables.Store(0)
		time.Sleep(20*time.Second + time.Millisecond)
		if reads, tables := c.reads.Load(), c.tables.Load(); reads != 80 || tables != 4 {
			t.Errorf("%d readings and %d process tables in 20 s of a turn, want 80 and 4", reads, tables)
		}
		m := rec.End(t.Context(), false)
		if m.Samples != 81 || m.Median != 4255*mib || m.Peak != m.Median {
			t.Errorf("memory of the turn: %+v", m)
		}
		c.reads.Store(0)
		time.Sleep(20 * time.Second)
		if got := c.reads.Load(); got > 4 {
			t.Errorf("%d readings in 20 s after the turn", got)
		}
	})
}

func TestEndWaitsUntilMemoryHasSettled(t *testing.T) {
	for name, c := range map[string]struct {
		loaded, released bool
		timeout, want    time.Duration
	}{
		"released":               {true, true, time.Hour, 2 * time.Second},
		"cut short":              {true, true, time.Second, time.Second},
		"was loaded before":      {false, true, time.Hour, 0},
		"never came that far":    {true, false, time.Hour, 0},
		"neither, and cut short": {false, false, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := New(Config{APIURL: api, Source: SimulatedSource(exo1), Logger: quiet()})
				run(t, s)
				rec := s.Begin("m")
				rec.Mark(workload.PhaseLoading)
				rec.Mark(workload.PhaseMeasure)
				if c.released {
					rec.Mark(workload.PhaseReleased)
				}
				ctx, cancel := context.WithTimeout(t.Context(), c.timeout)
				defer cancel()
				start := time.Now()
				m := rec.End(ctx, c.loaded)
				if got := time.Since(start); got != c.want {
					t.Errorf("End took %v, want %v", got, c.want)
				}
				if m.HasBefore != c.loaded || m.HasAfter != (c.loaded && c.released) {
					t.Errorf("memory: %+v", m)
				}
				if again := rec.End(ctx, c.loaded); again != (workload.Memory{}) {
					t.Errorf("a second End gives %+v", again)
				}
			})
		})
	}
}

func TestEndReturnsWhenRunEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{APIURL: api, Source: SimulatedSource(exo1), Settle: time.Hour, Logger: quiet()})
		ctx, cancel := context.WithCancel(t.Context())
		go s.Run(ctx)
		rec := s.Begin("m")
		rec.Mark(workload.PhaseMeasure)
		rec.Mark(workload.PhaseReleased)
		time.AfterFunc(3*time.Second, cancel)
		start := time.Now()
		rec.End(t.Context(), true)
		if got := time.Since(start); got != 3*time.Second {
			t.Errorf("End took %v", got)
		}
	})
}

func TestNothingIsMadeUpWhenExoCannotBeSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		var there atomic.Bool
		c := &counting{Source: SimulatedSource(func() []Simulated {
			if there.Load() {
				return exo1()
			}
			return nil
		})}
		s := New(Config{APIURL: api, Source: c, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if _, ok := s.Visibility(); ok {
			t.Error("visibility before anything was looked at")
		}
		ctx, cancel := context.WithCancel(t.Context())
		go s.Run(ctx)
		time.Sleep(10 * time.Minute)
		if c, ok := s.Current(); ok {
			t.Errorf("current sample: %+v", c)
		}
		if got := c.searches.Load(); got < 20 || got > 25 {
			t.Errorf("exo was looked for %d times in ten minutes", got)
		}
		rec := s.Begin("m")
		rec.Mark(workload.PhaseLoading)
		rec.Mark(workload.PhaseMeasure)
		if m := rec.End(t.Context(), true); m != (workload.Memory{}) {
			t.Errorf("memory: %+v", m)
		}
		there.Store(true)
		time.Sleep(maxFindInterval + searchInterval)
		if v, _ := s.Visibility(); !v.Visible {
			t.Errorf("exo has appeared, but %v", v)
		}
		if _, ok := s.Host(); !ok {
			t.Error("the machine's own memory is not known")
		}
		cancel()
		synctest.Wait()
		time.Sleep(time.Minute)
		if c, ok := s.Current(); ok {
			t.Errorf("sampling has ended, but the current sample is %+v", c)
		}
		if lines := strings.Count(log.String(), "\n"); lines != 2 {
			t.Errorf("log:\n%s", log.String())
		}
	})
}

func TestRestartOfExoInATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var procs atomic.Pointer[[]Simulated]
		set := func(p []Simulated) { procs.Store(&p) }
		set(exo1())
		s := New(
			Config{
				APIURL: api, Source: SimulatedSource(func() []Simulated { return *procs.Load() }), Interval: 250 * time.Millisecond, Logger: quiet(),
			},
		)
		run(t, s)
		rec := s.Begin("m")
		rec.Mark(workload.PhaseLoading)
		rec.Mark(workload.PhaseMeasure)
		next := exo1()
		for i := range next[2:7] {
			p := &next[2+i]
			p.PID += 1000
			if p.PPID >= 51 {
				p.PPID += 1000
			}
			p.Created = time.Now()
		}
		set(next)
		time.Sleep(time.Second)
		if v, _ := s.Visibility(); v.PID != 1051 || v.Processes != 5 {
			t.Errorf("exo was started again, but %v", v)
		}
		rec.Mark(workload.PhaseReleased)
		if m := rec.End(t.Context(), true); m.HasBefore || m.HasAfter || m.Median != 4255*mib {
			t.Errorf("memory: %+v", m)
		}
	})
}

func TestSharedWhenAnotherRunnerIsThere(t *testing.T) {
	procs := exo1()
	s := simulated(&procs)
	for _, shared := range []bool{false, true} {
		rec := s.Begin("m")
		rec.Mark(workload.PhaseMeasure)
		if m := rec.End(t.Context(), false); m.Shared != shared {
			t.Errorf("memory: %+v", m)
		}
		procs = append(procs, Simulated{PID: 75, PPID: 51, Created: epoch.Add(time.Hour), RSS: mib, Command: procs[5].Command})
	}
}

func TestNewTurnReplacesOneThatNeverEnded(t *testing.T) {
	procs := exo1()
	s := simulated(&procs)
	first := s.Begin("a")
	first.Mark(workload.PhaseMeasure)
	second := s.Begin("b")
	first.Mark(workload.PhaseReleased)
	second.Mark(workload.PhaseMeasure)
	if m := first.End(t.Context(), true); m.Samples != 1 || m.HasAfter {
		t.Errorf("first: %+v", m)
	}
	s.tick()
	if m := second.End(t.Context(), true); m.Samples != 2 || !m.HasBefore || m.HasAfter {
		t.Errorf("second: %+v", m)
	}
}

func TestVisibilityReadsWell(t *testing.T) {
	for want, v := range map[string]Visibility{
		"exo's process tree: pid 5, found by the listener of port 1; processes: 3": {
			Visible: true, PID: 5, How: "the listener of port 1", Processes: 3,
		},
		"exo's process tree: pid 5, found by the listener of port 1; processes read: 3, unreadable: 1; be root": {
			Visible: true, PID: 5, How: "the listener of port 1", Processes: 3, Unreadable: 1, Fix: "be root",
		},
		"exo's processes cannot be seen: fog; wait": {Reason: "fog", Fix: "wait"},
	} {
		if got := v.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
