// Package link connects a client to a server in the same process, with net/http on both
// sides and no socket between: it works inside a testing/synctest bubble, where waiting for
// a socket would keep virtual time from going on.
package link

import (
	"context"
	"net"
	"net/http/httptrace"
	"sync"
	"syscall"
)

// Listener is a net.Listener whose connections come from its own Dial.
type Listener struct {
	conns  chan net.Conn
	closed chan struct{}

	mu   sync.Mutex
	live map[*serverEnd]struct{}
	over bool
	wg   sync.WaitGroup
}

// Listen returns a Listener. It must be closed.
func Listen() *Listener {
	return &Listener{conns: make(chan net.Conn), closed: make(chan struct{}), live: map[*serverEnd]struct{}{}}
}

// Refused returns the error of a dial that nobody answers.
func Refused() error { return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED} }

// Dial connects to the listener; it has the form of http.Transport's DialContext. It is
// refused once the listener is closed.
func (l *Listener) Dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	if trace := httptrace.ContextClientTrace(ctx); trace != nil { // as a net.Dialer does
		if trace.ConnectStart != nil {
			trace.ConnectStart(network, address)
		}
		if trace.ConnectDone != nil {
			defer func() { trace.ConnectDone(network, address, err) }()
		}
	}
	near, far := net.Pipe()
	shared := new(connection)
	server := newServerEnd(far, shared)
	if !l.adopt(server) {
		return nil, Refused()
	}
	select {
	case l.conns <- server:
		return &clientEnd{near, shared}, nil
	case <-l.closed:
		_ = far.Close()
		_ = server.Close()
		return nil, Refused()
	case <-ctx.Done():
		_ = far.Close()
		_ = server.Close()
		return nil, ctx.Err()
	}
}

// adopt starts the pump of a connection; false when the listener is closed.
func (l *Listener) adopt(s *serverEnd) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return false
	}
	l.live[s] = struct{}{}
	l.wg.Go(func() {
		s.pump()
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.live, s)
	})
	return true
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener; connections that were accepted go on.
func (l *Listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		l.over = true
		close(l.closed)
	}
	return nil
}

// Cut closes the listener and breaks all its connections; what they still held is lost.
func (l *Listener) Cut() {
	_ = l.Close()
	l.mu.Lock()
	for s := range l.live {
		_ = s.Close()
		_ = s.Conn.Close()
	}
	l.mu.Unlock()
	l.wg.Wait()
}

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return &net.UnixAddr{Name: "exo-sim", Net: "unix"} }
