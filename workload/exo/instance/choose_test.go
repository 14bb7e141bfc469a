package instance

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"exo-bench-exporter/workload/exo/state"
	"exo-bench-exporter/workload/exosim"
)

// proposal is a preview on so many nodes.
func proposal(kind, sharding, id string, nodes int) string {
	var on []string
	for i := range nodes {
		on = append(on, fmt.Sprintf(`"node-%d":"runner-%d"`, i, i))
	}
	return fmt.Sprintf(`{"model_id":%q,"sharding":%q,"instance_meta":%q,"error":null,"instance":{%q:{"instanceId":%q,`+
		`"shardAssignments":{"modelId":%q,"nodeToRunner":{%s}}}}}`,
		llama, sharding, strings.TrimSuffix(kind, "Instance"), kind, id, llama, strings.Join(on, ","))
}

func TestChoose(t *testing.T) {
	const ring, rdma = "MlxRingInstance", "MlxJacclInstance"
	three := []string{ // the smallest last, so that order does not choose
		proposal(ring, "Pipeline", "three", 3), proposal(ring, "Pipeline", "two", 2), proposal(ring, "Pipeline", "one", 1),
		`{"sharding":"Tensor","instance":null,"error":"no tensor sharding"}`,
	}
	for _, c := range []struct {
		name     string
		sharding string
		minNodes int
		previews []string
		want     string
	}{
		{name: "fewest nodes", previews: three, want: "one"},
		{name: "two at least", minNodes: 2, previews: three, want: "two"},
		{name: "tensor on one node is pipeline", sharding: "Tensor", previews: three, want: "one"},
		{name: "ring before RDMA, sharding as asked", sharding: "Tensor", minNodes: 2, previews: []string{
			proposal(ring, "Pipeline", "wrong", 2), proposal(rdma, "Tensor", "rdma", 2), proposal(ring, "Tensor", "right", 2), `"nonsense"`,
		}, want: "right"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSim(t, exosim.Options{})
				s.says("GET /instance/previews", `{"previews":[`+strings.Join(c.previews, ",")+`]}`)
				m := newTestManager(t, s, t.TempDir(), func(o *Options) { o.Sharding, o.MinNodes = c.sharding, c.minNodes })
				p, err := m.choose(t.Context(), llama)
				if err != nil {
					t.Fatal(err)
				}
				if p.ID != c.want || p.Kind != ring || p.Model != llama {
					t.Errorf("chose %+v", p.Instance)
				}
			})
		})
	}
}

// An answer beyond every bound is exo's fault and no want of a connection, and asking again is no use.
func TestPreviewsBeyondEveryBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, exosim.Options{})
		s.says("GET /instance/previews", `{"previews":[{"instance":{"MlxRingInstance":{"instanceId":"`+strings.Repeat("x", 8<<20)+`"}}}]}`)
		m := newTestManager(t, s, t.TempDir())
		_, err := m.Acquire(t.Context(), llama)
		if o, _ := outcome(err); o != "failed" || !errors.Is(err, state.ErrTooBig) || s.called("GET /instance/previews") != 1 {
			t.Errorf("asked %d times, got %v", s.called("GET /instance/previews"), err)
		}
	})
}

// What exo proposes is posted back as it came, and refusals are said once.
func TestPreviewsAreKeptVerbatim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const instance = `{"MlxRingInstance": {"instanceId" : "i", "odd": [1.50, "\u00e9"],"shardAssignments":{"modelId":"` + llama +
			`","nodeToRunner":{"node-a":"r"}}}}`
		refused := strings.Repeat(`{"sharding":"Pipeline","error":"no"},`, 1000)
		s := newSim(t, exosim.Options{})
		s.says("GET /instance/previews", `{"previews":[`+refused+`{"sharding":"Pipeline","instance": `+instance+` }]}`)
		m := newTestManager(t, s, t.TempDir())
		c, err := m.previews(t.Context(), llama)
		if err != nil || c.previews != 1001 || len(c.refusals) != 1 || string(c.best.raw) != instance {
			t.Errorf("%d previews, %v, %+v, %v", c.previews, c.refusals, c.best, err)
		}
	})
}

func TestMemoryWithoutPreviews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, exosim.Options{}, exosim.Fault{Kind: exosim.HTTPError, Path: "GET /instance/previews", Status: 404},
			exosim.Fault{Kind: exosim.MemoryLow, Bytes: 1 << 30})
		m := newTestManager(t, s, t.TempDir())
		_, err := m.Acquire(t.Context(), llama)
		if o, _ := outcome(err); o != "skipped" || !strings.Contains(err.Error(), "1.18 GiB wanted") {
			t.Errorf("got %v", err)
		}
	})
}

// Ids of nodes are long, and told apart by less; one that is not is shown whole.
func TestShort(t *testing.T) {
	for id, want := range map[string]string{"0a1b2c3d4e5f60718293": "0a1b2c3d…", "node-a": "node-a"} {
		if got := short(id); got != want {
			t.Errorf("%s is cut to %s", id, got)
		}
	}
}

func TestAddModels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, exosim.Options{CatalogueOnly: true}, exosim.Fault{Kind: exosim.AnswerLost, Path: "POST /models/add", Count: 1})
		m := newTestManager(t, s, t.TempDir(), func(o *Options) { o.AddModels = true })
		lease, err := m.Acquire(t.Context(), mistral)
		if err != nil {
			t.Fatal(err)
		}
		if n := s.called("POST /models/add"); n != 1 {
			t.Errorf("added %d times", n)
		}
		if err := lease.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
