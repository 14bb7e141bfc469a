package exo

import (
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"exo-bench-exporter/workload"
)

// Every dialect that has names of its own for the standard workload has one for each model.
func TestNames(t *testing.T) {
	for dialect, names := range map[string]map[string]string{"exo1": exo1Names, "exo0": exo0Names, "ollama": ollamaNames} {
		for _, m := range workload.DefaultModels() {
			if _, ok := names[m.Name]; !ok {
				t.Errorf("the table of %s lacks %s", dialect, m.Name)
			}
		}
	}
	for name, id := range exo0Names {
		if id == "" && exo0Near[name] == "" {
			t.Errorf("legacy exo has no %s: say in exo0Near what comes nearest to it", name)
		}
	}
	for m, want := range map[workload.Model][]string{
		{Name: "llama-3.1-8b"}:             {"mlx-community/Meta-Llama-3.1-8B-Instruct-4bit", "llama-3.1-8b"},
		{Name: "llama-3.1-8b", ExoID: "x"}: {"x"},
		{Name: "mine"}:                     {"mine"},
	} {
		if got := exo1IDs(m); !slices.Equal(got, want) {
			t.Errorf("exo1 %+v: %v, want %v", m, got, want)
		}
	}
	for m, want := range map[workload.Model]string{
		{Name: "deepseek-r1"}:                       "deepseek-r1-distill-qwen-7b",
		{Name: "mistral-7b"}:                        "mistral-7b",
		{Name: "mistral-7b", ExoID: "mistral-nemo"}: "mistral-nemo",
		{Name: "mine"}:                              "mine",
	} {
		if got := exo0ID(m); got != want {
			t.Errorf("exo0 %+v: %q, want %q", m, got, want)
		}
	}
}

// docs/use.md says what each model is asked for as.
func TestDocumentSaysWhatModelsAreAskedForAs(t *testing.T) {
	b, err := os.ReadFile("../../docs/use.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range workload.DefaultModels() {
		_, row, _ := strings.Cut(string(b), "\n| `"+m.Name+"` | ")
		row, _, _ = strings.Cut(row, "\n")
		columns := strings.Split(row, " | ")
		want := []string{exo1Names[m.Name], exo0Names[m.Name], ollamaNames[m.Name]}
		if len(columns) != len(want) {
			t.Errorf("docs/use.md does not say what %s is asked for as: %q", m.Name, row)
			continue
		}
		for i, id := range want {
			says, _, _ := strings.Cut(strings.TrimPrefix(columns[i], "`"), "`")
			if id == "" {
				id = "none ²"
			}
			if says != id {
				t.Errorf("docs/use.md says that %s is asked for as %q, want %q", m.Name, says, id)
			}
		}
	}
}

// openError opens m and returns the reason for which that is not possible.
func openError(t *testing.T, c *Client, m workload.Model) string {
	t.Helper()
	_, err := c.Open(t.Context(), m)
	var turn *workload.TurnError
	if !errors.As(err, &turn) || turn.Outcome != workload.TurnUnavailable {
		t.Fatalf("%+v: got %v, want the model to be unavailable", m, err)
	}
	return turn.Reason
}

// A fork of legacy exo may know a model that the released ones do not.
func TestLegacyIDOfAFork(t *testing.T) {
	m := workload.Model{Name: "mistral-7b"}
	if r := legacyReport(m, []string{"llama-3.2-1b", "mistral-7b"}); !r.Servable || r.ID != "mistral-7b" || r.Note != "" {
		t.Errorf("listed: %+v", r)
	}
	for _, catalogue := range [][]string{nil, {"llama-3.2-1b"}} {
		if r := legacyReport(m, catalogue); r.Servable || !strings.Contains(r.Note, "mistral-nemo") {
			t.Errorf("not in %v: %+v; want it unavailable with the nearest relative named", catalogue, r)
		}
	}
}

