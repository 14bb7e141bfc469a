// Package arrival tells when the kernel received what a connection is read for, which is how
// late the reader was. Only Linux tells that of TCP.
package arrival

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"
)

const (
	maxReads = 1 << 16        // that a Conn remembers: more than the tokens of any answer
	maxLate  = 24 * time.Hour // a clock may be set by years while bytes wait
)

// Conn is a connection that remembers of each read how long before it the kernel had received
// what was read.
type Conn struct {
	net.Conn
	read func(p []byte) (n int, at time.Time, err error)

	mu     sync.Mutex
	late   []time.Duration
	untold int // reads of which the kernel did not tell
}

// Dialer makes connections as net.Dialer.DialContext does.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// Dial returns a Dialer whose connections are of type *Conn where the system tells when bytes
// came, and as dial makes them elsewhere.
func Dial(dial Dialer) Dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if read := stamped(c); read != nil {
			return &Conn{Conn: c, read: read}, nil
		}
		return c, nil
	}
}

// Of returns the Conn below c, which may be TLS's; nil when there is none.
func Of(c net.Conn) *Conn {
	for c != nil {
		if a, ok := c.(*Conn); ok {
			return a
		}
		wrapped, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		c = wrapped.NetConn()
	}
	return nil
}

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) {
	n, at, err := c.read(p)
	if n > 0 {
		c.note(at)
	}
	return n, err
}

// note notes a read, just now, of what had come at the given time.
func (c *Conn) note(at time.Time) {
	late := time.Since(at) // by the wall clock, as the kernel gives no other
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case at.IsZero():
		c.untold++
	case len(c.late) < maxReads:
		c.late = append(c.late, min(maxLate, max(0, late)))
	}
}

// Lateness returns how late each read was so far, one time for every read of which the kernel told
// when its last bytes came; none where it did not tell of more than a tenth, and for a nil Conn.
func (c *Conn) Lateness() []time.Duration {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if 10*c.untold > len(c.late) {
		return nil
	}
	return slices.Clone(c.late)
}
