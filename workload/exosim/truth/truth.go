// Package truth remembers what a simulated node really did, for judging a client by.
package truth

import (
	"sync"
	"time"
)

// kept is how many of the last requests a Log remembers.
const kept = 4096

// Truth is what a node really did for one request. Its times carry the monotonic clock.
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

// Log holds the last requests, oldest first. The zero value is ready for use, by several
// goroutines at once.
type Log struct {
	mu    sync.Mutex
	byID  map[string]*Record
	order []string
}

// Record is the truth about one request while it runs.
type Record struct {
	mu    sync.Mutex
	truth Truth
}

// Begin notes a request that came in with t's ID.
func (l *Log) Begin(t Truth) *Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byID == nil {
		l.byID = map[string]*Record{}
	}
	if len(l.order) == kept {
		delete(l.byID, l.order[0])
		l.order = l.order[1:]
	}
	r := &Record{truth: t}
	l.byID[t.ID] = r
	l.order = append(l.order, t.ID)
	return r
}

// Truth returns what happened to the request whose answer has this id; false when it is
// unknown or forgotten. A request that still runs is reported as far as it got.
func (l *Log) Truth(id string) (Truth, bool) {
	l.mu.Lock()
	r, ok := l.byID[id]
	l.mu.Unlock()
	if !ok {
		return Truth{}, false
	}
	return r.Truth(), true
}

// Truths returns the last requests, oldest first, at most limit of them if that is positive.
func (l *Log) Truths(limit int) []Truth {
	l.mu.Lock()
	defer l.mu.Unlock()
	order := l.order
	if limit > 0 && len(order) > limit {
		order = order[len(order)-limit:]
	}
	all := make([]Truth, 0, len(order))
	for _, id := range order {
		all = append(all, l.byID[id].Truth())
	}
	return all
}

// Truth returns a copy that does not change when the request goes on: the slices only ever
// grow, so a bounded view of them suffices.
func (r *Record) Truth() Truth {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.truth
	t.Starts = t.Starts[:len(t.Starts):len(t.Starts)]
	t.Writes = t.Writes[:len(t.Writes):len(t.Writes)]
	return t
}

// ID returns the answer's id.
func (r *Record) ID() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.truth.ID
}

// Generated notes a token.
func (r *Record) Generated() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.truth.Tokens++
}

// Wrote notes a token event.
func (r *Record) Wrote(before, after time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.truth.Writes) == 0 {
		r.truth.FirstToken = after
	}
	r.truth.LastToken = after
	r.truth.Starts = append(r.truth.Starts, before)
	r.truth.Writes = append(r.truth.Writes, after)
}

// Cached notes how many of the prompt's tokens were not read again.
func (r *Record) Cached(tokens int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.truth.CachedTokens = tokens
}

// Ended notes how the answer ended; finish is empty when it did not end by itself.
func (r *Record) Ended(end, finish string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.truth.End, r.truth.Finish, r.truth.Done = end, finish, time.Now()
}
