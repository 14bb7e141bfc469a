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
	conn     *arrival.Conn // nil where the system does not tell when bytes came
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

// lateness returns how late each read of the connection was; none where that is not known.
func (t *connTrace) lateness() []time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conn.Lateness()
}

// failed reports whether a connection was asked for but never had.
func (t *connTrace) failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.asked.IsZero() && t.got.IsZero()
}
