package exosim

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload/exosim/wire"
)

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

// Over real sockets: streams close their connection, a reset is a reset, and what the node
// says it wrote is what came.
func TestOverSockets(t *testing.T) {
	n := New(Options{Speed: 200})
	defer n.Close()
	server := httptest.NewServer(n)
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	b := &bench{T: t, node: n, client: &http.Client{Transport: rewrite{transport, server.URL}}}

	b.place(llama1b)
	awaitReady(n)
	res := b.open("/v1/chat/completions", chatBody(llama1b, "hi", 20))
	if !res.Close || res.Header.Get("X-Accel-Buffering") != "no" || len(res.TransferEncoding) != 1 {
		t.Errorf("close %v, encoding %v, header %v", res.Close, res.TransferEncoding, res.Header)
	}
	all, err := events(res.Body)
	b.hangUp(res)
	toks := tokens(all)
	if err != nil || len(toks) != 20 {
		t.Fatalf("%d tokens, %v", len(toks), err)
	}
	truth, ok := n.Truth(idOf(t, toks[0]))
	if !ok || len(truth.Writes) != 20 {
		t.Fatalf("truth %+v", truth)
	}
	for i := range truth.Starts {
		if truth.Writes[i].Before(truth.Starts[i]) || toks[i].at.Before(truth.Starts[i]) {
			t.Errorf("token %d: begun %v, written %v, read %v", i, truth.Starts[i], truth.Writes[i], toks[i].at)
		}
	}

	for _, f := range []Fault{{Kind: Reset, After: 3}, {Kind: Unreachable}} {
		b.inject(f)
		res, err := b.client.Post("http://sim/v1/chat/completions", "application/json", strings.NewReader(chatBody(llama1b, "hi", 20)))
		if err == nil {
			_, err = events(res.Body)
			b.hangUp(res)
		}
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: %v", f.Kind, err)
		}
		n.Clear("")
	}
}

// awaitReady waits until the node's one runner is ready.
func awaitReady(n *Node) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for n.Instances()[0].Status != wire.RunnerReady {
		<-tick.C
	}
}

// rewrite sends all requests to one server.
type rewrite struct {
	http.RoundTripper
	to string
}

func (r rewrite) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	to := mustURL(r.to)
	req.URL.Scheme, req.URL.Host = to.Scheme, to.Host
	return r.RoundTripper.RoundTrip(req)
}

// What exo answers can be replaced and changed, route by route, also on the way.
func TestWrap(t *testing.T) {
	simulate(t, Options{}, func(b *bench) {
		b.node.Wrap(func(exo http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/node_id" {
					http.Error(w, "proxy", http.StatusBadGateway)
					return
				}
				exo.ServeHTTP(w, r)
			})
		})
		if status, body := b.do("GET", "/node_id", ""); status != http.StatusBadGateway || body != "proxy\n" {
			t.Errorf("/node_id: %d %s", status, body)
		}
		b.node.Reword("GET /mod", func(said string) string { return said[:9] + "…" })
		if status, body := b.do("GET", "/models", ""); status != http.StatusOK || body != `{"object"…` {
			t.Errorf("/models: %d %s", status, body)
		}
		if calls := b.node.Calls(); calls["GET /node_id"] != 1 || calls["GET /models"] != 1 {
			t.Errorf("calls %v", calls)
		}
	})
}

// As a client sees it, the head of an answer is that of the server that exo uses.
func TestHeads(t *testing.T) {
	for dialect, want := range map[Dialect]string{
		Exo1: "HTTP/1.1 404 \r\ncontent-length: 22\r\ncontent-type: application/json\r\nx-exo-sim: 1\r\ndate: D\r\nserver: hypercorn-h11\r\n\r\n",
		Exo0: "HTTP/1.1 404 Not Found\r\nContent-Type: application/octet-stream\r\nX-Exo-Sim: 1\r\nDate: D\r\nTransfer-Encoding: " +
			"chunked\r\nServer: Python/3.12 aiohttp/3.10.11\r\n\r\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			n := New(Options{Dialect: dialect})
			defer n.Close()
			conn, err := n.Transport().(*http.Transport).DialContext(t.Context(), "tcp", "sim:80")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, "GET /nope HTTP/1.1\r\nHost: sim\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, 1000)
			read, err := conn.Read(got)
			if err != nil {
				t.Fatal(err)
			}
			head, _, _ := strings.Cut(string(got[:read]), "\r\n\r\n")
			head = regexp.MustCompile(`(?i)(date): .* GMT`).ReplaceAllString(head, "$1: D") + "\r\n\r\n"
			if head != want {
				t.Errorf("%s:\n%q, want\n%q", dialect, head, want)
			}
		})
	}
}
