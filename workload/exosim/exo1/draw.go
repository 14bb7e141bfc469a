package exo1

import (
	"math"
	"time"

	"exo-bench-exporter/workload/exosim/pace"
)

// What the simulated machine draws, in watts: at rest and while a runner generates, and round both a ripple that has
// a period in modelled seconds, so that no two readings are alike.
const (
	idleWatts, busyWatts = 6.2, 38.7
	ripple, ripplePeriod = 0.04, 37.0
)

// readingEvery is how often exo reads the machine's power, at speed 1.
const readingEvery = time.Second

// turnsKept is how many changes between rest and work are remembered.
const turnsKept = 4096

// draw is the course of the machine's power. It is guarded by the mutex of the cluster that it is part of.
type draw struct {
	clock pace.Clock
	turns []turn // oldest first; at rest before the first
}

// turn is a change between rest and work.
type turn struct {
	at   time.Time
	busy bool
}

// note notes whether the machine works from now on.
func (d *draw) note(busy bool) {
	if now := time.Now(); busy != d.busy(now) {
		d.turns = append(d.turns[max(0, len(d.turns)+1-turnsKept):], turn{now, busy})
	}
}

func (d *draw) busy(at time.Time) (busy bool) {
	for i := len(d.turns) - 1; i >= 0; i-- {
		if !d.turns[i].at.After(at) {
			return d.turns[i].busy
		}
	}
	return false
}

// level returns the power round which the ripple is.
func level(busy bool) float64 {
	if busy {
		return busyWatts
	}
	return idleWatts
}

// phase returns where in the ripple a moment is.
func (d *draw) phase(at time.Time) float64 {
	return 2 * math.Pi * at.Sub(d.clock.Start()).Seconds() * d.clock.Speed() / ripplePeriod
}

// reading returns the power that exo shows at a moment: that of its last reading, a second ago at most.
func (d *draw) reading(at time.Time) float64 {
	every := max(d.clock.Scaled(readingEvery), 1)
	at = d.clock.Start().Add(at.Sub(d.clock.Start()).Truncate(every))
	return level(d.busy(at)) * (1 + ripple*math.Sin(d.phase(at)))
}

// joules returns the energy that was drawn from one moment to another: the exact integral of the course, in joules of
// real time.
func (d *draw) joules(from, to time.Time) float64 {
	total := 0.0
	for from.Before(to) {
		until := to
		for _, t := range d.turns {
			if t.at.After(from) && t.at.Before(until) {
				until = t.at
				break
			}
		}
		wave := math.Cos(d.phase(from)) - math.Cos(d.phase(until))
		seconds := until.Sub(from).Seconds() + ripple*wave*ripplePeriod/(2*math.Pi*d.clock.Speed())
		total += level(d.busy(from)) * seconds
		from = until
	}
	return total
}

// Joules returns the energy that the simulated machine drew from one moment to another.
func (n *Node) Joules(from, to time.Time) float64 {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	return n.cluster.draw.joules(from, to)
}
