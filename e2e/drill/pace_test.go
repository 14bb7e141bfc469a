package drill

import (
	"fmt"
	"sync"
	"time"

	"exo-bench-exporter/e2e/internal/stack"
)

// stale is the alert about cycles that do not end.
const stale = "ExoBenchStale"

// longest is the time from the end of a cycle to that of the next from which the rules may hold that no cycle ended for
// two intervals: they do not see what ended between two scrapes at the edge of that time.
const longest = 2*cycle - scrape

// pace notices when cycles do not end, by what the exporter says itself. A machine that other programs keep busy, or that
// stands still, stretches a cycle of three seconds to several; it is right then to tell of that, whatever a phase is about.
type pace struct {
	mu     sync.Mutex
	done   float64
	ended  time.Time // when a cycle was last seen to end; zero while the exporter is away
	paused time.Time // when a pause was last seen that was longest or longer
}

// see takes what the exporter exposes; nothing while it is away.
func (p *pace) see(exposition []byte, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	done := cyclesDone(exposition)
	if !p.ended.IsZero() && now.Sub(p.ended) >= longest {
		p.paused = now
	}
	switch {
	case len(exposition) == 0:
		p.ended = time.Time{}
	case done != p.done || p.ended.IsZero():
		p.ended = now
	}
	p.done = done
}

// pausedSince reports whether for too long no cycle has ended since a time.
func (p *pace) pausedSince(t time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.paused.After(t)
}

// cyclesDone returns how many cycles the exporter has done.
func cyclesDone(exposition []byte) (n float64) {
	for _, outcome := range []string{"ok", "partial", "failed"} {
		var v float64
		value, _ := stack.Sample(exposition, fmt.Sprintf("exobench_cycles_total{outcome=%q}", outcome))
		_, _ = fmt.Sscan(value, &v)
		n += v
	}
	return n
}
