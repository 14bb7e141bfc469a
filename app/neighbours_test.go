package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
)

// Two exporters and a user who loads, uses, kills and unloads models of his own share a node,
// in 200 random interleavings; in every third one the exporters share a state directory too,
// and now and then one is told to stop and started again. Nobody's instance is deleted but by
// who created it, every turn ends, and nothing of the exporters' stays behind.
func TestNeighbours(t *testing.T) {
	seeds := uint64(200)
	if testing.Short() {
		seeds = 20
	}
	met := map[workload.TurnOutcome]int{}
	var contended, borrowed, stopped int
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNeighbourhood(t, seed)
				n.run(t)
				for _, turn := range n.turns {
					met[turn.Outcome]++
					if turn.Outcome.Good() && !turn.Load.Owned {
						borrowed++
					}
					for _, r := range turn.Results {
						if r.Contended {
							contended++
						}
					}
				}
				stopped += n.stopped
			})
		})
	}
	t.Logf("turns %v; %d on borrowed instances; %d contended requests; %d stops", met, borrowed, contended, stopped)
	few := int(seeds) / 20
	if !testing.Short() && (met[workload.TurnOK] < few || met[workload.TurnPartial]+met[workload.TurnFailed] < few ||
		met[workload.TurnSkipped] < few || borrowed < few || contended < few || stopped < few) {
		t.Error("the interleavings do not cover what they should")
	}
}

// neighbourhood is one node with two exporters and a user.
type neighbourhood struct {
	seed uint64
	node *exosim.Node

	mu      sync.Mutex
	placed  map[string]bool     // the user's instances
	deleted map[string]bool     // those of them that he deleted
	posted  map[string]*watched // who asked for an instance
	turns   []workload.Turn
	stopped int
}

func newNeighbourhood(t *testing.T, seed uint64) *neighbourhood {
	n := &neighbourhood{seed: seed, placed: map[string]bool{}, deleted: map[string]bool{}, posted: map[string]*watched{}}
	n.node = exosim.New(exosim.Options{Seed: seed, Speed: 12, Profiles: profilesOf(victim, next)})
	t.Cleanup(func() { _ = n.node.Close() })
	if seed%4 != 0 { // an exo before v1.0.70, which is asked for its state with one call instead of three
		if _, err := n.node.Inject(exosim.Fault{Kind: exosim.StatePathsMissing}); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func (n *neighbourhood) run(t *testing.T) {
	dirs := []string{t.TempDir(), t.TempDir()}
	if n.seed%3 == 0 {
		dirs[1] = dirs[0]
	}
	var exporters, others sync.WaitGroup
	for i, dir := range dirs {
		exporters.Go(func() { n.exporter(t, fmt.Sprint("exporter ", i), dir, rand.New(rand.NewPCG(n.seed, uint64(i)))) })
	}
	ctx, cancel := context.WithCancel(t.Context())
	others.Go(func() { n.user(ctx, t, rand.New(rand.NewPCG(n.seed, 9))) })
	exporters.Wait()
	cancel()
	others.Wait()

	time.Sleep(time.Minute) // what exo still has to end, ends
	for _, i := range n.node.Instances() {
		if !i.Stranger {
			t.Errorf("left behind: %+v", i)
		}
		delete(n.placed, i.ID)
	}
	for _, i := range n.node.Deleted() {
		if i.Stranger && !n.deleted[i.ID] {
			t.Errorf("the user's instance was deleted by somebody else: %+v", i)
		}
		delete(n.placed, i.ID)
	}
	if len(n.placed) > 0 {
		t.Errorf("the user's instances have disappeared: %v", n.placed)
	}
}

// exporter runs a cycle, which may be told to stop at any time; then another exporter with
// the same state directory runs one to its end, as after a restart.
func (n *neighbourhood) exporter(t *testing.T, name, dir string, rnd *rand.Rand) {
	models := []string{victim, next}
	if rnd.IntN(2) == 0 {
		models = models[rnd.IntN(2):][:1]
	}
	var s *stack
	var way *watched
	start := func() {
		way = &watched{n: n, t: t, name: name, dir: dir}
		s = startStack(t, setting{
			node: n.node, suite: shortSuite(1+int(n.seed%4)/3, 6), seams: Seams{Transport: way},
			vars: []string{
				"MODELS", strings.Join(models, ","), "STATE_DIR", dir, "FIRST_TOKEN_TIMEOUT", "10s", "IDLE_TIMEOUT", "5s",
				"REQUEST_TIMEOUT", "30s", "LOAD_TIMEOUT", "20s", "BUSY_TIMEOUT", "10s",
			},
		})
	}
	start()
	defer func() { s.close(t) }()
	time.Sleep(time.Duration(rnd.IntN(3000)) * time.Millisecond)
	if rnd.IntN(3) == 0 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rnd.IntN(5000))*time.Millisecond)
		c := s.runner.Cycle(ctx)
		ended := time.Now()
		cancel()
		if deadline, _ := ctx.Deadline(); ended.Sub(deadline) > 4*time.Second {
			t.Errorf("%s: stopping took %s", name, ended.Sub(deadline))
		}
		n.note(c, true)
		if strings.Contains(s.log.String(), exosim.StrangerPrompt) {
			t.Errorf("%s: the log shows a stranger's prompt", name)
		}
		way.end()
		s.close(t)
		start()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	c := s.runner.Cycle(ctx)
	n.note(c, false)
	if len(c.Turns) != len(models) || c.Outcome == workload.TurnCanceled {
		t.Errorf("%s: a cycle of %d models did not end in 20 minutes: %+v", name, len(models), c)
	}
	if strings.Contains(s.log.String()+s.get(t, "/metrics")+s.page(t), exosim.StrangerPrompt) {
		t.Errorf("%s shows a stranger's prompt", name)
	}
}

