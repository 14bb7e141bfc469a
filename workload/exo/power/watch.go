package power

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/answer"
	"exo-bench-exporter/workload/exo/state"
)

// Bounds of what a watch asks of exo.
const (
	spread  = 8 // looks are so many times as frequent as the watch is old, once that is less than one a reading
	failing = 3 // looks may fail one after the other
)

// Watch watches the power of the machines that hold a model while a request runs.
type Watch struct {
	meter  *Meter
	stop   context.CancelFunc
	done   chan struct{}
	before Readings            // what they showed before the request
	seen   map[string][]sample // by node; only of other readings than the one before

	mu    sync.Mutex
	looks []answer.Span
}

// Looks returns when exo was asked until now. What it sends meanwhile may be held up by milliseconds.
func (w *Watch) Looks() []answer.Span {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	all := slices.Clone(w.looks)
	if n := len(all); n > 0 && all[n-1].To.IsZero() {
		all[n-1].To = time.Now()
	}
	return all
}

// look asks exo, and keeps when.
func (w *Watch) look(ctx context.Context) (Readings, time.Time) {
	w.mu.Lock()
	w.looks = append(w.looks, answer.Span{From: time.Now()})
	w.mu.Unlock()
	all, now := w.meter.look(ctx), time.Now()
	w.mu.Lock()
	w.looks[len(w.looks)-1].To = now
	w.mu.Unlock()
	return all, now
}

// sample is a reading and when it was seen first.
type sample struct {
	at     time.Time
	system state.System
}

// Begin looks at what the named nodes show before a request and goes on looking until the Watch is ended. It returns
// nil, which can be used like a Watch that saw nothing, where one of them does not tell its power.
func (m *Meter) Begin(ctx context.Context, nodes []string) *Watch {
	before := m.look(ctx).of(nodes)
	if before == nil {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	w := &Watch{meter: m, stop: cancel, done: make(chan struct{}), before: before, seen: map[string][]sample{}}
	go w.run(ctx)
	return w
}

// run looks until ctx is done.
func (w *Watch) run(ctx context.Context) {
	defer close(w.done)
	begin := time.Now()
	timer := time.NewTimer(w.meter.every)
	defer timer.Stop()
	for failed := 0; failed < failing; {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		all, now := w.look(ctx)
		if ctx.Err() != nil {
			return
		}
		if all == nil {
			failed++
		} else {
			failed = 0
			w.note(all, now)
		}
		timer.Reset(max(w.meter.every, now.Sub(begin)/spread))
	}
}

// note keeps what is a new reading.
func (w *Watch) note(all Readings, at time.Time) {
	for node, before := range w.before {
		y, told := all[node]
		if !told || y.Watts == nil {
			continue
		}
		seen := w.seen[node]
		last := before
		if len(seen) > 0 {
			last = seen[len(seen)-1].system
		}
		if !y.Same(last) {
			w.seen[node] = append(seen, sample{at, y})
		}
	}
}

// End ends the watch and returns the energy in joules that its machines took from one moment to another, which lie
// within it: the sum over the machines of the trapezoids between the readings of that time, of which the first and the
// last stand for what is beyond them. known is false unless there are two or more of every machine.
func (w *Watch) End(from, to time.Time) (joules float64, known bool) {
	if w == nil {
		return 0, false
	}
	w.stop()
	<-w.done
	w.meter.worked()
	for node := range w.before {
		within := w.within(node, from, to)
		if len(within) < 2 {
			return 0, false
		}
		joules += integral(within, from, to)
	}
	return joules, true
}

// Sensors returns what its machines showed from one moment to another; nil where there was no reading of one of them in that
// time. The Watch has been ended.
func (w *Watch) Sensors(from, to time.Time) *workload.Sensors {
	if w == nil {
		return nil
	}
	s := workload.Sensors{Celsius: new(math.Inf(-1)), GPU: new(0.0), Watts: new(0.0)}
	for node := range w.before {
		within := w.within(node, from, to)
		if len(within) == 0 {
			return nil
		}
		s.Readings += len(within)
		for _, r := range within {
			y := r.system
			s.Celsius = join(s.Celsius, y.Celsius, func(sum, v float64) float64 { return max(sum, v) })
			s.GPU = join(s.GPU, y.GPU, func(sum, v float64) float64 { return sum + v })
			s.Watts = join(s.Watts, y.Watts, func(sum, v float64) float64 { return sum + v/float64(len(within)) })
		}
	}
	if s.GPU != nil {
		*s.GPU /= float64(s.Readings)
	}
	return &s
}

// join takes another value to those before it; nil when one of them is not known.
func join(before, v *float64, how func(before, v float64) float64) *float64 {
	if before == nil || v == nil {
		return nil
	}
	return new(how(*before, *v))
}

// within returns the readings of a node from one moment to another.
func (w *Watch) within(node string, from, to time.Time) []sample {
	return slices.DeleteFunc(slices.Clone(w.seen[node]), func(s sample) bool { return s.at.Before(from) || s.at.After(to) })
}

// integral returns the energy in joules by samples of the time from one moment to another.
func integral(samples []sample, from, to time.Time) float64 {
	first, last := samples[0], samples[len(samples)-1]
	joules := *first.system.Watts*first.at.Sub(from).Seconds() + *last.system.Watts*to.Sub(last.at).Seconds()
	for i, s := range samples[1:] {
		joules += (*samples[i].system.Watts + *s.system.Watts) / 2 * s.at.Sub(samples[i].at).Seconds()
	}
	return joules
}

// worked notes that machines were at work until now.
func (m *Meter) worked() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.work = time.Now()
}