func TestOpenExo0(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNode(t, map[string]http.HandlerFunc{
			"/healthcheck":    reply(200, healthy),
			"/initial_models": reply(200, `{"llama-3.2-1b":{"name":"Llama 3.2 1B","loading":true},"qwen-2.5-7b":{}}`),
			"/v1/models":      reply(200, `{"object":"list","data":[{"id":"llama-3.1-8b"}]}`), // all there are, not what the engine can serve
		})
		c := n.client(nil)
		s, err := c.Open(t.Context(), workload.Model{Name: "llama-3.2-1b"})
		if err != nil || s.ExoModel() != "llama-3.2-1b" || s.Close(t.Context()) != nil {
			t.Fatalf("got %v, %v", s, err)
		}
		if why := openError(t, c, workload.Model{Name: "llama-3.1-8b"}); !strings.Contains(why, "it can serve [llama-3.2-1b qwen-2.5-7b]") {
			t.Errorf("reason %q does not name what can be served", why)
		}
		if why := openError(t, c, workload.Model{Name: "qwen-1.5-7b"}); !strings.Contains(why, "EXOBENCH_MODELS=…,qwen-1.5-7b=qwen-2.5-7b") {
			t.Errorf("reason %q does not name the nearest", why)
		}
		if s, err := c.Open(t.Context(), workload.Model{Name: "qwen-1.5-7b", ExoID: "qwen-2.5-7b"}); err != nil || s.ExoModel() != "qwen-2.5-7b" {
			t.Errorf("mapped by the user: %v, %v", s, err)
		}
		for _, p := range n.paths() {
			if !strings.HasPrefix(p, "GET ") || strings.Contains(p, "modelpool") || strings.Contains(p, "quit") {
				t.Errorf("%s was asked for", p)
			}
		}
		n.set("/initial_models", nil)
		if s, err := c.Open(t.Context(), workload.Model{Name: "llama-3.1-8b"}); err != nil {
			t.Errorf("by /v1/models: %v, %v", s, err)
		}
		n.set("/v1/models", nil)
		if s, err := c.Open(t.Context(), workload.Model{Name: "deepseek-r1"}); err != nil {
			t.Errorf("without any list: %v, %v", s, err)
		}
	})
}

// A switch of models is a load, which belongs to the turn that caused it. Whether the first
// model was loaded already cannot be known.
func TestLegacyLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNode(
			t, map[string]http.HandlerFunc{"/healthcheck": reply(200, healthy), "/topology": reply(200, `{"nodes":{},"peer_graph":{}}`)},
		)
		n.set(pathV1, func(w http.ResponseWriter, r *http.Request) {
			asked := n.prompts()
			id := asked[len(asked)-1].body.Model
			stream(nil, step{ms, strings.Replace(data(`{"content":"a"}`, "stop", ""), "org/m", id, 1)})(w, r)
		})
		c := n.client(nil)
		for i, tc := range []struct {
			id     string
			loaded bool
		}{{"a", false}, {"a", false}, {"b", true}, {"b", false}, {"a", true}} {
			s, err := c.Open(t.Context(), workload.Model{Name: "m", ExoID: tc.id})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if r := s.Measure(t.Context(), request(4)); !r.OK() || s.Load().Loaded != tc.loaded {
					t.Errorf("turn %d of %s: %s (%s), loaded %v, want %v", i, tc.id, r.Outcome, r.Err, s.Load().Loaded, tc.loaded)
				}
			}
		}
	})
}

func TestOpenOpenAI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newFakeNode(t, map[string]http.HandlerFunc{"/v1/models": reply(200, `{"data":[{"id":"x"}]}`)})
		c := n.client(nil)
		for _, id := range []string{"x", "y"} {
			s, err := c.Open(t.Context(), workload.Model{Name: "m", ExoID: id})
			if err != nil || s.ExoModel() != id {
				t.Errorf("%s: %v, %v: the server's answer to a prompt decides", id, s, err)
			}
		}
		if c.firstTime("y") {
			t.Error("the missing model was not noted")
		}
		c = n.client(func(o *Options) { o.Dialect = workload.DialectOpenAI })
		n.setDown(true)
		_, err := c.Open(t.Context(), workload.Model{Name: "m"})
		var turn *workload.TurnError
		if err == nil || errors.As(err, &turn) {
			t.Errorf("got %v, want an error that says that nobody could be asked", err)
		}
	})
}

// A list of any length costs the client nothing but time, and one too long to be looked through is
// no reason to refuse a model.
func TestLongListOfModels(t *testing.T) {
	entries := func(owner string) string {
		return `{"object":"list","data":[` + strings.Repeat(`{"id":"x","owned_by":"`+owner+`"},`, maxListed) + `{"id":"m"}]}`
	}
	for dialect, routes := range map[workload.Dialect]map[string]http.HandlerFunc{
		workload.DialectOpenAI: {"/v1/models": reply(200, entries("somebody"))},
		workload.DialectOllama: {
			"/api/version": reply(200, `{"version":"1"}`),
			"/api/tags":    reply(200, `{"models":[`+strings.Repeat(`{"name":"x"},`, maxListed)+`{"name":"m"}]}`),
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newFakeNode(t, routes).client(nil)
			s, err := c.Open(t.Context(), workload.Model{Name: "m"})
			if err != nil || s.ExoModel() != "m" || c.Dialect() != dialect {
				t.Errorf("%s: got %v, %v, dialect %s", dialect, s, err, c.Dialect())
			}
		})
	}
}
