package conformance

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload/exosim"
)

// document fetches a document of the node.
func (s *scene) document(path string) []byte {
	s.Helper()
	h, body := split(s.T, s.ask("GET", path, nil))
	if !strings.HasPrefix(h.status, "HTTP/1.1 200") {
		s.Fatalf("GET %s: %s %s", path, h.status, body)
	}
	return body
}

// begin starts a long answer and lets a second of it pass; end hangs up.
func (s *scene) begin() (end func()) {
	s.Helper()
	body := `{"model":"` + llama + `","messages":[{"role":"user","content":"Tell me about rivers."}],` +
		`"max_tokens":5000,"temperature":0,"seed":7,"stream":true}`
	client := http.Client{Transport: s.node.Transport()}
	res, err := client.Post("http://sim/v1/chat/completions", "application/json", strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	if _, err := io.ReadFull(res.Body, make([]byte, 100)); err != nil {
		s.Fatal(err)
	}
	time.Sleep(time.Second)
	return func() {
		_ = res.Body.Close()
		time.Sleep(time.Second)
	}
}

// remove deletes the node's only instance and waits until it has gone.
func (s *scene) remove() {
	s.Helper()
	for _, i := range s.node.Instances() {
		s.ask("DELETE", "/instance/"+i.ID, nil)
	}
	time.Sleep(10 * time.Second)
}

// states are recorded documents of the state and how the simulator is brought to the same
// point.
var states = []struct {
	name  string
	setup func(*scene) (end func())
	parts []string // that are compared; all of the state when nil
}{
	{name: "state-ready.json", setup: func(s *scene) func() {
		s.load(llama)
		s.remove()
		s.load(llama)
		if s.version == "v1.0.71" { // somebody had hung up there
			s.begin()()
		}
		return nil
	}},
	{name: "state-tasks-running.json", parts: []string{"tasks"}, setup: func(s *scene) func() {
		s.load(llama)
		s.remove()
		s.load(llama)
		return s.begin()
	}},
	{name: "state-after-delete.json", parts: []string{"instances", "runners", "tasks"}, setup: func(s *scene) func() {
		s.load(llama)
		s.begin()()
		s.remove()
		s.load(llama)
		end := s.begin()
		s.remove()
		return end
	}},
}

// meantInState are differences that the simulator has on purpose in its state.
var meantInState = []meant{
	{`\.nodeSystem`, "the recorder's machine had no sensors; the simulated Mac has them"},
	{`\.nodeNetwork`, "interfaces of the machine, which nobody reads"},
	{`\.downloads`, "exo lists 123 models, with properties that none of the simulator's few has"},
	{`\.customModelCards`, "the recorder's models were installed as exo's own at HEAD; the simulator's are custom"},
	{`\.runners\.\*\.Runner\w+`, "what the last runners were at when they went"},
	{`\.tasks\.\*\.CreateRunner\..*\.modelCard\.\w+`, "the recorder's cards lack what Hugging Face knows of a model"},
}

// The simulator's state has the shape of a real one: what is there before, during and after
// somebody's work.
func TestStateLikeRecordings(t *testing.T) {
	used := map[string]bool{}
	for _, version := range versions {
		for _, c := range states {
			t.Run(version+"/"+c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := &scene{t, version, exosim.New(exosim.Options{
						Variant: exosim.Variant(version), AnswerTokens: 20_000,
					})}
					defer s.node.Close()
					end := c.setup(s)
					got, want := s.document("/state"), load(t, version, c.name).body
					if c.parts != nil {
						got, want = pick(t, got, c.parts), pick(t, want, c.parts)
					}
					for _, d := range unmeant(differences(shapeOf(t, "state", got), shapeOf(t, "recording", want)), meantInState, used) {
						t.Error(d)
					}
					if end != nil {
						end()
					}
				})
			})
		}
	}
	for _, m := range meantInState {
		if !used[m.path] {
			t.Errorf("nothing differs at %s any more (%s)", m.path, m.why)
		}
	}
}

// pick returns a document of only these members of doc.
func pick(t *testing.T, doc []byte, names []string) []byte {
	t.Helper()
	var all map[string]json.RawMessage
	decode(t, doc, &all)
	picked := map[string]json.RawMessage{}
	for _, name := range names {
		picked[name] = all[name]
	}
	doc, err := json.Marshal(picked)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// chatTask finds a chat among tasks.
var chatTask = regexp.MustCompile(`"TextGeneration":\s*\{`)

// A chat leaves the tasks when it ends by itself, as the recordings before and after one
// show, and stays when the client hangs up.
func TestTasksAfterChatsLikeRecordings(t *testing.T) {
	for _, version := range versions {
		during, after := load(t, version, "state-tasks-running.json").body, load(t, version, "state-tasks-after.json").body
		if !chatTask.Match(during) || chatTask.Match(after) {
			t.Fatalf("%s: the recordings show something else", version)
		}
		synctest.Test(t, func(t *testing.T) {
			s := &scene{t, version, exosim.New(exosim.Options{Variant: exosim.Variant(version), AnswerTokens: 20_000})}
			defer s.node.Close()
			s.load(llama)
			s.replayRequest("v1-stream")
			time.Sleep(time.Second)
			if tasks := s.document("/state/tasks"); chatTask.Match(tasks) {
				t.Errorf("%s: a chat that ended is still there: %s", version, tasks)
			}
		})
	}
}

// An instance is told as it was recorded.
func TestInstanceLikeRecordings(t *testing.T) {
	for _, version := range versions {
		synctest.Test(t, func(t *testing.T) {
			s := &scene{t, version, exosim.New(exosim.Options{Variant: exosim.Variant(version)})}
			defer s.node.Close()
			s.load(llama)
			got := s.document("/instance/" + s.node.Instances()[0].ID)
			want := load(t, version, "instance.json").body
			for _, d := range differences(shapeOf(t, "instance", got), shapeOf(t, "recording", want)) {
				t.Errorf("%s: %s", version, d)
			}
		})
	}
}
