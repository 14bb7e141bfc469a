package stall

import (
	"runtime/metrics"
	"sync"
	"time"
)

// tickInterval is the time between two looks at the clock. A shorter one would notice shorter
// stalls, but every look costs 30 to 120 µs of processor time, mostly for waking up.
const tickInterval = 25 * time.Millisecond

// Watcher watches this process while at least one Watch is open, and does nothing otherwise. It
// is safe for concurrent use. A nil Watcher watches nothing: its reports are empty.
type Watcher struct {
	runDelay func() (time.Duration, bool)     // see runDelay
	waits    func() *metrics.Float64Histogram // see runtimeWaits
	wall     func() time.Time                 // wall clock alone
	told     func() Report                    // what a Watch reports; nil to watch

	mu    sync.Mutex
	open  map[*Watch]struct{}
	timer *time.Timer // the next tick; nil while no Watch is open
	due   time.Time   // when that tick should come
}

// New returns a Watcher of this process.
func New() *Watcher {
	return &Watcher{runDelay: runDelay, waits: runtimeWaits, wall: wallClock, open: make(map[*Watch]struct{})}
}

// Told returns a Watcher that watches nothing and reports what report returns at the end of each Watch: for
// tests of what becomes of a report.
func Told(report func() Report) *Watcher { return &Watcher{told: report} }

// Fixed returns a Watcher that reports r every time, as Told does.
func Fixed(r Report) *Watcher { return Told(func() Report { return r }) }

// Watch is an interval that is being watched.
type Watch struct {
	w        *Watcher
	start    time.Time // has the monotonic clock
	wall     time.Time
	runDelay time.Duration
	waits    *metrics.Float64Histogram

	longest time.Duration // largest lateness of a tick
	late    time.Duration // sum of what ticks were late beyond tolerance
}

// Begin starts to watch. End must be called, once.
func (w *Watcher) Begin() *Watch {
	if w == nil || w.told != nil {
		return &Watch{w: w}
	}
	v := &Watch{w: w, waits: w.waits()}
	v.runDelay, _ = w.runDelay()
	w.mu.Lock()
	defer w.mu.Unlock()
	v.wall, v.start = w.wall(), time.Now()
	w.open[v] = struct{}{}
	if w.timer == nil {
		w.due = v.start.Add(tickInterval)
		w.timer = time.AfterFunc(tickInterval, w.tick)
	}
	return v
}

// End stops watching and returns what the process suffered since Begin.
func (v *Watch) End() Report {
	w := v.w
	switch {
	case w == nil:
		return Report{}
	case w.told != nil:
		return w.told()
	}
	now, wall := w.close(v)
	r := Report{Duration: now.Sub(v.start), Longest: v.longest, Late: v.late, Queued: longestWait(v.waits, w.waits())}
	r.Jump = wall.Sub(v.wall) - r.Duration
	var delay time.Duration
	if delay, r.HasRunDelay = w.runDelay(); r.HasRunDelay {
		r.RunDelay = max(0, delay-v.runDelay)
	}
	return r
}

// close takes v from the open ones and returns the time. A tick that is overdue has been late
// already, whether it ever comes or not.
func (w *Watcher) close(v *Watch) (now, wall time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, wall = time.Now(), w.wall()
	v.note(now, w.due)
	delete(w.open, v)
	if len(w.open) == 0 {
		w.timer.Stop()
		w.timer = nil
	}
	return now, wall
}

// tick looks at the clock and asks for the next tick.
func (w *Watcher) tick() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if w.timer == nil || now.Before(w.due) {
		return // the last Watch has just ended; another may have begun since
	}
	for v := range w.open {
		v.note(now, w.due)
	}
	w.due = now.Add(tickInterval)
	w.timer.Reset(tickInterval)
}

// note takes in that a tick that was due comes, or would come, now.
func (v *Watch) note(now, due time.Time) {
	late := min(now.Sub(due), now.Sub(v.start))
	v.longest = max(v.longest, late)
	v.late += max(0, late-tolerance)
}

// wallClock returns the time without a monotonic reading.
func wallClock() time.Time { return time.Now().Round(0) }
