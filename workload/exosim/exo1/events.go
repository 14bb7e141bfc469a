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
	start time.Time
	cards func() int // models that exo knows of

	mu      sync.Mutex
	counted int       // of commands, tasks, runners and tokens
	scan    time.Time // when the scan began that is the latest or goes on
	scanned int       // events of scans that have ended
}

// gathered is how often a Mac tells of itself, and with how many events: of its load and memory,
// of Thunderbolt, networks, RDMA, the bridge, its disk, its name, and what it is. Some of it takes
// time to find out, after which exo waits anew.
var gathered = []struct {
	every  time.Duration
	events int
}{
	{time.Second, 1},
	{6300 * time.Millisecond, 2},
	{10*time.Second + 7*time.Millisecond, 1},
	{10*time.Second + 40*time.Millisecond, 1},
	{10*time.Second + 90*time.Millisecond, 1},
	{30 * time.Second, 1},
	{time.Minute, 1},
	{time.Minute + 200*time.Millisecond, 1},
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
	for _, g := range gathered {
		index += g.events * int(now.Sub(e.start)/g.every)
	}
	return index
}
