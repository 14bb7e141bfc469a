package app

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exosim"
)

// impostor carries requests to a node but for those that it answers itself, by the bytes of a connection.
type impostor struct {
	t       *testing.T
	node    http.RoundTripper
	raw     *http.Transport
	strikes func(*http.Request) bool
	answer  func(io.Writer)
	active  atomic.Bool
	most    atomic.Int64 // bytes of one answer that were taken
}

func newImpostor(t *testing.T, node *exosim.Node, answer func(io.Writer), strikes func(*http.Request) bool) *impostor {
	i := &impostor{t: t, node: node.Transport(), raw: httpapi.NewTransport(nil), strikes: strikes, answer: answer}
	i.raw.DisableKeepAlives = true
	i.raw.DialContext = func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go i.serve(far)
		return near, nil
	}
	return i
}

// RoundTrip implements http.RoundTripper.
func (i *impostor) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != hostileHost {
		i.t.Errorf("%s was called", r.URL)
	}
	if i.active.Load() && i.strikes(r) {
		return i.raw.RoundTrip(r)
	}
	return i.node.RoundTrip(r)
}

func (i *impostor) serve(conn net.Conn) {
	defer conn.Close()
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	counted := &countingWriter{w: conn}
	i.answer(counted)
	i.most.Store(max(i.most.Load(), counted.n))
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

func questions(r *http.Request) bool { return r.Method == http.MethodGet }

// promptsTo strikes the prompts to a model.
func promptsTo(model string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/chat/completions") {
			return false
		}
		body, err := r.GetBody()
		if err != nil {
			return false
		}
		content, _ := io.ReadAll(body)
		return strings.Contains(string(content), model)
	}
}

// What answers in a node's place costs its model the turn, and nothing more: see docs/faults.md.
func TestHostileAnswers(t *testing.T) {
	for _, c := range hostileCases() {
		t.Run(c.name, func(t *testing.T) {
			for _, struck := range []struct {
				name    string
				by      func(*http.Request) bool
				want    workload.Outcome
				another workload.TurnOutcome // turn
			}{
				{"questions", questions, c.get, workload.TurnFailed},
				{"prompts", promptsTo("Meta-Llama-3.1-8B"), c.post, workload.TurnOK},
			} {
				synctest.Test(t, func(t *testing.T) {
					node := smallNode(t)
					way := newImpostor(t, node, c.answer, struck.by)
					s := startStack(t, setting{
						node: node, suite: shortSuite(2, faultTokens), seams: Seams{Transport: way},
						vars: []string{
							"MODELS", victim + "," + next, "API_KEY", hostileKey, "FIRST_TOKEN_TIMEOUT", "20s", "IDLE_TIMEOUT", "10s",
							"REQUEST_TIMEOUT", "1m", "BUSY_TIMEOUT", "1m", "LOAD_TIMEOUT", "1m",
						},
					})
					way.active.Store(true)
					cycle := s.runner.Cycle(t.Context())
					wantTurns(t, s, cycle, workload.TurnFailed, struck.another)
					turn := cycle.Turns[0]
					for _, r := range turn.Results {
						if r.Outcome != struck.want {
							t.Errorf("%s: %s is %s, want %s: %s", struck.name, r.Prompt, r.Outcome, struck.want, r.Err)
						}
					}
					if len(turn.Results) == 0 || !strings.Contains(turn.Reason, c.words) {
						t.Errorf("%s: %d results; the reason lacks %q: %s", struck.name, len(turn.Results), c.words, turn.Reason)
					}
					if took, most := way.most.Load(), int64(max(c.most, 2<<20)); took > most {
						t.Errorf("%s: %d bytes of an answer were taken, want at most %d", struck.name, took, most)
					}
					page := s.page(t) + s.get(t, "/metrics")
					way.active.Store(false)
					time.Sleep(time.Minute)
					wantTurns(t, s, s.runner.Cycle(t.Context()), workload.TurnOK, workload.TurnOK)
					s.close(t)
					time.Sleep(time.Minute)
					wantNodeAsItWas(t, node, "")
					for _, secret := range []string{"sk-hostile", "SECRET", "hunter2", "number of this prompt"} {
						if strings.Contains(page+s.log.String(), secret) {
							t.Errorf("%s: %q is shown; log:\n%s", struck.name, secret, s.log)
						}
					}
				})
			}
		})
	}
}
