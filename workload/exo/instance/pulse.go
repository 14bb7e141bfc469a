package instance

import (
	"slices"
	"sync"
	"time"

	"exo-bench-exporter/workload"
)

// exo numbers the events by which its state changes, and tells the number of the last one. A
// chat leaves nothing else behind when it has ended: exo deletes its task. So the number is
// what shows a short one that came and went during a request of ours:
//
//	events = those of our own request + those of exo at rest + those of others
//
// A request costs one event a token, one for each report on the prefill, and six besides (task
// created and running, runner running, complete, runner ready, task deleted). At rest exo has
// between one and two events a second on each machine (memory every second, the rest seldom);
// how many is learned from the quietest of the windows between two looks. And once a minute each
// machine reads its list of downloads again, which makes one event a model that it knows of.
const (
	ownEvents      = 9    // of a request, beside its tokens: three reports on the prefill
	tokensReported = 2048 // of a prompt, from one report on the prefill to the next
	restMost       = 2.0  // events a second on each machine, the most that a release has
	unheardOf      = 3    // times as many at rest as any release has
	windowsToLearn = 8
	restDoubt      = 2 // events of a window that may have been counted in its neighbour
	restMargin     = 5 // events; the shortest chat has ten
	windowsKept    = 32
	windowShortest = time.Second
	quietest       = 10 // one window in so many may have counted too few, and is passed over
	blindShare     = 2  // of our own tokens, one of so many is the least that must have counted
	scanEvery      = time.Minute
	scanEarly      = 5 * time.Second // by which a scan may be seen too early, by when it is looked at
	scanDoubt      = 12              // events by which a scan may seem smaller than it is
)

// cluster is what decides how many events exo has by itself.
type cluster struct {
	nodes int
	cards int // models that a machine knows of, at most
}

// pulse learns what events exo has at rest.
type pulse struct {
	mu      sync.Mutex
	windows []window
	scanned time.Time // when events were taken for a scan of downloads last
}

// window is the time between two looks, and the events in it that were not ours.
type window struct {
	events float64
	took   time.Duration
}

// rate returns the most events a second that the window may have had.
func (w window) rate() float64 { return (w.events + restDoubt) / w.took.Seconds() }

// judge takes in a window and returns how many events in it were neither ours nor exo's own, 0
// for so few that they may be; own is how many events our requests in it cost. Where exo does
// not count tokens as events nothing can be told.
func (p *pulse) judge(events, own int64, took time.Duration, c cluster) (others int64) {
	left := events - own
	if took <= 0 || left < -own/blindShare {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	over := int64(float64(left) - p.rest(c.nodes)*took.Seconds())
	if took >= windowShortest {
		p.windows = append(p.windows, window{float64(left), took})
		p.windows = p.windows[max(0, len(p.windows)-windowsKept):]
	}
	if over <= restMargin || p.scan(over, took, c) {
		return 0
	}
	return over
}

// scan reports whether so many events can be those of machines that read their downloads again.
func (p *pulse) scan(over int64, took time.Duration, c cluster) bool {
	if c.cards == 0 || c.nodes == 1 && time.Since(p.scanned) < scanEvery-scanEarly {
		return false
	}
	for scans := range c.nodes * int(1+took/scanEvery) {
		all := int64((scans + 1) * c.cards)
		if over >= all-scanDoubt && over <= all+restMargin {
			p.scanned = time.Now()
			return true
		}
	}
	return false
}

// rest returns how many events a second exo has at rest, at most: no more than is known of its
// releases, so that somebody who always chats is not taken for exo itself, unless every window
// has far more, as those of an exo that nobody has seen yet.
func (p *pulse) rest(nodes int) float64 {
	most := restMost * float64(max(1, nodes))
	if len(p.windows) == 0 {
		return most
	}
	rates := make([]float64, len(p.windows))
	for i, w := range p.windows {
		rates[i] = w.rate()
	}
	slices.Sort(rates)
	least := max(0, rates[len(rates)/quietest])
	if len(rates) >= windowsToLearn && least > unheardOf*most {
		return least
	}
	return min(most, least)
}

// cost returns how many events the requests behind results have cost exo.
func cost(results []workload.Result) int64 {
	var events int64
	for _, r := range results {
		events += int64(max(r.TokenEvents, r.OutputTokens) + r.PromptTokens/tokensReported + ownEvents)
	}
	return events
}
