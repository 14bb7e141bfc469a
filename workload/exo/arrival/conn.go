// Package arrival tells when the kernel received what a connection was read for, which is how
// late the reader was, and whether the other side has ended it. Only Linux tells the former of TCP.
package arrival

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// maxLate bounds what a read may have been late: a clock may be set by years while bytes wait.
const maxLate = 24 * time.Hour

// Conn is a connection that knows when the kernel had received what was read from it last, and how
// far it can be read.
type Conn struct {
	net.Conn
	read func(p []byte) (n int, at time.Time, err error) // nil where the system does not tell when bytes came

	mu    sync.Mutex
	came  time.Time
	ended bool
}

// Dialer makes connections as net.Dialer.DialContext does.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// Dial returns a Dialer whose connections are of type *Conn, made by dial.
func Dial(dial Dialer) Dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &Conn{Conn: c, read: stamped(c)}, nil
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
	var n int
	var at time.Time
	var err error
	if c.read != nil {
		n, at, err = c.read(p)
	} else {
		n, err = c.Conn.Read(p)
	}
	if n > 0 {
		c.note(at)
	}
	if err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.mu.Lock()
		c.ended = true
		c.mu.Unlock()
	}
	return n, err
}

// Ended reports whether all that could be read has been, because the other side has ended the connection,
// properly or not; false for a nil Conn.
func (c *Conn) Ended() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
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
