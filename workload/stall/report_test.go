package stall

import (
	"strings"
	"testing"
	"time"
)

func TestStarved(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		r    Report
		gap  time.Duration
		want string // part of the words; empty for a result that stands
	}{
		"nothing watched": {},
		"quiet machine, 100 tokens a second": {
			r: Report{Duration: 1471 * ms, RunDelay: 10 * ms, HasRunDelay: true, Longest: 4 * ms, Late: 2 * ms}, gap: 10 * ms,
		},
		"quiet machine, short request": {
			r: Report{Duration: 60 * ms, RunDelay: 4 * ms, HasRunDelay: true, Longest: 2 * ms}, gap: 4 * ms,
		},
		"two busy loops, at their least": {
			r:   Report{Duration: 1471 * ms, RunDelay: 155 * ms, HasRunDelay: true, Longest: 4 * ms, Late: 3 * ms},
			gap: 10 * ms, want: "threads waited 155ms for a processor in 1.471s",
		},
		"two busy loops, short request": {
			r: Report{Duration: 130 * ms, RunDelay: 14 * ms, HasRunDelay: true, Longest: 4 * ms}, gap: 4 * ms, want: "threads waited 14ms",
		},
		"busy loops where ticks alone tell": {
			r: Report{Duration: 1471 * ms, Longest: 8 * ms, Late: 22 * ms}, gap: 10 * ms, want: "timers were late by 22ms in 1.471s",
		},
		"SIGSTOP for 3 s": {
			r: Report{Duration: 5 * time.Second, Longest: 3 * time.Second, Late: 3 * time.Second}, gap: 20 * ms, want: "stood still for 3s of 5s",
		},
		"a stall below the bound":              {r: Report{Duration: 5 * time.Second, Longest: 15 * ms}, gap: 20 * ms},
		"a stall above the bound":              {r: Report{Duration: 5 * time.Second, Longest: 16 * ms}, gap: 20 * ms, want: "stood still"},
		"a stall of less than a tenth of gaps": {r: Report{Duration: time.Minute, Longest: 90 * ms}, gap: time.Second},
		"a collection that took the process": {
			r: Report{Duration: time.Second, Queued: 40 * ms}, gap: 10 * ms, want: "busy with itself for 40ms",
		},
		"the machine slept": {
			r: Report{Duration: 2 * time.Second, Jump: time.Hour}, gap: 10 * ms, want: "1h0m2s passed by its clock in 2s",
		},
		"the clock was set back": {
			r: Report{Duration: 2 * time.Second, Jump: -time.Second}, gap: 10 * ms, want: "its clock was set",
		},
		"the clock is being slowed down": {r: Report{Duration: 20 * time.Minute, Jump: -600 * ms}, gap: 10 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.r.Starved(Stream{Gap: c.gap})
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("starved: %q, want %q", got, c.want)
			}
		})
	}
}

func TestStalled(t *testing.T) {
	for _, c := range []struct {
		r    Report
		want time.Duration
	}{
		{Report{}, 0},
		{Report{Duration: time.Second, RunDelay: 3, Longest: 2, Late: 1}, 3},
		{Report{Duration: time.Second, RunDelay: 3, Longest: 5, Late: 7}, 7},
		{Report{Duration: time.Second, Queued: 9, Jump: 8}, 9},
		{Report{Duration: time.Second, Longest: 1, Jump: -time.Hour}, 1},
		{Report{Duration: time.Second, Jump: 1000 * time.Hour}, 24 * time.Hour},
	} {
		if got := c.r.Stalled(); got != c.want {
			t.Errorf("stalled in %+v is %v, want %v", c.r, got, c.want)
		}
	}
}
