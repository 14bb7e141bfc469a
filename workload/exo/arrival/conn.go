// Package arrival tells when the kernel received what a connection was read for, which is how
// late the reader was. Only Linux tells that of TCP.
package arrival

import (
	"context"
	"net"
	"sync"
	"time"
)

// maxLate bounds what a read may have been late: a clock may be set by years while bytes wait.
const maxLate = 24 * time.Hour

// Conn is a connection that knows when the kernel had received what was read from it last.
type Conn struct {
	net.Conn
	read func(p []byte) (n int, at time.Time, err error)

	mu   sync.Mutex
	came time.Time
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

// note notes a read, just now, of what had come at the given time; zero where that is not known.
func (c *Conn) note(at time.Time) {
	var came time.Time
	if !at.IsZero() {
		now := time.Now()
		came = now.Add(-min(maxLate, max(0, now.Sub(at)))) // at is by the wall clock: the kernel gives no other
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.came = came
}

// Came returns when the kernel received the last byte of what was read last, by the monotonic clock;
// zero before the first read, where the kernel does not tell, and for a nil Conn.
func (c *Conn) Came() time.Time {
	if c == nil {
		return time.Time{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.came
}
