package stall

import (
	"fmt"
	"slices"
	"time"
)

// Bounds of late reads. While a stream of 100 tokens a second was read on a quiet machine, less
// than two reads in a hundred came later than a tenth of a gap; with two busy loops on the process's
// only core ten to ninety did.
const (
	minLate      = time.Millisecond // what a read may be late on any machine
	lateReads    = 2                // so many late reads are no accident
	lateReadPart = 0.03
)

// Stream is what was read while a process watched itself.
type Stream struct {
	Gap time.Duration // typical time between two events, 0 where there is none
	// Lateness is how long before each read the kernel had received what was read; empty where
	// that is not known.
	Lateness []time.Duration
}

func (s Stream) known() bool { return len(s.Lateness) > 0 }

// late says why the reads were too late, empty when they were not: one of them by more than
// longest, or several by more than a tenth of a gap.
func (s Stream) late(longest time.Duration) string {
	if worst := slices.Max(s.Lateness); worst > longest {
		return fmt.Sprintf("the exporter read %v late what had come", round(worst))
	}
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
