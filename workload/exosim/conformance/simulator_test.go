package conformance

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload/exosim"
)

const (
	llama = "mlx-community/Llama-3.2-1B-Instruct-4bit"
	r1    = "mlx-community/DeepSeek-R1-Distill-Qwen-7B-4bit"
)

// scene is a simulated node that is asked what a real one was asked.
type scene struct {
	*testing.T
	version string
	node    *exosim.Node
}

// ask sends a request over a connection of its own and returns the answer as it came.
func (s *scene) ask(method, path string, body []byte) []byte {
	s.Helper()
	dial := s.node.Transport().(*http.Transport).DialContext
	conn, err := dial(s.Context(), "tcp", "sim:80")
	if err != nil {
		s.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: sim\r\nContent-Length: %d\r\n\r\n%s", method, path, len(body), body); err != nil {
		s.Fatal(err)
	}
	var raw bytes.Buffer
	req := &http.Request{Method: method}
	res, err := http.ReadResponse(bufio.NewReader(io.TeeReader(conn, &raw)), req)
	if err != nil {
		s.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		s.Fatalf("%s %s: %v", method, path, err)
	}
	return raw.Bytes()
}

// load places the model and waits until it is ready.
func (s *scene) load(model string) {
	s.Helper()
	s.ask("POST", "/place_instance", []byte(`{"model_id":"`+model+`"}`))
	for range 1000 {
		time.Sleep(100 * time.Millisecond)
		ready := func(i exosim.InstanceInfo) bool { return i.Model == model && i.Status == "RunnerReady" }
		if slices.ContainsFunc(s.node.Instances(), ready) {
			return
		}
	}
	s.Fatalf("%s never became ready: %+v", model, s.node.Instances())
}

// inject puts a fault into force.
func (s *scene) inject(f exosim.Fault) {
	s.Helper()
	if _, err := s.node.Inject(f); err != nil {
		s.Fatal(err)
	}
}

// replayRequest asks what the recording of that name was asked.
func (s *scene) replayRequest(name string) []byte {
	s.Helper()
	a := loadRequest(s.T, s.version, name)
	return s.ask("POST", a.path, a.body)
}

// loaded is a setup that loads models.
func loaded(models ...string) func(*scene) {
	return func(s *scene) {
		for _, m := range models {
			s.load(m)
		}
	}
}

// recorded is a recording and how the simulator is brought to the same point.
type recorded struct {
	name    string
	only    string // version, both when empty
	options exosim.Options
	setup   func(*scene)
	method  string // with path, what is asked; the recording's .request when empty
	path    string
	body    string
}

// cases are all recordings that the simulator is held against.
func cases() []recorded {
	get := func(name, path string) recorded { return recorded{name: name, method: "GET", path: path} }
	chat := func(name string) recorded { return recorded{name: name, setup: loaded(llama)} }
	twice := func(name, first string) recorded {
		return recorded{name: name, setup: func(s *scene) {
			s.load(llama)
			s.replayRequest(first)
		}}
	}
	struck := func(name string, f exosim.Fault) recorded {
		return recorded{name: name, setup: func(s *scene) {
			s.load(llama)
			s.inject(f)
		}}
	}
	offline := exosim.Options{Offline: true}
	return []recorded{
		chat("v1-stream"), chat("v1-stream-256"), chat("v1-stream-long"), chat("v1-json"),
		chat("bench-json"), chat("bench-stream"),
		chat("v1-stream-must-fail"), chat("v1-stream-must-oom"),
		twice("v1-stream-again", "v1-stream"), twice("v1-stream-usage-opt", "v1-stream"), twice("bench-json-again", "bench-json"),
		twice("v1-stream-1-token", "v1-stream"),
		{name: "v1-stream-r1", setup: loaded(r1)},
		{name: "bench-json-r1", setup: loaded(r1)},
		{name: "v1-stream-mistral", setup: loaded("mlx-community/Mistral-7B-Instruct-v0.3-4bit")},
		{
			name: "v1-stream-before-ready", only: "v1.0.71", options: exosim.Options{Boot: 22 * time.Second},
			setup: func(s *scene) {
				s.ask("POST", "/place_instance", []byte(`{"model_id":"`+llama+`"}`))
				time.Sleep(time.Second)
			},
		},
		struck("v1-stream-instance-deleted", exosim.Fault{Kind: exosim.InstanceDeleted, After: 11}),
		struck("bench-json-instance-deleted", exosim.Fault{Kind: exosim.InstanceDeleted, After: 100}),
		struck("v1-stream-runner-killed", exosim.Fault{Kind: exosim.RunnerKilled, After: 13}),
		{name: "v1-stream-after-kill", setup: func(s *scene) {
			s.load(llama)
			s.inject(exosim.Fault{Kind: exosim.RunnerKilled, After: 13, Count: 1})
			s.replayRequest("v1-stream-runner-killed")
		}},

		get("node_id", "/node_id"), get("healthcheck-404", "/healthcheck"), get("models", "/v1/models"),
		get("state-missing", "/state/runners/none"),
		get("state-nodeIdentities", "/state/nodeIdentities"), get("state-nodeMemory", "/state/nodeMemory"),
		get("previews", "/instance/previews?model_id="+llama), get("placement", "/instance/placement?model_id="+llama),
		get("get-instance-unknown", "/instance/none"), get("await", "/instance/await?model_id="+llama+"&timeout_seconds=1"),
		{name: "delete-unknown", method: "DELETE", path: "/instance/none"},
		{name: "previews-unknown", method: "GET", path: "/instance/previews?model_id=no/such", options: offline},
		{name: "place_instance-unknown", method: "POST", path: "/place_instance", body: `{"model_id":"no/such"}`, options: offline},
		{name: "models-add-offline", method: "POST", path: "/models/add", body: `{"model_id":"no/such"}`, options: offline},
		{name: "chat-no-instance", method: "POST", path: "/v1/chat/completions", body: `{"model":"` + llama + `","messages":[]}`},
		{name: "bench-no-instance", method: "POST", path: "/bench/chat/completions", body: `{"model":"` + llama + `","messages":[]}`},
		{name: "chat-422", method: "POST", path: "/v1/chat/completions", body: `{"model":"` + llama + `"}`},
		{name: "chat-badjson", method: "POST", path: "/v1/chat/completions", body: `{nope`},
	}
}

