package exosim

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"exo-bench-exporter/workload/exosim/link"
	"exo-bench-exporter/workload/exosim/wire"
)

// Header is set on every answer of a Node: nothing that carries it comes from exo.
const Header = "X-Exo-Sim"

// ServeHTTP answers as exo would, and under /_sim/ as the simulator.
func (n *Node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !n.world.Enter() {
		panic(http.ErrAbortHandler)
	}
	defer n.world.Leave()
	w.Header().Set(Header, "1")
	if strings.HasPrefix(r.URL.Path, "/_sim/") {
		n.control.ServeHTTP(w, r)
		return
	}
	_, pattern := n.routes.Handler(r)
	n.calls.add(r, pattern)
	if n.unreachable() {
		wire.ResetConnection(w)
	}
	n.mu.Lock()
	exo := n.answers
	n.mu.Unlock()
	if f, ok := n.world.Faults.StrikePath(r.Method, r.URL.Path); ok {
		if f.Kind == AnswerLost {
			exo.ServeHTTP(newSaid(), r)
			wire.ResetConnection(w)
		}
		_, _ = io.Copy(io.Discard, r.Body) // else a client that hangs up is not noticed
		ctx, cancel := n.world.With(r.Context())
		defer cancel()
		n.world.Faults.Answer(ctx, w, f, n.exo.Refuse)
		return
	}
	if r.Header.Get("Origin") != "" {
		w.Header().Set("Access-Control-Allow-Origin", "*")
	}
	exo.ServeHTTP(w, r)
}

func (n *Node) unreachable() bool {
	_, down := n.world.Faults.Active(Unreachable, "")
	return down
}

// Serve answers on l until the node is closed, and then returns nil. It closes l.
func (n *Node) Serve(l net.Listener) error {
	s := &http.Server{
		Handler: n, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(n.world.Log.Handler(), slog.LevelDebug),
	}
	if !n.adopt(s) {
		return l.Close()
	}
	if err := s.Serve(link.Restyle(l, n.style)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// adopt remembers a server to close; false when the node is closed already.
func (n *Node) adopt(s *http.Server) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.world.Context().Err() != nil {
		return false
	}
	n.servers = append(n.servers, s)
	return true
}

// hangUp closes all connections.
func (n *Node) hangUp() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.servers {
		_ = s.Close()
	}
	if n.link != nil {
		n.link.Cut()
		n.transport.CloseIdleConnections()
	}
}

// Transport returns a RoundTripper that calls the node in process, without sockets, so that
// it works in virtual time: net/http's own client and server over connections in memory.
// Like a real node it refuses connections when it is closed or Unreachable.
func (n *Node) Transport() http.RoundTripper {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.transport != nil {
		return n.transport
	}
	l := link.Listen()
	n.link = l
	n.transport = &http.Transport{
		DisableCompression: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if n.unreachable() {
				return nil, link.Refused()
			}
			return l.Dial(ctx, network, address)
		},
	}
	if !n.world.Spawn(func() { _ = n.Serve(l) }) {
		_ = l.Close()
	}
	return n.transport
}

// callCount counts the calls of each route. It is safe for concurrent use.
type callCount struct {
	mu    sync.Mutex
	calls map[string]int
}

// routesCounted bounds how many routes are told apart.
const routesCounted = 1000

func (c *callCount) add(r *http.Request, pattern string) {
	if pattern == "/" || pattern == "" {
		pattern = r.Method + " " + r.URL.Path
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls == nil {
		c.calls = map[string]int{}
	}
	if _, known := c.calls[pattern]; !known && len(c.calls) >= routesCounted {
		pattern = "other"
	}
	c.calls[pattern]++
}

// Calls returns how often each route was called since the start, control routes left out.
// A key is a method and a route, as in "DELETE /instance/{id}", or a method and a path
// where the node has no such route.
func (n *Node) Calls() map[string]int {
	n.calls.mu.Lock()
	defer n.calls.mu.Unlock()
	return maps.Clone(n.calls.calls)
}
