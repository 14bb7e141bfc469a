package pace

import (
	"context"
	"time"
)

// PlanningTick is how often exo's worker looks for work, at speed 1.
const PlanningTick = 100 * time.Millisecond

// Clock turns modelled durations into real ones.
type Clock struct {
	speed float64
	start time.Time
}

// NewClock returns a Clock that starts now; speed divides every modelled duration.
func NewClock(speed float64) Clock { return Clock{speed, time.Now()} }

// Start returns when the clock began.
func (c Clock) Start() time.Time { return c.start }

// Speed returns the factor by which everything runs faster than modelled.
func (c Clock) Speed() float64 { return c.speed }

// Scaled returns how long a modelled duration really takes.
func (c Clock) Scaled(d time.Duration) time.Duration { return time.Duration(float64(d) / c.speed) }

// After returns the time at which a modelled duration that begins now is over.
func (c Clock) After(d time.Duration) time.Time { return time.Now().Add(c.Scaled(d)) }

// NextTick returns when exo's worker plans next after t.
func (c Clock) NextTick(t time.Time) time.Time {
	period := max(c.Scaled(PlanningTick), 1)
	return c.start.Add((t.Sub(c.start)/period + 1) * period)
}

// SleepUntil waits until t; the error is ctx's.
func SleepUntil(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Seconds returns s seconds.
func Seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
