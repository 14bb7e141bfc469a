package stall

import (
	"math"
	"runtime/metrics"
	"testing"
	"testing/synctest"
	"time"
)

// fake is what a Watcher under test is told of the process.
type fake struct {
	runDelay time.Duration
	unknown  bool // nothing is known of runDelay
	waits    metrics.Float64Histogram
	jump     time.Duration // of the wall clock
}

func (f *fake) watcher() *Watcher {
	w := New()
	f.waits = metrics.Float64Histogram{Counts: make([]uint64, 3), Buckets: []float64{math.Inf(-1), 0.001, 0.040, math.Inf(1)}}
	w.runDelay = func() (time.Duration, bool) { return f.runDelay, !f.unknown }
	w.waits = func() *metrics.Float64Histogram {
		return &metrics.Float64Histogram{Counts: append([]uint64{}, f.waits.Counts...), Buckets: f.waits.Buckets}
	}
	w.wall = func() time.Time { return wallClock().Add(f.jump) }
	return w
}

// freeze lets d pass without a tick, as if the process had been stopped, from the moment on at
// which the next tick is due.
func (w *Watcher) freeze(d time.Duration) {
	synctest.Wait()
	w.mu.Lock()
	w.timer.Stop()
	due := w.due
	w.mu.Unlock()
	time.Sleep(time.Until(due) + d)
}

func TestWatch(t *testing.T) {
	const second = time.Second
	for name, c := range map[string]struct {
		during func(*fake, *Watcher)
		want   Report
	}{
		"nothing happens": {
			func(*fake, *Watcher) { time.Sleep(second) },
			Report{Duration: second, HasRunDelay: true},
		},
		"no account of threads": {
			func(f *fake, _ *Watcher) { f.unknown = true; time.Sleep(second) },
			Report{Duration: second},
		},
		"threads wait": {
			func(f *fake, _ *Watcher) { time.Sleep(second); f.runDelay += 70 * time.Millisecond },
			Report{Duration: second, HasRunDelay: true, RunDelay: 70 * time.Millisecond},
		},
		"goroutines wait": {
			func(f *fake, _ *Watcher) { time.Sleep(second); f.waits.Counts[0]++; f.waits.Counts[2]++ },
			Report{Duration: second, HasRunDelay: true, Queued: 40 * time.Millisecond},
		},
		"goroutines hardly wait": {
			func(f *fake, _ *Watcher) { time.Sleep(second); f.waits.Counts[0] += 7 },
			Report{Duration: second, HasRunDelay: true},
		},
		"stopped for 3 s in between": {
			func(_ *fake, w *Watcher) {
				time.Sleep(second)
				w.freeze(3 * second)
				w.tick()
				time.Sleep(second)
			},
			Report{Duration: 5*second + tickInterval, HasRunDelay: true, Longest: 3 * second, Late: 3*second - tolerance},
		},
		"stopped to the end": {
			func(_ *fake, w *Watcher) { w.freeze(3 * second) },
			Report{Duration: 3*second + tickInterval, HasRunDelay: true, Longest: 3 * second, Late: 3*second - tolerance},
		},
		"stopped twice": {
			func(_ *fake, w *Watcher) {
				w.freeze(5 * time.Millisecond)
				w.tick()
				w.freeze(4 * time.Millisecond)
				w.tick()
			},
			Report{
				Duration: 2*tickInterval + 9*time.Millisecond, HasRunDelay: true,
				Longest: 5 * time.Millisecond, Late: 9*time.Millisecond - 2*tolerance,
			},
		},
		"the machine sleeps": {
			func(f *fake, _ *Watcher) { time.Sleep(second); f.jump += time.Hour },
			Report{Duration: second, HasRunDelay: true, Jump: time.Hour},
		},
		"the clock is set back": {
			func(f *fake, _ *Watcher) { time.Sleep(second); f.jump -= time.Minute },
			Report{Duration: second, HasRunDelay: true, Jump: -time.Minute},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{runDelay: time.Hour} // of the time before
				w := f.watcher()
				watch := w.Begin()
				c.during(f, w)
				if got := watch.End(); got != c.want {
					t.Errorf("report is %+v, want %+v", got, c.want)
				}
			})
		})
	}
}

func TestWatchesOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := (&fake{}).watcher()
		long := w.Begin()
		time.Sleep(100 * time.Millisecond)
		w.freeze(40 * time.Millisecond)
		short := w.Begin() // stands beside a tick that is overdue already
		time.Sleep(3 * time.Millisecond)
		if r := short.End(); r.Longest != 3*time.Millisecond {
			t.Errorf("a watch is charged with %v of a stall of which it saw 3ms", r.Longest)
		}
		w.tick()
		time.Sleep(100 * time.Millisecond)
		if r := long.End(); r.Longest != 43*time.Millisecond {
			t.Errorf("longest stall is %v, want 43ms", r.Longest)
		}
		time.Sleep(time.Minute)
		again := w.Begin()
		time.Sleep(100 * time.Millisecond)
		if r := again.End(); r.Longest != 0 {
			t.Errorf("the time in which nothing was watched counts as a stall of %v", r.Longest)
		}
		if w.timer != nil || len(w.open) != 0 {
			t.Error("a Watcher goes on ticking with nothing to watch")
		}
	})
}

func TestVirtualTimeIsNeverLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New() // with the real sources
		watch := w.Begin()
		time.Sleep(10 * time.Minute)
		if r := watch.End(); r.Longest != 0 || r.Late != 0 || r.Jump != 0 {
			t.Errorf("in virtual time: %+v", r)
		}
	})
}

func TestNobodyWatches(t *testing.T) {
	var none *Watcher
	if r := none.Begin().End(); r != (Report{}) || r.Starved(Stream{}) != "" {
		t.Errorf("a nil Watcher reports %+v", r)
	}
	want := Report{Duration: time.Second, Longest: time.Second}
	if r := Fixed(want).Begin().End(); r != want {
		t.Errorf("a fixed Watcher reports %+v", r)
	}
}

func TestRealSources(t *testing.T) {
	w := New()
	watch := w.Begin()
	time.Sleep(2 * tickInterval)
	r := watch.End()
	if r.Duration < 2*tickInterval || r.RunDelay < 0 || r.Jump.Abs() > time.Second {
		t.Errorf("report: %+v", r)
	}
	if h := runtimeWaits(); h == nil || len(h.Buckets) != len(h.Counts)+1 {
		t.Errorf("the runtime has no %s", waitsMetric)
	}
}
