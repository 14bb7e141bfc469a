package exosim

import "time"

// truthsKept is how many of the last requests a Node remembers.
const truthsKept = 4096

// Truth is what a Node really did for one request, for judging a client by. Its times carry
// the monotonic clock.
type Truth struct {
	ID           string // of the answer
	Model        string // as the answer names it
	Route        string // path of the request; empty for a stranger's
	Received     time.Time
	FirstToken   time.Time // zero while no token event was written
	LastToken    time.Time
	Done         time.Time // when the answer ended; zero before
	PromptTokens int
	CachedTokens int
	Tokens       int // generated, including those that came without an event
	Finish       string
	End          string // "ok", or why the answer ended otherwise
	Streamed     bool
	// Starts and Writes are taken just before and just after each token event was written
	// and flushed; FirstToken and LastToken are Writes' first and last. For an answer that
	// is not streamed they say when each token was generated.
	Starts, Writes []time.Time
}

// TTFT returns the time from the request to the first token event; zero without one.
func (t Truth) TTFT() time.Duration {
	if t.FirstToken.IsZero() {
		return 0
	}
	return t.FirstToken.Sub(t.Received)
}

// DecodeRate returns (tokens-1)/(last-first token event) in tokens per second; zero when
// it is undefined.
func (t Truth) DecodeRate() float64 {
	d := t.LastToken.Sub(t.FirstToken)
	if t.Tokens < 2 || d <= 0 {
		return 0
	}
	return float64(t.Tokens-1) / d.Seconds()
}

// truthRing holds the last requests, oldest first.
type truthRing struct {
	byID  map[string]*Truth
	order []string
}

func (r *truthRing) add(t *Truth) {
	if r.byID == nil {
		r.byID = map[string]*Truth{}
	}
	if len(r.order) == truthsKept {
		delete(r.byID, r.order[0])
		r.order = r.order[1:]
	}
	r.byID[t.ID] = t
	r.order = append(r.order, t.ID)
}

// Truth returns what happened to the request whose answer has this id; false when it is
// unknown or forgotten. A request that still runs is reported as far as it got.
func (n *Node) Truth(id string) (Truth, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	t, ok := n.truths.byID[id]
	if !ok {
		return Truth{}, false
	}
	return t.clone(), true
}

// Truths returns the last requests, oldest first, at most limit of them if that is positive.
func (n *Node) Truths(limit int) []Truth {
	n.mu.Lock()
	defer n.mu.Unlock()
	order := n.truths.order
	if limit > 0 && len(order) > limit {
		order = order[len(order)-limit:]
	}
	all := make([]Truth, 0, len(order))
	for _, id := range order {
		all = append(all, n.truths.byID[id].clone())
	}
	return all
}

// clone returns a copy that does not change when the request goes on: the slices only ever
// grow, so a bounded view of them suffices.
func (t *Truth) clone() Truth {
	c := *t
	c.Starts = t.Starts[:len(t.Starts):len(t.Starts)]
	c.Writes = t.Writes[:len(t.Writes):len(t.Writes)]
	return c
}

// wrote notes a token event.
func (t *Truth) wrote(before, after time.Time) {
	if len(t.Writes) == 0 {
		t.FirstToken = after
	}
	t.LastToken = after
	t.Starts = append(t.Starts, before)
	t.Writes = append(t.Writes, after)
}
