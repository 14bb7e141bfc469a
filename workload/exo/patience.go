package exo

import (
	"context"
	"net/http"
	"sync"
	"time"

	"exo-bench-exporter/workload/exo/httpapi"
)

// Bounds of one wait for a node that wants to be asked again.
const (
	waitAtLeast = 500 * time.Millisecond
	waitUsually = 2 * time.Second
)

// loads is how long the loading of each model may still be waited for, by its id, and by the empty one
// that of the node itself. What was waited in vain is gone until the model has answered, so that one
// which never comes costs that time once and not in every turn.
type loads struct {
	most time.Duration

	mu     sync.Mutex
	waited map[string]time.Duration
}

// wait takes d from what is left for id; ok is false when there is less.
func (l *loads) wait(id string, d time.Duration) (ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waited[id]+d > l.most {
		return false
	}
	l.waited[id] += d
	return true
}

// came notes that what id names is there.
func (l *loads) came(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.waited, id)
}

// forget gives everything back what was waited for it.
func (l *loads) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.waited)
}

// patience is how long a session goes on asking a node that wants to be asked again: for as long
// as it may be busy with others, in each turn, and for as long as it may load the model.
type patience struct {
	busy  time.Duration
	load  func(time.Duration) (ok bool)
	until time.Time // when it ends in any case; zero for never
}

// wait returns how long to wait before asking again, and takes it from what is left; ok is false
// when asking again is no use, or when the node wants to be left alone for longer than there is. Of
// a request that loads the model any 503 says that it is not there yet, whoever says so.
func (p *patience) wait(e *httpapi.StatusError, loads bool) (d time.Duration, ok bool) {
	d = waitUsually
	if e.RetryAfter > 0 {
		d = max(e.RetryAfter, waitAtLeast)
	}
	switch {
	case !p.until.IsZero() && time.Until(p.until) < d:
		return 0, false
	case e.Code == http.StatusTooManyRequests:
		if d > p.busy {
			return 0, false
		}
		p.busy -= d
		return d, true
	case e.Loading(), e.Code == http.StatusServiceUnavailable && (e.RetryAfter > 0 || loads):
		return d, p.load(d)
	}
	return 0, false
}

// pause waits for d or the end of ctx, whose error it returns.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