func (n *neighbourhood) note(c workload.Cycle, stopped bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.turns = append(n.turns, c.Turns...)
	if stopped {
		n.stopped++
	}
}

// user does what people do with a node of their own, until ctx ends.
func (n *neighbourhood) user(ctx context.Context, t *testing.T, rnd *rand.Rand) {
	var mine []string
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(rnd.IntN(1500)) * time.Millisecond):
		}
		model := []string{victim, next}[rnd.IntN(2)]
		switch k := rnd.IntN(10); {
		case k < 3 && len(mine) < 2:
			id, err := n.node.PlaceStranger(model)
			if err != nil {
				t.Error(err)
			}
			mine = append(mine, id)
			n.mu.Lock()
			n.placed[id] = true
			n.mu.Unlock()
		case k < 5:
			_, _ = n.node.StartStranger(model, 20+rnd.IntN(8000)) // no instance, no request
		case k < 8 && len(mine) > 0:
			n.node.KillRunner(mine[rnd.IntN(len(mine))])
		case len(mine) > 0:
			n.mu.Lock()
			n.deleted[mine[0]] = true
			n.mu.Unlock()
			if n.node.DeleteStranger(mine[0]) {
				mine = mine[1:]
			}
		}
	}
}

// watched is an exporter's way to the node. It knows who created what and who deletes it.
type watched struct {
	n         *neighbourhood
	t         *testing.T
	name, dir string
	ended     bool // what it created may be removed by whoever has its state directory
}

func (w *watched) end() {
	w.n.mu.Lock()
	defer w.n.mu.Unlock()
	w.ended = true
}

func (w *watched) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/instance":
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
		var doc struct {
			Instance map[string]struct {
				ID string `json:"instanceId"`
			} `json:"instance"`
		}
		if err := json.Unmarshal(body, &doc); err != nil {
			w.t.Errorf("%s posts %s", w.name, body)
		}
		w.n.mu.Lock()
		for _, i := range doc.Instance {
			w.n.posted[i.ID] = w
		}
		w.n.mu.Unlock()
	case r.Method == http.MethodDelete:
		id := path.Base(r.URL.Path)
		w.n.mu.Lock()
		if by := w.n.posted[id]; by != w && (by == nil || !by.ended || by.dir != w.dir) {
			w.t.Errorf("%s deletes %s, which it did not create", w.name, r.URL.Path)
		}
		w.n.mu.Unlock()
	case slices.Contains([]string{http.MethodGet, http.MethodHead}, r.Method), strings.HasSuffix(r.URL.Path, "/chat/completions"):
	default:
		w.t.Errorf("%s calls %s %s", w.name, r.Method, r.URL.Path)
	}
	return w.n.node.Transport().RoundTrip(r)
}
