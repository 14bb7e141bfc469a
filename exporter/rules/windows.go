package rules

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
)

// Duration formats d as PromQL writes durations.
func (Options) Duration(d time.Duration) string { return model.Duration(d).String() }

// Cycles returns the length of n cycles.
func (o Options) Cycles(n float64) string {
	return o.Duration(time.Duration(n * float64(o.Interval)).Round(time.Second))
}

// Step returns the evaluation interval. A record with offset Step is what the evaluation before this
// one made.
func (o Options) Step() string { return o.Duration(o.Evaluation) }

// Steps returns the length of n evaluation intervals.
func (o Options) Steps(n int) string { return o.Duration(time.Duration(n) * o.Evaluation) }

// seldom is how long a group may wait for its next evaluation.
const seldom = 15 * time.Minute

// Every returns the interval of a group that costs more than it is worth every Step: n cycles in whole Steps, where that is
// neither shorter than Step nor longer than seldom.
func (o Options) Every(n float64) string { return o.Duration(o.every(n)) }

func (o Options) every(n float64) time.Duration {
	every := time.Duration(n * float64(o.Interval)).Truncate(o.Evaluation)
	return max(o.Evaluation, min(every, seldom))
}

// RangeEvery returns a range selector that holds the newest sample of a record that is made Every(n), also while the next is
// being made.
func (o Options) RangeEvery(n float64) string {
	return "[" + o.Duration(o.every(n)+2*o.Evaluation) + "]"
}

// RangeOfEvery returns a range selector that holds cycles of a record that is made Every(n), with the sample from before them.
func (o Options) RangeOfEvery(cycles, n float64) string {
	return "[" + o.Duration(time.Duration(cycles*float64(o.Interval)).Round(time.Second)+o.every(n)) + "]"
}

// day is a day for common intervals; 24 cycles where that is longer, and 96 where cycles come so fast
// that a day of them would be a load.
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

// Range returns a range selector of n cycles.
func (o Options) Range(n float64) string { return "[" + o.Cycles(n) + "]" }

// RangeDays returns a range selector of n days.
func (o Options) RangeDays(n int) string { return "[" + o.Days(n) + "]" }

// lastSlack shortens windows that are to hold the last n cycles of a model when they are looked
// at in the moment the newest comes in. The order of the models rotates, so that a model's
// cycles come up to most of an interval early or late; with half an interval less, the window
// reaches as far to one side of the oldest as to the other of the one before.
const lastSlack = 0.45

// Last returns a range selector that holds a model's last n cycles as its newest comes in.
func (o Options) Last(n int) string { return o.Range(float64(n) - lastSlack) }

// WaitRange returns a range selector as long as Wait.
func (o Options) WaitRange(d string) (string, error) {
	w, err := o.Wait(d)
	return "[" + w + "]", err
}
