package instance

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"exo-bench-exporter/workload/exo/state"
)

func TestChoose(t *testing.T) {
	const ring = "MlxRingInstance"
	for _, c := range []struct {
		name     string
		sharding string
		minNodes int
		setup    func(*fakeNode)
		nodes    int
		kind     string
	}{
		{name: "fewest nodes", nodes: 1, kind: ring},
		{name: "two at least", minNodes: 2, nodes: 2, kind: ring},
		{name: "tensor on one node is pipeline", sharding: "Tensor", nodes: 1, kind: ring},
		{name: "ring before RDMA, sharding as asked", sharding: "Tensor", minNodes: 2, nodes: 2, kind: ring, setup: func(f *fakeNode) {
			wide := func(kind, sharding, id string) any {
				return j{
					"modelId": llama, "sharding": sharding, "instanceMeta": strings.TrimSuffix(kind, "Instance"),
					"memoryDeltaByNode": j{"node-a": 1, "node-b": 1},
					"instance": j{kind: j{
						"instanceId": id, "shardAssignments": j{"modelId": llama, "nodeToRunner": j{"node-a": "r1", "node-b": "r2"}},
					}},
				}
			}
			b, _ := json.Marshal(j{"previews": []any{
				wide(ring, "Pipeline", "wrong"), wide("MlxJacclInstance", "Tensor", "rdma"), wide(ring, "Tensor", "right"),
				"nonsense",
			}})
			f.override["GET /instance/previews"] = status(200, string(b))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.nodes = append(f.nodes, "node-b", "node-c")
				if c.setup != nil {
					c.setup(f)
				}
				m := newTestManager(t, f, t.TempDir(), func(o *Options) { o.Sharding, o.MinNodes = c.sharding, c.minNodes })
				p, err := m.choose(t.Context(), llama)
				if err != nil {
					t.Fatal(err)
				}
				if len(p.Nodes) != c.nodes || p.Kind != c.kind || p.Model != llama || c.setup != nil && p.ID != "right" {
					t.Errorf("chose %+v", p.Instance)
				}
			})
		})
	}
}

// An answer beyond every bound is exo's fault and no want of a connection, and asking again is no use.
func TestPreviewsBeyondEveryBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		huge := j{"previews": []any{j{"instance": j{"MlxRingInstance": j{"instanceId": strings.Repeat("x", 8<<20)}}}}}
		b, _ := json.Marshal(huge)
		f.override["GET /instance/previews"] = status(200, string(b))
		m := newTestManager(t, f, t.TempDir())
		_, err := m.Acquire(t.Context(), llama)
		if o, _ := outcome(err); o != "failed" || !errors.Is(err, state.ErrTooBig) || f.called("GET /instance/previews") != 1 {
			t.Errorf("asked %d times, got %v", f.called("GET /instance/previews"), err)
		}
	})
}

// What exo proposes is posted back as it came, and refusals are said once.
func TestPreviewsAreKeptVerbatim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const instance = `{"MlxRingInstance": {"instanceId" : "i", "odd": [1.50, "\u00e9"],"shardAssignments":{"modelId":"` + llama +
			`","nodeToRunner":{"node-a":"r"}}}}`
		refused := strings.Repeat(`{"sharding":"Pipeline","error":"no"},`, 1000)
		f := newFake()
		f.override["GET /instance/previews"] = status(200, `{"previews":[`+refused+`{"sharding":"Pipeline","instance": `+instance+` }]}`)
		m := newTestManager(t, f, t.TempDir())
		c, err := m.previews(t.Context(), llama)
		if err != nil || c.previews != 1001 || len(c.refusals) != 1 || string(c.best.raw) != instance {
			t.Errorf("%d previews, %v, %+v, %v", c.previews, c.refusals, c.best, err)
		}
	})
}

func TestMemoryWithoutPreviews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.override["GET /instance/previews"] = status(404, "{}")
		f.free["node-a"] = gig + gig/4
		m := newTestManager(t, f, t.TempDir())
		_, err := m.Acquire(t.Context(), llama)
		if o, _ := outcome(err); o != "skipped" || !strings.Contains(err.Error(), "1.50 GiB wanted") {
			t.Errorf("got %v", err)
		}
	})
}

func TestAddModels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.override["POST /models/add"] = first(-2, -1) // the first answer comes too late
		m := newTestManager(t, f, t.TempDir(), func(o *Options) { o.AddModels = true })
		lease, err := m.Acquire(t.Context(), "org/new")
		if err != nil {
			t.Fatal(err)
		}
		if f.called("POST /models/add") != 1 {
			t.Errorf("added %d times", f.called("POST /models/add"))
		}
		if err := lease.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