// meantAnywhere are differences that the simulator has on purpose, in any document.
var meantAnywhere = []meant{
	{`\.power_usage\.nodes`, "the recorder's machine had no power meter; the simulated Mac has one"},
	{`\.previews\[\]\.(error|instance|memory_delta_by_node)`, "the recorder's machine had no Metal, which one placement of HEAD asks for"},
}

// The simulator, asked what a real node was asked, gives the same answer but for ids, texts
// and numbers: head, events in their order, and the shape of every document.
func TestSimulatorAnswersLikeRecordings(t *testing.T) {
	used := map[string]bool{}
	covered := map[string]bool{}
	for _, version := range versions {
		for _, c := range cases() {
			if c.only != "" && c.only != version {
				continue
			}
			covered[version+"/"+c.name] = true
			t.Run(version+"/"+c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c.options.Variant, c.options.AnswerTokens = exosim.Variant(version), 5000
					s := &scene{t, version, exosim.New(c.options)}
					defer s.node.Close()
					compareAnswers(t, s.answer(c), load(t, version, c.name), used)
				})
			})
		}
	}
	for _, m := range meantAnywhere {
		if !used[m.path] {
			t.Errorf("no document differs at %s any more (%s)", m.path, m.why)
		}
	}
	for _, version := range versions {
		wantCovered(t, version, covered)
	}
}

// wantCovered wants every recorded answer of a version to be held against the simulator.
func wantCovered(t *testing.T, version string, covered map[string]bool) {
	t.Helper()
	files, err := os.ReadDir(filepath.Join("testdata", version))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		kind := filepath.Ext(f.Name())
		if kind != ".times" && kind != ".request" && kind != ".json" && !covered[version+"/"+f.Name()] {
			t.Errorf("%s/%s is held against nothing", version, f.Name())
		}
	}
}

// answer asks the simulator what the recording was asked.
func (s *scene) answer(c recorded) []byte {
	s.Helper()
	if c.setup != nil {
		c.setup(s)
	}
	if c.method == "" {
		return s.replayRequest(c.name)
	}
	return s.ask(c.method, c.path, []byte(c.body))
}

func compareAnswers(t *testing.T, raw []byte, want transcript, used map[string]bool) {
	t.Helper()
	h, body := split(t, raw)
	if h.status != want.head.status {
		t.Errorf("status line %q, want %q", h.status, want.head.status)
	}
	if strings.Join(h.values["X-Exo-Sim"], ",") != "1" {
		t.Error("the answer does not say that it is a simulator's")
	}
	names := slices.DeleteFunc(h.headers, func(name string) bool { return strings.EqualFold(name, exosim.Header) })
	if !slices.Equal(names, want.head.headers) {
		t.Errorf("headers %q, want %q", names, want.head.headers)
	}
	for _, name := range []string{"Content-Type", "Server", "Cache-Control", "Connection", "X-Accel-Buffering"} {
		if got, wanted := h.values.Get(name), want.head.values.Get(name); got != wanted {
			t.Errorf("%s is %q, want %q", name, got, wanted)
		}
	}
	switch kind := want.head.values.Get("Content-Type"); {
	case strings.HasPrefix(kind, "text/event-stream"):
		compareStreams(t, events(body), events(want.body), used)
	case strings.HasPrefix(kind, "application/json"):
		compareDocuments(t, "document", [][]byte{body}, [][]byte{want.body}, used)
	default:
		if !bytes.Equal(body, want.body) {
			t.Errorf("body %q, want %q", body, want.body)
		}
	}
}

// compareStreams wants the same kinds of events in the same order, however many tokens there
// are, and in each kind documents of the same shape.
func compareStreams(t *testing.T, got, want []event, used map[string]bool) {
	t.Helper()
	if g, w := sequence(got), sequence(want); !slices.Equal(g, w) {
		t.Errorf("events %q, want %q", g, w)
	}
	docs := func(all []event) map[string][][]byte {
		byKind := map[string][][]byte{}
		for _, e := range all {
			if len(e.doc) > 0 {
				byKind[e.kind] = append(byKind[e.kind], e.doc)
			}
		}
		return byKind
	}
	g, w := docs(got), docs(want)
	for kind := range w {
		compareDocuments(t, kind, g[kind], w[kind], used)
	}
}

// sequence returns the kinds of events in their order, tokens in a row as one.
func sequence(all []event) (kinds []string) {
	for _, e := range all {
		if n := len(kinds); n > 0 && kinds[n-1] == e.kind && (e.kind == "token" || e.kind == "thought") {
			continue
		}
		kinds = append(kinds, e.kind)
	}
	return kinds
}

func compareDocuments(t *testing.T, what string, got, want [][]byte, used map[string]bool) {
	t.Helper()
	union := func(docs [][]byte) shape {
		all := shape{}
		for _, d := range docs {
			for path, types := range shapeOf(t, what, d) {
				if all[path] == nil {
					all[path] = map[string]bool{}
				}
				for kind := range types {
					all[path][kind] = true
				}
			}
		}
		return all
	}
	for _, d := range unmeant(differences(union(got), union(want)), meantAnywhere, used) {
		t.Errorf("%s: %s", what, d)
	}
}
