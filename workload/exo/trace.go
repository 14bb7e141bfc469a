package exo

import (
	"net/http/httptrace"
	"sync"
	"time"

	"exo-bench-exporter/workload/exo/arrival"
)

// connTrace notes when a request asked for a connection and when it had one. The hooks may
// run on other goroutines.
type connTrace struct {
	connected func()

	mu       sync.Mutex
	asked    time.Time
	got      time.Time
	wrote    time.Time
	conn     *arrival.Conn // nil where connections are not the client's own
	isReused bool
}

func (t *connTrace) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.asked = time.Now()
		},
		GotConn: func(info httptrace.GotConnInfo) {
			t.mu.Lock()
			t.got, t.isReused, t.conn = time.Now(), info.Reused, arrival.Of(info.Conn)
			t.mu.Unlock()
			t.connected()
		},
		WroteHeaders: func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.wrote = time.Now()
		},
	}
}

// times returns when the connection was there and what it took to make it; ok is false when
// there was none, or when the transport does not say.
func (t *connTrace) times() (got time.Time, connect time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.isReused && !t.asked.IsZero() && !t.got.IsZero() {
		connect = t.got.Sub(t.asked)
	}
	return t.got, connect, !t.got.IsZero()
}

// written returns when the request was written; zero while it was not.
func (t *connTrace) written() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wrote
}

// came returns when the kernel received what was read last; zero where it does not tell, and for a nil
// connTrace. Nothing is read ahead of what is asked for, so that this is what the last event came by.
func (t *connTrace) came() time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.connection().Came()
}

// ended reports whether the node has ended the connection, as far as it was read.
func (t *connTrace) ended() bool { return t.connection().Ended() }

func (t *connTrace) connection() *arrival.Conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conn
}

// failed reports whether a connection was asked for but never had.
func (t *connTrace) failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.asked.IsZero() && t.got.IsZero()
}
