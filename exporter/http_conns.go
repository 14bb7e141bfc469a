package exporter

import (
	"crypto/tls"
	"net"
	"net/http"
	"slices"
	"sync"
)

// maxConns bounds the connections that are open, and so the memory and the descriptors that clients can
// take: each costs some 30 KB. Prometheus, browsers and the agents of a cluster have a few each.
const maxConns = 256

// openConns are the connections of a server. Where there is one too many, one gives way: one on which no
// request is answered, else any, and of those the one on which nothing has happened for longest.
type openConns struct {
	mu  sync.Mutex
	all []openConn // that on which nothing has happened for longest first
}

type openConn struct {
	net.Conn
	active bool // a request is answered
}

// note has the form of http.Server's ConnState.
func (o *openConns) note(c net.Conn, s http.ConnState) {
	o.mu.Lock()
	defer o.mu.Unlock()
	known := len(o.all)
	o.all = slices.DeleteFunc(o.all, func(other openConn) bool { return other.Conn == c })
	if s != http.StateNew && len(o.all) == known {
		return // it has given way: its server calls it active once more when it reads the end of half a request
	}
	if s == http.StateClosed || s == http.StateHijacked {
		return
	}
	o.all = append(o.all, openConn{c, s == http.StateActive})
	if len(o.all) <= maxConns {
		return
	}
	i := max(0, slices.IndexFunc(o.all[:maxConns], func(other openConn) bool { return !other.active }))
	hangUp(o.all[i].Conn)
	o.all = slices.Delete(o.all, i, i+1)
}

// hangUp closes a connection without a word, for which TLS would wait.
func hangUp(c net.Conn) {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	_ = c.Close()
}
