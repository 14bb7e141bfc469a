package stall

import (
	"fmt"
	"time"
)

// Bounds of late reads. Of 1,001 streams of 200 to 1000 tokens a second that were read on a quiet machine,
// none had more than one read in eight that came later than a tenth of a gap, and few more than one in a
// hundred; with two busy loops on the process's only core one in six to all of them did.
const (
	minLate      = time.Millisecond // what a read may be late on any machine
	lateReads    = 2                // so many late reads are no accident
	lateReadPart = 1.0 / 7
	sharedReads  = 8 // events a read from which on the read is no witness of them
)

// Stream is what was read while a process watched itself.
type Stream struct {
	Gap    time.Duration // typical time between two events, 0 where there is none
	Events int           // that were read
	// Lateness is how long before each read the kernel had received the last byte of what was read; empty
	// where that is not known.
	Lateness []time.Duration
}

// known reports whether the reads tell how late the events were. Where very many shared a read they do not: of
// those before the last one of a read nobody knows for how long they lay there.
func (s Stream) known() bool { return len(s.Lateness) > 0 && sharedReads*len(s.Lateness) > s.Events }

// late says why the stream as a whole was read too late, empty when it was not: so many reads were late by
// more than a tenth of a gap. What a few of them spoil, such as the gaps beside them, whoever knows which
// they are can leave out.
func (s Stream) late() string {
	bound, n := max(minLate, part(s.Gap, gapPart)), 0
	for _, d := range s.Lateness {
		if d > bound {
			n++
		}
	}
	if n >= lateReads && float64(n) > lateReadPart*float64(len(s.Lateness)) {
		return fmt.Sprintf("the exporter read what had come more than %v late, %d times of %d", round(bound), n, len(s.Lateness))
	}
	return ""
}
