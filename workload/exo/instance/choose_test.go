package instance

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		name     string
		sharding string
		minNodes int
		setup    func(*fakeNode)
		nodes    int
		kind     string
	}{
		{name: "fewest nodes", nodes: 1, kind: "MlxRingInstance"},
		{name: "two at least", minNodes: 2, nodes: 2, kind: "MlxRingInstance"},
		{name: "tensor on one node is pipeline", sharding: "Tensor", nodes: 1, kind: "MlxRingInstance"},
		{name: "ring before RDMA, sharding as asked", sharding: "Tensor", minNodes: 2, nodes: 2, kind: "MlxRingInstance", setup: func(f *fakeNode) {
			wide := func(kind, sharding, id string) any {
				return j{"modelId": llama, "sharding": sharding, "instanceMeta": strings.TrimSuffix(kind, "Instance"), "memoryDeltaByNode": j{"node-a": 1, "node-b": 1}, "instance": j{kind: j{
					"instanceId": id, "shardAssignments": j{"modelId": llama, "nodeToRunner": j{"node-a": "r1", "node-b": "r2"}},
				}}}
			}
			b, _ := json.Marshal(j{"previews": []any{
				wide("MlxRingInstance", "Pipeline", "wrong"), wide("MlxJacclInstance", "Tensor", "rdma"), wide("MlxRingInstance", "Tensor", "right"), "nonsense",
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
				if len(p.nodes) != c.nodes || p.kind != c.kind || p.model != llama || c.setup != nil && p.id != "right" {
					t.Errorf("chose %+v", p.inst)
				}
			})
		})
	}
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

func TestParseInst(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"HEAD", `{"MlxRingInstance":{"instanceId":"i","shardAssignments":{"modelId":"m","runnerToShard":{"r":{"PipelineShardMetadata":{"modelCard":{"modelId":"x","storageSize":{"inBytes":5}}}}},"nodeToRunner":{"n":"r"}}}}`, "i MlxRingInstance m [r] [n] 5"},
		{"snake case", `{"MlxRingInstance":{"instance_id":"i","shard_assignments":{"model_id":"m","runner_to_shard":{"r":{}},"node_to_runner":{"n":"r"}}}}`, "i MlxRingInstance m [r] [n] 0"},
		{"list of shards", `{"NewInstance":{"instanceId":"i","shardAssignments":{"modelId":"m","shards":[["n1","r1",{}],{"nodeId":"n2","runnerId":"r2"}],"primaryOutputNode":0}}}`, "i NewInstance m [r1 r2] [n1 n2] 0"},
		{"no tag, id from the key", `{"shard":{"modelCard":{"modelId":"m"}},"other":1}`, "key  m [] [] 0"},
		{"nonsense", `[1,2]`, "key   [] [] 0"},
	} {
		in := parseInst("key", tree(json.RawMessage(c.in)))
		if got := fmt.Sprint(in.id, " ", in.kind, " ", in.model, " ", in.runners, " ", in.nodes, " ", in.weights); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestUnknownLayoutFindsRunners(t *testing.T) {
	s := state{
		Instances: tree(json.RawMessage(`{"i":{"New":{"modelId":"m","where":[{"on":"n","as":"r1"},{"r2":7}],"note":"r3"}}}`)),
		Runners:   tree(json.RawMessage(`{"r1":{"RunnerReady":{}},"r2":"RunnerRunning","r4":{"RunnerFailed":{}}}`)),
	}
	v := newView(s)
	if h := v.health(v.instances["i"]); !h.ready || h.dead || h.states != "RunnerReady, RunnerRunning" {
		t.Errorf("health is %+v", h)
	}
}

func TestSame(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{{"inBytes", "in_bytes", true}, {"a", "", false}, {"", "", true}, {"node_id_", "nodeId", true}, {"nodeId", "nodeIds", false}, {"x", "y", false}} {
		if same(c.a, c.b) != c.want || same(c.b, c.a) != c.want {
			t.Errorf("same(%q, %q) is not %v", c.a, c.b, c.want)
		}
	}
}

// TestPromptsAreSkipped checks that nothing of a task but its three fields is kept.
func TestPromptsAreSkipped(t *testing.T) {
	var s state
	doc := `{"tasks":{"t":{"TextGeneration":{"taskStatus":"Running","instanceId":"i","commandId":"c","taskParams":{"input":"private words"}}}},"events":["private words"]}`
	if err := json.Unmarshal([]byte(doc), &s); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%+v %+v", s, *s.Tasks); strings.Contains(got, "private") || !slices.Equal(*s.Tasks, taskList{{"i", "c"}}) {
		t.Errorf("kept %s", got)
	}
}
