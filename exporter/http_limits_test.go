package exporter

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// slowCollector keeps a scrape waiting.
type slowCollector struct {
	desc             *prometheus.Desc
	started, release chan struct{}
}

func (c slowCollector) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

func (c slowCollector) Collect(chan<- prometheus.Metric) {
	c.started <- struct{}{}
	<-c.release
}

func TestScrapesAtTheSameTimeAreLimited(t *testing.T) {
	slow := slowCollector{prometheus.NewDesc("slow", "Slow.", nil, nil), make(chan struct{}), make(chan struct{})}
	reg := prometheus.NewRegistry()
	reg.MustRegister(slow)
	f := NewFront(reg, NewStore(testOptions()), quiet)
	var wg sync.WaitGroup
	for range maxScrapes {
		wg.Go(func() {
			if w := get(f, "/metrics"); w.Code != http.StatusOK {
				t.Errorf("one of %d scrapes: status %d", maxScrapes, w.Code)
			}
		})
		<-slow.started
	}
	refused := make(chan int, 1)
	wg.Go(func() { refused <- get(f, "/metrics").Code })
	select {
	case status := <-refused:
		if status != http.StatusServiceUnavailable {
			t.Errorf("one scrape more: status %d", status)
		}
	case <-slow.started:
		t.Error("one scrape more is let in")
	}
	close(slow.release)
	wg.Wait()
}

// pipes is a listener whose connections are pipes in memory.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	down  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), down: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.down:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.down) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// A client that stops talking or reading does not hold a connection for ever.
func TestSlowClientsAreCutOff(t *testing.T) {
	reads := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	writes := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	})
	const request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
	for name, c := range map[string]struct {
		handler http.Handler
		send    string
		reads   bool
		after   time.Duration
	}{
		"headers that do not end":       {reads, "POST / HTTP/1.1\r\nHost: x\r\n", true, 5 * time.Second},
		"a body that does not end":      {reads, request + "a", true, 10 * time.Second},
		"an answer that nobody reads":   {writes, request + "ab", false, 30 * time.Second},
		"no request after the first":    {reads, request + "ab", true, 2 * time.Minute},
		"headers that are much too big": {reads, fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nX: %0*d\r\n\r\n", 64<<10, 0), true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				l := newPipes()
				done := make(chan error, 1)
				go func() { done <- Serve(ctx, l, c.handler, "", quiet) }()
				client, server := net.Pipe()
				closed := make(chan struct{})
				start := time.Now()
				l.conns <- noticed{server, sync.OnceFunc(func() { close(closed) })}
				go func() { _, _ = io.WriteString(client, c.send) }()
				if c.reads {
					go func() { _, _ = io.Copy(io.Discard, bufio.NewReader(client)) }()
				}
				<-closed
				// After an answer, net/http grants the client half a second to see it.
				if took := time.Since(start); took < c.after || took > c.after+time.Second {
					t.Errorf("cut off after %v, want %v", took, c.after)
				}
				_ = client.Close()
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// noticed is a connection whose end is noticed.
type noticed struct {
	net.Conn
	closed func()
}

func (n noticed) Close() error {
	n.closed()
	return n.Conn.Close()
}
