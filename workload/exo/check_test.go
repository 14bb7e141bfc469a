package exo

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"exo-bench-exporter/workload"
)

func TestCheck(t *testing.T) {
	const (
		catalogue = `{"object":"list","data":[{"id":"mlx-community/Meta-Llama-3.1-8B-Instruct-4bit"},{"id":"llama-3.2-1b"}]}`
		instances = `{"I1":{"MlxRingInstance":{"instanceId":"I1","shardAssignments":{"modelId":"mlx-community/Qwen1.5-7B-Chat-4bit"}}},` +
			`"I2":{"New":{"other":1}}}`
	)
	exo1 := map[string]http.HandlerFunc{
		"/node_id": reply(200, nodeID), "/models": reply(200, catalogue), "/state/instances": reply(200, instances),
	}
	mute := map[string]http.HandlerFunc{"/node_id": reply(200, nodeID)}
	addModels := func(o *Options) { o.AddModels = true }
	for _, tc := range []struct {
		name    string
		routes  map[string]http.HandlerFunc
		change  func(*Options)
		models  []workload.Model
		ok      bool
		dialect workload.Dialect
		// want holds one line a model: name, id, what is true of it, and words of the note.
		want []string
	}{
		{"exo 1.x", exo1, nil, workload.DefaultModels()[:5], false, workload.DialectExo1, []string{
			"llama-3.1-8b mlx-community/Meta-Llama-3.1-8B-Instruct-4bit servable",
			"llama-3.2-1b llama-3.2-1b servable",
			"mistral-7b mlx-community/Mistral-7B-Instruct-v0.3-4bit no: curl -X POST|http://node.test:52415/models/add|EXOBENCH_ADD_MODELS=true",
			"qwen-1.5-7b mlx-community/Qwen1.5-7B-Chat-4bit servable loaded",
			"deepseek-r1 mlx-community/DeepSeek-R1-Distill-Qwen-7B-4bit no: {\"model_id\":\"mlx-community/DeepSeek-R1-Distill-Qwen-7B-4bit\"}",
		}},
		{"exo 1.x with leave to add", exo1, addModels, workload.DefaultModels()[2:3], true, workload.DialectExo1, []string{
			"mistral-7b mlx-community/Mistral-7B-Instruct-v0.3-4bit servable: is added",
		}},
		{"exo 1.x that lists nothing", mute, nil, workload.DefaultModels()[:1], true, workload.DialectExo1, []string{
			"llama-3.1-8b mlx-community/Meta-Llama-3.1-8B-Instruct-4bit servable: it is tried",
		}},
		{"legacy", map[string]http.HandlerFunc{
			"/healthcheck": reply(200, healthy), "/initial_models": reply(200, `{"llama-3.1-8b":{"loading":true},"llama-3.2-1b":{"loading":true}}`),
		}, nil, workload.DefaultModels()[:5], false, workload.DialectExo0, []string{
			"llama-3.1-8b llama-3.1-8b servable", "llama-3.2-1b llama-3.2-1b servable",
			"mistral-7b  no: mistral-7b=mistral-nemo", "qwen-1.5-7b  no: qwen-1.5-7b=qwen-2.5-7b",
			"deepseek-r1  no: cannot serve deepseek-r1-distill-qwen-7b",
		}},
		{"openai", map[string]http.HandlerFunc{
			"/v1/models": reply(200, `{"data":[{"id":"x"}]}`),
		}, nil, []workload.Model{{Name: "a", ExoID: "x"}, {Name: "b"}}, true, workload.DialectOpenAI, []string{
			"a x servable", "b b servable: the list has [x]|EXOBENCH_MODELS=…,b=ID",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newFakeNode(t, tc.routes)
				r := n.client(tc.change).Check(t.Context(), tc.models)
				if r.Err != nil || r.OK() != tc.ok || r.Dialect != tc.dialect || r.Endpoint == "" || r.URL != "http://node.test:52415" ||
					len(r.Models) != len(tc.want) {
					t.Fatalf("report %+v, want ok: %v", r, tc.ok)
				}
				for i, m := range r.Models {
					head, notes, _ := strings.Cut(tc.want[i], ": ")
					got := m.Model + " " + m.ID + map[bool]string{true: " servable", false: " no"}[m.Servable]
					if m.Loaded {
						got += " loaded"
					}
					if got != head || (m.Note == "") != (notes == "") {
						t.Errorf("got %q with note %q, want %q", got, m.Note, tc.want[i])
					}
					for _, w := range strings.Split(notes, "|") {
						if !strings.Contains(m.Note+m.Fix, w) {
							t.Errorf("note %q and fix %q lack %q", m.Note, m.Fix, w)
						}
					}
				}
				for _, p := range n.paths() {
					if !strings.HasPrefix(p, "GET ") {
						t.Errorf("a check must change nothing, but did %s", p)
					}
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNode(t, nil)
		n.setDown(true)
		if r := n.client(nil).Check(t.Context(), workload.DefaultModels()); r.Err == nil || r.OK() || r.Models != nil {
			t.Errorf("a node that is down: %+v", r)
		}
	})
}
