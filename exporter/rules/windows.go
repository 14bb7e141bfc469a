package rules

import (
	"fmt"
	"math"
	"time"

	"github.com/prometheus/common/model"
)

// Duration formats d as PromQL writes durations.
func (Options) Duration(d time.Duration) string { return model.Duration(d).String() }

// Cycles returns the length of n cycles.
func (o Options) Cycles(n float64) string {
	return o.Duration(time.Duration(n * float64(o.Interval)).Round(time.Second))
}

// Step returns the evaluation interval. A series with offset Step is what the evaluation before
// this one saw.
func (o Options) Step() string { return o.Duration(o.Evaluation) }

// slowCycles is the number of cycles from one evaluation of what changes slowly to the next.
const slowCycles = 4

// SlowStep returns the interval at which what changes slowly is evaluated.
func (o Options) SlowStep() string { return o.Cycles(slowCycles) }

// day is a day for common intervals, so that daily and weekly habits of the node's users are
// part of its noise; 24 cycles where that is longer, and 96 where cycles come so fast that a
// day of them would be a load.
func (o Options) day() time.Duration {
	switch {
	case o.Interval < 5*time.Minute:
		return 96 * o.Interval
	case o.Interval > time.Hour:
		return 24 * o.Interval
	}
	return 24 * time.Hour
}

// Days returns the length of n days.
func (o Options) Days(n int) string { return o.Duration(time.Duration(n) * o.day()) }

// Wait returns how long a state that is read at every scrape has to last before it is worth an
// alert: d, but no longer than a cycle.
func (o Options) Wait(d string) (string, error) {
	parsed, err := time.ParseDuration(d)
	if err != nil {
		return "", err
	}
	return o.Duration(min(parsed, o.Interval)), nil
}

// Absence returns the share of n cycles that is left of them after a state that was bad for Wait(d), and at least 0.9: below it
// an alert about that state may have been raised. A fifth less will do, because the state is only seen at scrapes.
func (o Options) Absence(d string, n float64) (string, error) {
	parsed, err := time.ParseDuration(d)
	if err != nil {
		return "", err
	}
	bad := 0.8 * float64(min(parsed, o.Interval)) / (n * float64(o.Interval))
	return fmt.Sprintf("%.3f", max(0.9, 1-bad)), nil
}

// Seconds returns the cycle interval in seconds.
func (o Options) Seconds() string { return fmt.Sprintf("%g", o.Interval.Seconds()) }

// NoiseSpan returns the width in standard deviations between the 10 % and 90 % quantiles of a
// normal distribution.
func (o Options) NoiseSpan() string { return fmt.Sprintf("%.3f", 2*math.Sqrt2*math.Erfinv(0.8)) }

// Percent returns a share as a percentage.
func (Options) Percent(share float64) string { return fmt.Sprintf("%g %%", math.Round(share*1000)/10) }

// Range returns a range selector of n cycles.
func (o Options) Range(n float64) string { return "[" + o.Cycles(n) + "]" }

// RangeDays returns a range selector of n days.
func (o Options) RangeDays(n int) string { return "[" + o.Days(n) + "]" }

// Settled returns the age at which a cycle begins to count for the baseline.
func (o Options) Settled() string { return o.Cycles(float64(o.Tuning.Settle)) }

// Learning returns after about how many good cycles without history the alarms about throughput and latency
// can first be raised: a baseline has to settle, then the noise of the cycles that are compared with it, then
// how evidence scatters. Each of the three is looked at once in a SlowStep, which together costs about one more.
func (o Options) Learning() int {
	settled := o.Tuning.MinHistory + o.Tuning.Settle
	return 2*settled + o.Tuning.EvidenceMin + o.Tuning.Settle + slowCycles
}

// lastSlack shortens windows that are to hold the last n cycles of a model when they are looked
// at in the moment the newest comes in. The order of the models rotates, so that a model's
// cycles come up to most of an interval early or late; with half an interval less, the window
// reaches as far to one side of the oldest as to the other of the one before.
const lastSlack = 0.45

// Last returns a range selector that holds a model's last n cycles as its newest comes in.
func (o Options) Last(n int) string { return o.Range(float64(n) - lastSlack) }

// Whole returns a range selector of n cycles, long enough that all of Last n is in it, however early or late they come.
func (o Options) Whole(n int) string { return o.Range(float64(n)) }

// Before returns the offset at which the cycle before the last n is the newest.
func (o Options) Before(n int) string { return o.Cycles(float64(n) - lastSlack) }

// AfterFirst returns the offset at which the first of the last n cycles is the newest.
func (o Options) AfterFirst(n int) string { return o.Before(n - 1) }

// Recent returns a range selector in which a series of the slow rules has a value, should two of
// their evaluations be missed too.
func (o Options) Recent() string { return o.Range(13) }

// DriftNoise returns how many times a model's noise its drift has to exceed: four standard
// deviations of the difference of two daily medians, at a lag-1 autocorrelation of 0.5. That
// triples the variance of a mean, and a median's deviation is 1.25 times a mean's.
func (o Options) DriftNoise() string {
	cycles := float64(o.day() / o.Interval)
	return fmt.Sprintf("%.2f", 4*1.25*math.Sqrt(2*3/cycles))
}

// WaitRange returns a range selector as long as Wait.
func (o Options) WaitRange(d string) (string, error) {
	w, err := o.Wait(d)
	return "[" + w + "]", err
}
