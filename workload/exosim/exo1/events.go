package exo1

import (
	"sync"
	"time"
)

// events counts the events of exo's log, of which the state tells the last one's number. It is
// safe for concurrent use.
//
// What exo does by itself runs by the clock on the wall, whatever the speed of the models.
type events struct {
	start    time.Time
	cards    func() int // models that exo knows of
	gathered []gather   // at rest

	mu      sync.Mutex
	counted int       // of commands, tasks, runners and tokens
	scan    time.Time // when the scan began that is the latest or goes on
	scanned int       // events of scans that have ended
}

// Machine says what an exo runs on, by what it tells of itself.
type Machine string

// The machines of which it is known what exo tells of them.
const (
	Mac      Machine = "mac"
	QuickMac Machine = "quick_mac" // on which nothing takes time to find out, so that much of it comes at once
	Linux    Machine = "linux"
)

// gather is something that exo tells of its machine, as so many events every so often.
type gather struct {
	every  time.Duration
	events int
}

// gathered is what exo tells: of a Mac its load and memory, Thunderbolt, networks, RDMA, the
// bridge, its disk, its name, and what it is. What takes time to find out is told so much later
// each time.
var gathered = map[Machine][]gather{
	Mac: {
		{time.Second, 1},
		{6300 * time.Millisecond, 2},
		{10*time.Second + 7*time.Millisecond, 1},
		{10*time.Second + 40*time.Millisecond, 1},
		{10*time.Second + 90*time.Millisecond, 1},
		{30 * time.Second, 1},
		{time.Minute, 1},
		{time.Minute + 200*time.Millisecond, 1},
	},
	QuickMac: {{time.Second, 1}, {5 * time.Second, 2}, {10 * time.Second, 3}, {30 * time.Second, 1}, {time.Minute, 2}},
	Linux:    {{1003 * time.Millisecond, 1}, {10*time.Second + 40*time.Millisecond, 1}, {30 * time.Second, 1}, {time.Minute, 2}},
}

// A scan is exo's reading the list of downloads of all models, with an event for each. The next
// one comes a minute after its end.
const (
	scanEvery = time.Minute
	scanTakes = 400 * time.Millisecond
)

// add counts one event.
func (e *events) add() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.counted++
}

// index returns the number of the last event.
func (e *events) index() int {
	cards, now := e.cards(), time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.scan.IsZero() {
		e.scan = e.start
	}
	for next := e.scan.Add(scanTakes + scanEvery); !now.Before(next); next = e.scan.Add(scanTakes + scanEvery) {
		e.scanned += cards
		e.scan = next
	}
	index := e.counted + e.scanned + int(int64(cards)*int64(min(now.Sub(e.scan), scanTakes))/int64(scanTakes))
	for _, g := range e.gathered {
		index += g.events * int(now.Sub(e.start)/g.every)
	}
	return index
}
