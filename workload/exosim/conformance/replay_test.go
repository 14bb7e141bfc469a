package conformance

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// replay is a RoundTripper that answers some paths with transcripts, byte by byte as they
// came and at the times at which they came, and leaves the others to a node.
type replay struct {
	node    http.RoundTripper
	answers map[string]transcript // by path
}

// RoundTrip implements http.RoundTripper.
func (r *replay) RoundTrip(req *http.Request) (*http.Response, error) {
	tr, ok := r.answers[req.URL.Path]
	if !ok {
		return r.node.RoundTrip(req)
	}
	once := &http.Transport{
		DisableKeepAlives: true, DisableCompression: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) { return newReplayConn(tr), nil },
	}
	return once.RoundTrip(req)
}

// replayConn is a connection to a node that answers one request with a transcript.
type replayConn struct {
	raw   []byte
	reads []read

	mu      sync.Mutex
	request bytes.Buffer
	asked   chan struct{} // closed when the request has come whole
	start   time.Time     // when that was

	closed chan struct{}
	once   sync.Once
	rest   []byte // of the read that is being delivered
}

func newReplayConn(tr transcript) *replayConn {
	return &replayConn{raw: tr.raw, reads: tr.reads, asked: make(chan struct{}), closed: make(chan struct{})}
}

// Write implements net.Conn.
func (c *replayConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.request.Write(b)
	if c.start.IsZero() && whole(c.request.Bytes()) {
		c.start = time.Now()
		close(c.asked)
	}
	return len(b), nil
}

// whole reports whether b is a complete request.
func whole(b []byte) bool {
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, req.Body)
	return err == nil
}

// Read implements net.Conn.
func (c *replayConn) Read(b []byte) (int, error) {
	if len(c.rest) == 0 {
		if err := c.await(); err != nil {
			return 0, err
		}
	}
	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// await waits for what the recorder's next read gave.
func (c *replayConn) await() error {
	select {
	case <-c.asked:
	case <-c.closed:
		return net.ErrClosed
	}
	if len(c.reads) == 0 {
		return io.EOF
	}
	next := c.reads[0]
	timer := time.NewTimer(time.Until(c.start.Add(next.at)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.closed:
		return net.ErrClosed
	}
	c.rest, c.raw, c.reads = c.raw[:next.bytes], c.raw[next.bytes:], c.reads[1:]
	return nil
}

// Close implements net.Conn.
func (c *replayConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

// LocalAddr implements net.Conn.
func (c *replayConn) LocalAddr() net.Addr { return &net.UnixAddr{Name: "replay", Net: "unix"} }

// RemoteAddr implements net.Conn.
func (c *replayConn) RemoteAddr() net.Addr { return c.LocalAddr() }

// errNoDeadline is returned for deadlines, which no client of a stream sets.
var errNoDeadline = errors.New("a replayed connection knows no deadlines")

// SetDeadline implements net.Conn.
func (c *replayConn) SetDeadline(time.Time) error { return errNoDeadline }

// SetReadDeadline implements net.Conn.
func (c *replayConn) SetReadDeadline(time.Time) error { return errNoDeadline }

// SetWriteDeadline implements net.Conn.
func (c *replayConn) SetWriteDeadline(time.Time) error { return errNoDeadline }
