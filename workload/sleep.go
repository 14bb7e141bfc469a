package workload

import (
	"context"
	"time"
)

const (
	// sleepCheck is how often a waiting Runner looks whether the machine has slept meanwhile: the
	// clock that timers go by stands still then.
	sleepCheck = 10 * time.Second
	// minSleep is from when on the clocks have drifted apart by more than what keeps them together.
	minSleep = 2 * time.Second
)

// moment is a point in time by both clocks.
type moment struct {
	time.Time           // with a monotonic reading
	wall      time.Time // without
}

func (r *Runner) now() moment { return moment{time.Now(), r.wall()} }

// slept returns how long the machine has slept since start, by what the wall clock has gone
// beyond the monotonic one; 0 when it has not. A wall clock that was set forward looks the same.
func (r *Runner) slept(start moment) time.Duration {
	d := r.wall().Sub(start.wall) - time.Since(start.Time)
	if d < minSleep {
		return 0
	}
	return d
}

// wait waits until the interval since start has passed, the time counted in which the machine
// slept, until wake receives, or until the runner has to end.
func (r *Runner) wait(ctx context.Context, start moment, wake <-chan struct{}) {
	for {
		rest := r.o.Interval - time.Since(start.Time) - r.slept(start)
		if rest <= 0 {
			return
		}
		timer := time.NewTimer(min(rest, sleepCheck))
		select {
		case <-timer.C:
			continue
		case <-wake:
			r.o.Logger.Info("exo can be reached again; starting a cycle ahead of its time")
		case <-r.stopping:
		case <-ctx.Done():
		}
		timer.Stop()
		return
	}
}

// noteSleep marks a cycle across which the machine slept.
func (r *Runner) noteSleep(c *Cycle, start moment) {
	if c.Slept = r.slept(start); c.Slept > 0 {
		r.o.Logger.Warn("The machine slept during the cycle, or its clock was set: the request at hand is marked starved; "+
			"keep it awake to measure without gaps (on macOS by caffeinate -is)", "cycle", c.Number, "slept", c.Slept.Round(time.Second))
	}
}

// wallClock returns the time without a monotonic reading.
func wallClock() time.Time { return time.Now().Round(0) }
