package exo1

import "exo-bench-exporter/workload/exosim/pace"

// cachedPrompt is a prompt whose keys and values a runner has kept.
type cachedPrompt struct {
	prompt pace.Prompt
	tps    float64 // prefill rate when it was computed: exo reports it again on an exact hit
}

// promptsKept bounds a runner's prefix cache.
const promptsKept = 64

// Prefix cache hits as exo names them.
const (
	hitNone    = "none"
	hitPartial = "partial"
	hitExact   = "exact"
)

// lookup returns how many of p's tokens the instance's runner has cached, which kind of hit
// that is, and the prefill rate that was kept with it. The last two tokens are never taken
// from the cache.
func (c *cluster) lookup(i *instance, p pace.Prompt) (cached int, hit string, tps float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	hit = hitNone
	for _, c := range i.cache {
		common := c.prompt.CommonTokens(p)
		if c.prompt.Text == p.Text {
			return p.Tokens - 2, hitExact, c.tps
		}
		if common > cached {
			cached, hit = min(common, p.Tokens-2), hitPartial
		}
	}
	return cached, hit, 0
}

// store keeps p in the runner's cache.
func (c *cluster) store(i *instance, p pace.Prompt, tps float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, c := range i.cache {
		if c.prompt.Text == p.Text {
			return
		}
	}
	if len(i.cache) == promptsKept {
		i.cache = i.cache[1:]
	}
	i.cache = append(i.cache, cachedPrompt{p, tps})
}
