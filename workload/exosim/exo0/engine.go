package exo0

import (
	"cmp"
	"context"
	"sync"
	"time"

	"exo-bench-exporter/workload/exosim/faults"
	"exo-bench-exporter/workload/exosim/pace"
)

// engine is the inference engine of legacy exo: one model at a time, one executor. It is
// safe for concurrent use.
type engine struct {
	mu      sync.Mutex
	model   *pace.Profile // the loaded one; nil for none
	next    *pace.Profile // being loaded; the old model is freed only afterwards
	share   float64       // of next that is loaded
	active  map[*pace.Generation]struct{}
	changed chan struct{} // closed and renewed when a generation or a load ends
	kept    []int         // tokens in the KV caches of finished requests
	peak    uint64        // high-water mark of the resident set
	leaked  uint64        // bytes that the process never gave back
}

const (
	// cachesKept is how many KV caches of finished requests the MLX engine keeps.
	cachesKept = 3
	// bareRSS is the resident set of the one process without weights.
	bareRSS = 420 << 20
)

func (e *engine) init() {
	e.active = map[*pace.Generation]struct{}{}
	e.changed = make(chan struct{})
}

// rss returns the resident set of the one process. The mutex is held.
func (e *engine) rss() uint64 {
	held := bareRSS + e.leaked
	if e.next != nil {
		held += uint64(e.share * float64(e.next.WeightsBytes))
	}
	if e.model == nil {
		return held
	}
	tokens := 0
	for g := range e.active {
		tokens += g.KVTokens()
	}
	for _, k := range e.kept {
		tokens += k
	}
	return held + e.model.WeightsBytes + uint64(tokens)*e.model.KVBytesPerToken
}

// memory returns the resident set and its high-water mark, in bytes.
func (e *engine) memory() (rss, peak uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.rss(), e.peak
}

// running returns how many generations run.
func (e *engine) running() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.active)
}

// contention returns by which factor a generation takes longer because of the others on the one
// executor.
func (e *engine) contention() float64 { return float64(max(1, e.running())) }

// enter makes p the loaded model and enters g, or says what to do first: load p, or wait
// until changed is closed.
func (e *engine) enter(p *pace.Profile, g *pace.Generation) (entered, load bool, changed <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.model == p && e.next == nil:
		e.active[g] = struct{}{}
		return true, false, nil
	case e.next == nil && len(e.active) == 0:
		e.next, e.share = p, 0
		return false, true, nil
	}
	return false, false, e.changed
}

// loaded notes how much of the next model is loaded.
func (e *engine) loaded(share float64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.share = share
	e.peak = max(e.peak, e.rss())
}

// settle ends a load: p is the model now unless it failed.
func (e *engine) settle(p *pace.Profile, failed bool, leaked uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !failed {
		e.model, e.kept = p, nil
		e.leaked += leaked
	}
	e.next, e.share = nil, 0
	e.notify()
}

// leave ends g's part in the engine.
func (e *engine) leave(g *pace.Generation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.active, g)
	e.kept = append(e.kept, g.KVTokens())
	if len(e.kept) > cachesKept {
		e.kept = e.kept[1:]
	}
	e.notify()
}

func (e *engine) notify() {
	e.peak = max(e.peak, e.rss())
	close(e.changed)
	e.changed = make(chan struct{})
}

// acquire makes g's model the loaded one and enters g, which may take the end of others'
// generations and a load.
func (n *Node) acquire(ctx context.Context, g *pace.Generation) error {
	for {
		entered, load, changed := n.engine.enter(g.Profile, g)
		switch {
		case entered:
			return nil
		case load:
			if err := n.load(ctx, g.Profile); err != nil {
				return err
			}
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// loadError is why a load failed.
type loadError struct{ cause string }

func (e *loadError) Error() string { return e.cause }

// load brings the weights of p into memory and then frees the old ones.
func (n *Node) load(ctx context.Context, p *pace.Profile) (err error) {
	fails, failing := n.Faults.StrikeInstance(faults.RunnerFails, p.LegacyID)
	leak, _ := n.Faults.StrikeInstance(faults.MemoryKept, p.LegacyID)
	defer func() { n.engine.settle(p, err != nil, leak.Bytes) }()
	for layer := range p.Layers {
		if failing && layer == p.Layers/2 {
			return &loadError{cmp.Or(fails.Message, "simulated failure of the load")}
		}
		d := time.Duration(float64(p.LoadTime()) * n.Faults.Slowdown(p.LegacyID) / float64(p.Layers))
		if err := pace.SleepUntil(ctx, n.Clock.After(d)); err != nil {
			return err
		}
		n.engine.loaded(float64(layer+1) / float64(p.Layers))
	}
	return nil
}
