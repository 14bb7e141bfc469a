package exosim

import (
	"context"
	"time"
)

// legacyEngine is the inference engine of legacy exo: one model at a time, one executor.
// The node's mutex guards it.
type legacyEngine struct {
	model   *Profile // the loaded one; nil for none
	next    *Profile // being loaded; the old model is freed only afterwards
	share   float64  // of next that is loaded
	active  map[*generation]struct{}
	changed chan struct{} // closed and renewed when a generation or a load ends
	kept    []int         // tokens in the KV caches of finished requests
	peak    uint64        // high-water mark of the resident set
}

// legacyCaches is how many KV caches of finished requests the MLX engine keeps.
const legacyCaches = 3

func (e *legacyEngine) init() {
	e.active = map[*generation]struct{}{}
	e.changed = make(chan struct{})
}

func (e *legacyEngine) notify() {
	e.peak = max(e.peak, e.rss())
	close(e.changed)
	e.changed = make(chan struct{})
}

// rss returns the resident set of the one process, without what the node has leaked.
func (e *legacyEngine) rss() uint64 {
	held := uint64(legacyRSS)
	if e.next != nil {
		held += uint64(e.share * float64(e.next.WeightsBytes))
	}
	if e.model == nil {
		return held
	}
	tokens := 0
	for g := range e.active {
		tokens += g.kvTokens
	}
	for _, k := range e.kept {
		tokens += k
	}
	return held + e.model.WeightsBytes + uint64(tokens)*e.model.KVBytesPerToken
}

// acquire makes g's model the loaded one and enters g, which may take the end of others'
// generations and a load.
func (n *Node) acquire(ctx context.Context, g *generation) error {
	e := &n.legacy
	for {
		n.mu.Lock()
		if e.model == g.profile && e.next == nil {
			e.active[g] = struct{}{}
			n.mu.Unlock()
			return nil
		}
		if e.next == nil && len(e.active) == 0 {
			e.next, e.share = g.profile, 0
			n.mu.Unlock()
			if err := n.loadLegacy(ctx, g.profile); err != nil {
				return err
			}
			continue
		}
		changed := e.changed
		n.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// loadLegacy brings the weights of p into memory and then frees the old ones.
func (n *Node) loadLegacy(ctx context.Context, p *Profile) error {
	e := &n.legacy
	fails, failing := n.strikeInstance(RunnerFails, p.LegacyID)
	leak, leaking := n.strikeInstance(MemoryKept, p.LegacyID)
	var err error
	for layer := range p.Layers {
		if failing && layer == p.Layers/2 {
			setDefault(&fails.Message, "simulated failure of the load")
			err = &failure{fails.Message}
			break
		}
		d := time.Duration(float64(p.loadTime()) * n.slowdown(p.LegacyID) / float64(p.Layers))
		if err = sleepUntil(ctx, time.Now().Add(n.scaled(d))); err != nil {
			break
		}
		n.mu.Lock()
		e.share = float64(layer+1) / float64(p.Layers)
		e.peak = max(e.peak, e.rss()+n.leaked)
		n.mu.Unlock()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if err == nil {
		e.model, e.kept = p, nil
		if leaking {
			n.leaked += leak.Bytes
		}
	}
	e.next, e.share = nil, 0
	e.notify()
	return err
}

// release ends g's part in the engine.
func (n *Node) release(g *generation) {
	n.mu.Lock()
	defer n.mu.Unlock()
	e := &n.legacy
	if _, entered := e.active[g]; !entered {
		return
	}
	delete(e.active, g)
	e.kept = append(e.kept, g.kvTokens)
	if len(e.kept) > legacyCaches {
		e.kept = e.kept[1:]
	}
	e.notify()
}

// legacyShare returns by which factor a generation takes longer because of the others on
// the one executor.
func (n *Node) legacyShare() float64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return float64(max(1, len(n.legacy.active)))
}
