package stall

import (
	"fmt"
	"time"
)

// Bounds of what is no stall. While a stream of 100 tokens a second was read on a quiet machine,
// threads waited for 0.6 % of the time and ticks stayed within tolerance; with two busy loops on
// the process's only core threads waited for 10 to 40 %, and ticks were late by 0.3 to 7 %.
const (
	// tolerance is what timers may be late on any system: those of Go are rounded up to a
	// millisecond on Linux, and macOS puts them off by about as much.
	tolerance = 2 * time.Millisecond
	// minLongest is the shortest single wait that counts, minTotal the smallest sum.
	minLongest = 15 * time.Millisecond
	minTotal   = 10 * time.Millisecond
	// minStop is the shortest stop that counts where every read is known to have been in time.
	minStop = 100 * time.Millisecond
	// A sum counts from this part of the duration on, a single wait from this part of a gap on.
	runDelayPart = 0.03
	latePart     = 0.01
	gapPart      = 0.1
	// minJump is from when on clocks have drifted apart by more than what keeps them together,
	// which speeds the wall clock up or slows it down by 0.05 % at most.
	minJump  = 500 * time.Millisecond
	jumpPart = 0.001
)

// Report is what this process suffered during an interval.
type Report struct {
	Duration time.Duration // by the monotonic clock, which stands still while the machine sleeps
	// RunDelay is how long threads were ready to run but had no processor, summed over the
	// threads; known on Linux only.
	RunDelay    time.Duration
	HasRunDelay bool
	Longest     time.Duration // largest lateness of a tick: at least this long the process stood still
	Late        time.Duration // sum of what ticks were late beyond what timers may be
	Queued      time.Duration // longest wait of a goroutine for a thread, as the Go runtime counts it
	Jump        time.Duration // what the wall clock went beyond the monotonic clock; negative when it was set back
}

// Starved says, for people, why times of a stream that was read meanwhile are not the sender's;
// it is empty when they are. Where it is known how late the events were read, that tells, and waiting that
// kept no read from its time is passed over: beside a busy engine on the same machine threads wait
// for moments all the time.
func (r Report) Starved(s Stream) string {
	longest := max(minLongest, part(s.Gap, gapPart))
	stop := longest
	if s.known() {
		stop = max(stop, minStop)
	}
	switch {
	case r.Jump.Abs() > minJump+part(r.Duration, jumpPart):
		return fmt.Sprintf("the machine slept or its clock was set: %v passed by its clock in %v",
			round(r.Duration+r.Jump), round(r.Duration))
	case r.Longest > stop:
		return fmt.Sprintf("the exporter stood still for %v of %v", round(r.Longest), round(r.Duration))
	case s.known():
		return s.late()
	case r.RunDelay > max(minTotal, part(r.Duration, runDelayPart)):
		return fmt.Sprintf("the exporter's threads waited %v for a processor in %v", round(r.RunDelay), round(r.Duration))
	case r.Late > max(minTotal, part(r.Duration, latePart)):
		return fmt.Sprintf("the exporter's timers were late by %v in %v", round(r.Late), round(r.Duration))
	case r.Queued > longest:
		return fmt.Sprintf("the exporter was busy with itself for %v of %v", round(r.Queued), round(r.Duration))
	}
	return ""
}

// maxStalled bounds Stalled: a machine may sleep for weeks, and nobody asks beyond a day.
const maxStalled = 24 * time.Hour

// Stalled returns how long the process did not run when it should have, by the largest of the
// accounts; they overlap, so that a sum would count a stall twice.
func (r Report) Stalled() time.Duration {
	return min(maxStalled, max(r.RunDelay, r.Longest, r.Late, r.Queued, r.Jump, 0))
}

func part(d time.Duration, p float64) time.Duration { return time.Duration(float64(d) * p) }

// round keeps what people want to read of a duration.
func round(d time.Duration) time.Duration {
	if d.Abs() >= 10*time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(100 * time.Microsecond)
}
