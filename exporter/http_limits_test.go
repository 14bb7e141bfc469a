package exporter

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// slowCollector keeps a scrape waiting.
type slowCollector struct {
	desc    *prometheus.Desc
	release chan struct{}
}

func (c slowCollector) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

func (c slowCollector) Collect(chan<- prometheus.Metric) { <-c.release }

func TestScrapesAtTheSameTimeAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := slowCollector{prometheus.NewDesc("slow", "Slow.", nil, nil), make(chan struct{})}
		reg := prometheus.NewRegistry()
		reg.MustRegister(slow)
		f := NewFront(reg, NewStore(testOptions()), quiet)
		statuses := make(chan int, maxScrapes+1)
		for range maxScrapes {
			go func() { statuses <- get(f, "/metrics").Code }()
		}
		synctest.Wait()
		go func() { statuses <- get(f, "/metrics").Code }()
		synctest.Wait()
		if len(statuses) != 1 || <-statuses != http.StatusServiceUnavailable {
			t.Errorf("one scrape more than %d was not refused", maxScrapes)
		}
		close(slow.release)
		for range maxScrapes {
			if status := <-statuses; status != http.StatusOK {
				t.Errorf("one of %d scrapes: status %d", maxScrapes, status)
			}
		}
	})
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

// However many clients ask and do not read, one that does is answered, and those that have waited
// longest give way.
func TestClientsThatDoNotReadHoldUpNobody(t *testing.T) {
	for _, request := range []string{"", "Accept-Encoding: gzip\r\n"} {
		synctest.Test(t, func(t *testing.T) {
			f, m, _ := newTestFront()
			observeSequence(m)
			ctx, cancel := context.WithCancel(t.Context())
			l := newPipes()
			done := make(chan error, 1)
			go func() { done <- Serve(ctx, l, f, "", quiet) }()
			var clients []net.Conn
			var closed atomic.Int64
			for range 3 * maxUnread {
				client, server := net.Pipe()
				clients = append(clients, client)
				l.conns <- &noticed{server, sync.OnceFunc(func() { closed.Add(1) })}
				_, _ = io.WriteString(client, "GET /metrics HTTP/1.1\r\nHost: x\r\n"+request+"\r\n")
				synctest.Wait()
			}
			if closed := closed.Load(); closed != 2*maxUnread {
				t.Errorf("%d of %d clients were cut off, want %d", closed, 3*maxUnread, 2*maxUnread)
			}
			start := time.Now()
			for range 5 {
				client, server := net.Pipe()
				l.conns <- server
				_, _ = io.WriteString(client, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
				response, err := http.ReadResponse(bufio.NewReader(client), nil)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(response.Body)
				_ = response.Body.Close()
				if err != nil || response.StatusCode != http.StatusOK || int64(len(body)) != response.ContentLength {
					t.Errorf("status %d with %d bytes, %v", response.StatusCode, len(body), err)
				}
				_ = client.Close()
			}
			if took := time.Since(start); took != 0 {
				t.Errorf("who reads waited for %v", took)
			}
			for _, c := range clients {
				_ = c.Close()
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

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
				l.conns <- &noticed{server, sync.OnceFunc(func() { close(closed) })}
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

func (n *noticed) Close() error {
	n.closed()
	return n.Conn.Close()
}

// However many connections are open, a new one is answered: those give way that ask nothing, the oldest
// first, and only where there are no others those that are answered.
func TestConnectionsAreLimited(t *testing.T) {
	for name, tt := range map[string]struct {
		sent   string
		active bool
	}{
		"silent":    {sent: ""},
		"half":      {sent: "GET / HTTP/1.1\r\nHost: x\r\n"},
		"idle":      {sent: "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"},
		"answering": {sent: "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n", active: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			f, _, _ := newTestFront()
			f.Handle("GET /slow", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
			ctx, cancel := context.WithCancel(t.Context())
			l := newPipes()
			done := make(chan error, 1)
			go func() { done <- Serve(ctx, l, f, "", quiet) }()
			var order []int // in which they were closed
			var mu sync.Mutex
			open := func(n int, sent string) net.Conn {
				client, server := net.Pipe()
				go func() { _, _ = io.Copy(io.Discard, client) }()
				l.conns <- &noticed{server, sync.OnceFunc(func() {
					mu.Lock()
					defer mu.Unlock()
					order = append(order, n)
				})}
				_, _ = io.WriteString(client, sent)
				synctest.Wait()
				return client
			}
			first := open(0, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
			for n := range maxConns + 9 {
				_ = open(n+1, tt.sent)
			}
			want := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
			if tt.active {
				want = []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
			}
			mu.Lock()
			if !slices.Equal(order, want) {
				t.Errorf("%s: %v were closed, want %v", name, order, want)
			}
			mu.Unlock()
			client, server := net.Pipe()
			l.conns <- server
			_, _ = io.WriteString(client, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			response, err := http.ReadResponse(bufio.NewReader(client), nil)
			if err != nil || response.StatusCode != http.StatusOK {
				t.Fatalf("%s: a scrape afterwards: %v", name, err)
			}
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
			_ = first.Close()
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// Who reads slowly gets a whole answer, however long that takes; who has stopped reading is cut off soon.
func TestTimeToReadFollowsProgress(t *testing.T) {
	const size = 20 * unreadPiece
	for name, tt := range map[string]struct {
		reads int           // bytes at once, 0 for none
		pause time.Duration // after each time
		whole bool
		took  time.Duration
	}{
		"slow":         {reads: unreadPiece, pause: unreadPatience / 2, whole: true},
		"stopped":      {reads: 0, took: unreadPatience},
		"next to none": {reads: 1, pause: time.Second, took: unreadPatience},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			l := newPipes()
			done := make(chan error, 1)
			handler := &detached{h: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, size)) })}
			go func() { done <- Serve(ctx, l, handler, "", quiet) }()
			client, server := net.Pipe()
			start := time.Now()
			closed := make(chan struct{})
			l.conns <- &noticed{server, sync.OnceFunc(func() { close(closed) })}
			_, _ = io.WriteString(client, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			var got int
			for buffer := make([]byte, max(1, tt.reads)); tt.reads > 0; time.Sleep(tt.pause) {
				n, err := client.Read(buffer)
				if got += n; err != nil {
					break
				}
			}
			<-closed
			if took := time.Since(start); !tt.whole && (took < tt.took || took > tt.took+2*time.Second) {
				t.Errorf("%s: cut off after %v, want %v", name, took, tt.took)
			}
			if whole := got > size; whole != tt.whole {
				t.Errorf("%s: %d of %d bytes were read in %v", name, got, size, time.Since(start))
			}
			_ = client.Close()
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}
