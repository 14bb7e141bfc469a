package instance

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload/exo/state"
	"exo-bench-exporter/workload/exosim"
)

// Models of the simulator: a small one, and two large ones that exo's own catalogue lacks.
const (
	llama   = "mlx-community/Llama-3.2-1B-Instruct-4bit"
	qwen    = "mlx-community/Qwen1.5-7B-Chat-4bit"
	mistral = "mlx-community/Mistral-7B-Instruct-v0.3-4bit"
)

// sim is a simulated node of exo 1.x and the way to it of an exporter.
type sim struct {
	*exosim.Node
	*way
}

// KillRunner ends a runner, and returns when exo shows that.
func (s *sim) KillRunner(instance string) {
	s.Node.KillRunner(instance)
	synctest.Wait()
}

func newSim(t *testing.T, o exosim.Options, faults ...exosim.Fault) *sim {
	n := exosim.New(o)
	t.Cleanup(func() { _ = n.Close() })
	node := &sim{n, newWay(n)}
	for _, f := range faults {
		node.inject(t, f)
	}
	return node
}

// way is an exporter's way to a node. It knows what passed: the calls, the instances that were
// asked for, and the DELETEs of others.
type way struct {
	node *exosim.Node

	mu     sync.Mutex
	late   time.Duration // of every answer; what was asked for happens at once
	calls  []string      // "METHOD path"
	asked  map[string][]byte
	crimes []string
}

func newWay(n *exosim.Node) *way { return &way{node: n, asked: map[string][]byte{}} }

// RoundTrip implements http.RoundTripper.
func (w *way) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := w.note(req); err != nil {
		return nil, err
	}
	res, err := w.node.Transport().RoundTrip(req)
	w.mu.Lock()
	late := w.late
	w.mu.Unlock()
	if late > 0 && sleep(req.Context(), late) != nil {
		if err == nil {
			_ = res.Body.Close()
		}
		return nil, req.Context().Err()
	}
	return res, err
}

func (w *way) note(req *http.Request) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	call := req.Method + " " + req.URL.Path
	w.calls = append(w.calls, call)
	id, deletes := strings.CutPrefix(call, "DELETE /instance/")
	if deletes && slices.ContainsFunc(w.node.Instances(), func(i exosim.InstanceInfo) bool { return i.ID == id && w.asked[id] == nil }) {
		w.crimes = append(w.crimes, "deleted "+id)
	}
	if call != "POST /instance" {
		return nil
	}
	body, err := io.ReadAll(req.Body)
	req.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return err
	}
	in, err := state.ReadInstance(bytes.NewReader(body[len(`{"instance":`) : len(body)-1]))
	w.asked[in.ID] = body
	return err
}

// called returns how many calls began so.
func (w *way) called(prefix string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.calls {
		if strings.HasPrefix(c, prefix) {
			n++
		}
	}
	return n
}

// left returns the instances that were asked for over this way and are there.
func (w *way) left() (ids []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, i := range w.node.Instances() {
		if w.asked[i.ID] != nil && i.Listed {
			ids = append(ids, i.ID)
		}
	}
	return ids
}

// wantNothingLeft also wants that nobody else's was touched.
func (w *way) wantNothingLeft(t *testing.T) {
	t.Helper()
	if left := w.left(); len(left) != 0 || len(w.crimes) != 0 {
		t.Errorf("left behind: %v; %v", left, w.crimes)
	}
}

// strangers returns the listed instances that strangers have placed, oldest first.
func (s *sim) strangers() (ids []string) {
	for _, i := range s.Instances() {
		if i.Stranger && i.Listed {
			ids = append(ids, i.ID)
		}
	}
	return ids
}

func (s *sim) inject(t *testing.T, f exosim.Fault) {
	t.Helper()
	if _, err := s.Inject(f); err != nil {
		t.Error(err)
	}
}

// place has a stranger place an instance.
func (s *sim) place(t *testing.T, model string) (id string) {
	t.Helper()
	id, err := s.PlaceStranger(model)
	if err != nil {
		t.Error(err)
	}
	return id
}

// load is place that waits until the instance is ready.
func (s *sim) load(t *testing.T, model string) string {
	t.Helper()
	id := s.place(t, model)
	s.await(t, func(i exosim.InstanceInfo) bool { return i.ID == id && i.Status == state.RunnerReady })
	return id
}

// await waits for an instance of which is says that it is the one.
func (s *sim) await(t *testing.T, is func(exosim.InstanceInfo) bool) (found exosim.InstanceInfo) {
	for t.Context().Err() == nil {
		if i := slices.IndexFunc(s.Instances(), is); i >= 0 {
			return s.Instances()[i]
		}
		pass(100 * time.Millisecond)
	}
	return found
}

// chat has a stranger ask a model for so many tokens, and returns the answer's id at once.
func (s *sim) chat(t *testing.T, model string, tokens int) string {
	t.Helper()
	id, err := s.StartStranger(model, tokens)
	if err != nil {
		t.Error(err)
	}
	return id
}

// stream has a stranger ask a model over HTTP, until ctx ends.
func (s *sim) stream(t *testing.T, ctx context.Context, model, prompt string) {
	t.Helper()
	body := fmt.Sprintf(`{"model":%q,"stream":true,"messages":[{"role":"user","content":%q}]}`, model, prompt)
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, "http://exo.test/v1/chat/completions", strings.NewReader(body))
	res, err := s.Transport().RoundTrip(req)
	if err != nil {
		t.Error(err)
		return
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
}

// says makes exo answer calls that begin so with body.
func (s *sim) says(call, body string) { s.Reword(call, func(string) string { return body }) }
