package answer

import (
	"fmt"
	"slices"
	"time"
)

// Bounds of what the exporter itself may add to a time before that is not the model's any more. A time
// may be a tenth too long. That of decoding, which rates are made of, is held to less, for they are
// compared: the alerts take 2 % for noise and 5 % for a loss. Of a short answer that is less than a read
// may be late on any machine.
const (
	offTime   = 0.1
	offDecode = 0.02
	anyLate   = time.Millisecond
)

// stamped reports whether it is known of all the arrivals when their bytes came.
func stamped(arrivals []Arrival) bool {
	for _, a := range arrivals {
		if a.Came.IsZero() {
			return false
		}
	}
	return len(arrivals) > 0
}

// late is how long after its bytes had come an arrival was stamped.
func (a Arrival) late() time.Duration { return max(0, a.At.Sub(a.Came)) }

// lateness returns how late each read was that brought some of the arrivals.
func lateness(arrivals []Arrival) (all []time.Duration) {
	for i, a := range arrivals {
		if i == 0 || a.Read != arrivals[i-1].Read {
			all = append(all, a.late())
		}
	}
	return all
}

// spoilt reports whether a time that is off by so much differs from the true one by more than the
// given part of it.
func spoilt(taken, off time.Duration, part float64) bool {
	return float64(off.Abs()) > part*float64(taken-off)
}

// late says, for people, which time of the answer as a whole the exporter's own lateness has spoilt, in
// writing the request or in reading what came; empty when none.
func (s Shape) late(t0 time.Time, e *Evidence, measured []Arrival) string {
	first, last := measured[0], measured[len(measured)-1]
	var sent time.Duration
	if !e.Wrote.IsZero() {
		sent = max(0, e.Wrote.Sub(t0))
	}
	content := first
	for _, a := range measured {
		if a.At.Equal(s.FirstContent) {
			content = a
			break
		}
	}
	for _, c := range []struct {
		name       string
		taken, off time.Duration
	}{
		{"time to first token", first.At.Sub(t0), sent + first.late()},
		{"time to first output", content.At.Sub(t0), sent + content.late()},
		{"request's duration", last.At.Sub(t0), sent + last.late()},
	} {
		if spoilt(c.taken, c.off, offTime) {
			return fmt.Sprintf("%v of the %s of %v are the exporter's own", precise(c.off), c.name, precise(c.taken))
		}
	}
	return ""
}

// decodeOff returns by how much the time from the first to the last of the arrivals is off, where that is too
// much for a rate to be made of it; 0 where it is not.
func decodeOff(measured []Arrival) time.Duration {
	first, last := measured[0], measured[len(measured)-1]
	decode, off := last.At.Sub(first.At), last.late()-first.late()
	if spoilt(decode, off, offTime) || off.Abs() > anyLate && spoilt(decode, off, offDecode) {
		return off
	}
	return 0
}

// looked reports whether the exporter asked the node for something else at some time after one moment and before
// another, so that what came then may have been held up.
func (e *Evidence) looked(after, before time.Time) bool {
	return slices.ContainsFunc(e.Looks, func(s Span) bool { return s.From.Before(before) && s.To.After(after) })
}

func precise(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
