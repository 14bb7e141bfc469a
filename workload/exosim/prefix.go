package exosim

// cachedPrompt is a prompt whose keys and values a runner has kept.
type cachedPrompt struct {
	prompt prompt
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

// lookup returns how many of p's tokens are cached, which kind of hit that is, and the
// prefill rate that was kept with it. The last token is never taken from the cache.
func (i *instance) lookup(p prompt) (cached int, hit string, tps float64) {
	hit = hitNone
	for _, c := range i.cache {
		common := c.prompt.commonTokens(p)
		if c.prompt.text == p.text {
			return p.tokens - 1, hitExact, c.tps
		}
		if common > cached {
			cached, hit = min(common, p.tokens-1), hitPartial
		}
	}
	return cached, hit, 0
}

// store keeps p.
func (i *instance) store(p prompt, tps float64) {
	for _, c := range i.cache {
		if c.prompt.text == p.text {
			return
		}
	}
	if len(i.cache) == promptsKept {
		i.cache = i.cache[1:]
	}
	i.cache = append(i.cache, cachedPrompt{p, tps})
}
