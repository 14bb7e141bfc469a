package exo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exosim/link"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeNode is an HTTP server that answers what a test has it answer, on the simulator's connections, so that net/http's
// own client and server run in virtual time. It is for answers that no exo gives, and for single ones; what a node does as
// a whole is the simulator's.
type fakeNode struct {
	t         *testing.T
	transport *http.Transport
	dialDelay time.Duration

	mu     sync.Mutex
	down   bool
	routes map[string]http.HandlerFunc // by path
	direct map[string]http.Handler     // by path; these read the bodies of requests themselves
	seen   []seen
	dials  int
}

// seen is a request that came in.
type seen struct {
	path  string
	auth  string
	body  chatRequest
	proto http.Header
}

func newFakeNode(t *testing.T, routes map[string]http.HandlerFunc) *fakeNode {
	t.Helper()
	n := &fakeNode{t: t, routes: routes}
	l := link.Listen()
	n.transport = httpapi.NewTransport(nil)
	n.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		const dialTimeout = 10 * time.Second
		select {
		case <-time.After(min(n.dialDelay, dialTimeout)):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if n.dialDelay >= dialTimeout {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
		}
		n.mu.Lock()
		down := n.down
		n.dials++
		n.mu.Unlock()
		if down {
			return nil, link.Refused()
		}
		return l.Dial(ctx, network, address)
	}
	srv := &http.Server{Handler: n, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	t.Cleanup(func() {
		n.transport.CloseIdleConnections()
		_ = srv.Close()
		<-done
		l.Cut()
	})
	return n
}

func (n *fakeNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := n.direct[r.URL.Path]; h != nil {
		h.ServeHTTP(w, r)
		return
	}
	s := seen{path: r.Method + " " + r.URL.RequestURI(), auth: r.Header.Get("Authorization"), proto: r.Header}
	if r.Method == http.MethodPost {
		_ = json.NewDecoder(r.Body).Decode(&s.body)
		_, _ = io.Copy(io.Discard, r.Body) // so that the server notices a client that hangs up
	}
	n.mu.Lock()
	n.seen = append(n.seen, s)
	h := n.routes[r.URL.Path]
	n.mu.Unlock()
	if h == nil {
		reply(http.StatusNotFound, `{"detail":"Not Found"}`)(w, r)
		return
	}
	h(w, r)
}

func (n *fakeNode) set(path string, h http.HandlerFunc) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.routes[path] = h
}

func (n *fakeNode) setDown(down bool) {
	n.mu.Lock()
	n.down = down
	n.mu.Unlock()
	if down {
		n.transport.CloseIdleConnections()
	}
}

// paths returns the requests that came in since the last call.
func (n *fakeNode) paths() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var p []string
	for _, s := range n.seen {
		p = append(p, s.path)
	}
	n.seen = nil
	return p
}

// prompts returns the chat requests that came in.
func (n *fakeNode) prompts() []seen {
	n.mu.Lock()
	defer n.mu.Unlock()
	var p []seen
	for _, s := range n.seen {
		if strings.HasPrefix(s.path, "POST ") {
			p = append(p, s)
		}
	}
	return p
}

// client returns a Client of the node; change may adjust its options.
func (n *fakeNode) client(change func(*Options)) *Client {
	n.t.Helper()
	o := Options{BaseURL: "http://node.test:52415", Transport: n.transport, StateDir: n.t.TempDir()}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = c.Close() })
	return c
}

// session returns a session on the node without opening one.
func (n *fakeNode) session(d workload.Dialect, change func(*Options)) *session {
	c := n.client(func(o *Options) {
		o.Dialect = d
		if change != nil {
			change(o)
		}
	})
	return &session{client: c, dialect: c.fixed, model: "m", id: "org/m"}
}

// reply serves one JSON document.
func reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// step is a piece of a stream: text that is sent after a pause.
type step struct {
	after time.Duration
	text  string
}

// The ways in which a stream ends.
var (
	errReset = errors.New("reset") // the connection breaks
	errHang  = errors.New("hang")  // nothing comes any more
)

// stream serves a stream of events; end is nil, errReset or errHang.
func stream(end error, steps ...step) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		for _, s := range steps {
			select {
			case <-time.After(s.after):
			case <-r.Context().Done():
				return
			}
			if _, err := io.WriteString(w, s.text); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
		}
		switch end {
		case errReset:
			panic(http.ErrAbortHandler)
		case errHang:
			<-r.Context().Done()
		}
	}
}

const ms = time.Millisecond

// data renders a data event with the delta and the fields that follow the choices.
func data(delta, finish, rest string) string {
	if finish != "" {
		finish = fmt.Sprintf(`,"finish_reason":%q`, finish)
	}
	return fmt.Sprintf(
		`data: {"id":"r1","object":"chat.completion","created":1,"model":"org/m","choices":[{"index":0,"delta":%s%s}]%s}`+"\n\n", delta, finish,
		rest,
	)
}

func tok(s string) string { return data(fmt.Sprintf(`{"role":"assistant","content":%q}`, s), "", "") }

const doneEvent = "data: [DONE]\n\n"

func useOf(prompt, completion, cached int) string {
	return fmt.Sprintf(`,"usage":{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":%d}}`,
		prompt, completion, prompt+completion, cached)
}

func request(maxTokens int) workload.Request {
	return workload.Request{Model: "m", Seed: 42, Prompt: workload.Prompt{
		ID: "p", Kind: "chat", MaxTokens: maxTokens, Messages: []workload.Message{
			{Role: "system", Content: "Be brief."}, {Role: "user", Content: "Hi"},
		},
	}}
}

// wire serves bytes as they are, and closes the connection.
func wire(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		c, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = buf.WriteString(answer)
		_ = buf.Flush()
		_ = c.Close()
	}
}
