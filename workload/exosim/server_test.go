package exosim

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
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
