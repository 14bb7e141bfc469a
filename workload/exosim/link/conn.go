package link

import (
	"net"
	"sync"
	"syscall"
)

// window is how much the server may write before it must wait for the reader, as with a
// socket's buffers: it keeps its pace when the client is slow to read.
const window = 256 << 10

// connection is what the two ends of a connection share.
type connection struct {
	mu    sync.Mutex
	reset bool // the client is told so instead of a proper end
}

func (c *connection) wasReset() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reset
}

// clientEnd is the end that Dial returns.
type clientEnd struct {
	net.Conn
	*connection
}

// Read implements net.Conn.
func (c *clientEnd) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil && c.wasReset() {
		err = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	return n, err
}

// serverEnd is the end that Accept returns. What is written waits in a buffer.
type serverEnd struct {
	net.Conn
	*connection

	space  *sync.Cond // on connection.mu
	queue  []byte
	closed bool
	broken error // of the last write to the other end
}

func newServerEnd(c net.Conn, shared *connection) *serverEnd {
	s := &serverEnd{Conn: c, connection: shared}
	s.space = sync.NewCond(&shared.mu)
	return s
}

// Write implements net.Conn.
func (s *serverEnd) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) >= window && s.broken == nil && !s.closed {
		s.space.Wait()
	}
	switch {
	case s.closed:
		return 0, net.ErrClosed
	case s.broken != nil:
		return 0, s.broken
	}
	s.queue = append(s.queue, b...)
	s.space.Broadcast()
	return len(b), nil
}

// SetLinger, with 0, makes the next Close a reset, as with a TCP connection.
func (s *serverEnd) SetLinger(sec int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reset = sec == 0
	return nil
}

// Close implements net.Conn: what waits is still delivered unless the connection is reset.
func (s *serverEnd) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.space.Broadcast()
	return nil
}

// pump carries what was written to the other end until the connection ends.
func (s *serverEnd) pump() {
	for {
		s.mu.Lock()
		for len(s.queue) == 0 && !s.closed {
			s.space.Wait()
		}
		batch := s.queue
		s.queue = nil
		s.space.Broadcast()
		s.mu.Unlock()
		if len(batch) == 0 { // closed, and all is delivered
			break
		}
		if _, err := s.Conn.Write(batch); err != nil {
			s.mu.Lock()
			s.broken = err
			s.space.Broadcast()
			s.mu.Unlock()
			break
		}
	}
	_ = s.Conn.Close()
}
