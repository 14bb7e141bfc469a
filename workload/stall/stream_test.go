package stall

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// reads returns how late n reads were, of which the first ones were as late as is given.
func reads(n int, late ...time.Duration) []time.Duration {
	return append(late, slices.Repeat([]time.Duration{150 * time.Microsecond}, n-len(late))...)
}

func TestWhatWasReadInTimeStands(t *testing.T) {
	const ms = time.Millisecond
	busy := Report{Duration: 2 * time.Second, RunDelay: time.Second, HasRunDelay: true, Longest: 30 * ms, Late: 100 * ms, Queued: 20 * ms}
	for name, c := range map[string]struct {
		r    Report
		s    Stream
		want string // part of the words; empty for a result that stands
	}{
		"busy machine, reads in time":     {busy, Stream{10 * ms, 0, reads(128)}, ""},
		"busy machine, reads not known":   {busy, Stream{10 * ms, 0, nil}, "stood still for 30ms"},
		"reads in time, of 4 events each": {busy, Stream{10 * ms, 512, reads(128)}, ""},
		"reads in time, of 8 events each": {busy, Stream{10 * ms, 1024, reads(128)}, "stood still for 30ms"},
		"one read late by half a gap":     {busy, Stream{10 * ms, 0, reads(128, 5*ms)}, ""},
		"four reads of 68 late":           {busy, Stream{5 * ms, 0, reads(68, 2*ms, 2*ms, 2*ms, 5*ms)}, ""},
		"two reads of 16 late":            {busy, Stream{5 * ms, 0, reads(16, 2*ms, 2*ms)}, ""},
		"four reads of 25 late":           {busy, Stream{10 * ms, 0, reads(25, 2*ms, 2*ms, 2*ms, 2*ms)}, "more than 1ms late, 4 times of 25"},
		"the same of slow tokens":         {busy, Stream{50 * ms, 0, reads(25, 2*ms, 2*ms, 2*ms, 2*ms)}, ""},
		"one of few":                      {busy, Stream{10 * ms, 0, reads(4, 2*ms)}, ""},
		"two of few":                      {busy, Stream{10 * ms, 0, reads(10, 2*ms, 2*ms)}, "2 times of 10"},
		"fast tokens, small delays":       {busy, Stream{4 * ms, 0, slices.Repeat([]time.Duration{950 * time.Microsecond}, 128)}, ""},
		"one read far too late":           {Report{Duration: time.Second}, Stream{10 * ms, 0, reads(128, 40*ms)}, ""},
		"stopped while nothing came": {
			Report{Duration: 5 * time.Second, Longest: 3 * time.Second}, Stream{10 * ms, 0, reads(128)}, "stood still for 3s",
		},
		"the machine slept": {Report{Duration: time.Second, Jump: time.Hour}, Stream{10 * ms, 0, reads(128)}, "the machine slept"},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.r.Starved(c.s)
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("starved: %q, want %q", got, c.want)
			}
		})
	}
}
