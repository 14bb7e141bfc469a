package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"exo-bench-exporter/workload/exo/foreign"
)

const all = last - 1

func read(t *testing.T, parts Part, since *TaskList, path ...string) Snapshot {
	t.Helper()
	f, err := os.Open(filepath.Join(append([]string{"testdata"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var s Snapshot
	if err := decodeWhole(f, parts, Query{Since: since}, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRealStates reads what real nodes have sent.
func TestRealStates(t *testing.T) {
	for version, want := range map[string]struct {
		instance, runner, node string
		runners, errands       int
		pending                int
		events                 int64
	}{
		"v1.0.71": {
			"7fc8a6df-312e-44b5-a823-14655b6d6396", "4b60cd1b-b55d-4eb1-a5d3-044940ffbf4e", "2D3KooW9zpRTtM9idZaA9uDWRtEe6yn6xEJGr14da4z2GbNSAa7",
			10, 39, 118, 12892,
		},
		"head": {
			"8a89265f-337b-463c-8a5e-dcb486632ade", "1d99bfda-84aa-42c4-9ce0-19cc83f31ccd", "b73a0e245c2038d35072a326b9ac5e0d", 6, 19, 121, 3607,
		},
	} {
		t.Run(version, func(t *testing.T) {
			s := read(t, all, nil, version, "state-ready.json")
			if missing := (all &^ Systems) &^ s.Known; missing != 0 {
				t.Errorf("parts %b are not known", missing)
			}
			in := s.Instances[want.instance]
			const llama = "mlx-community/Llama-3.2-1B-Instruct-4bit"
			if len(s.Instances) != 1 || in.ID != want.instance || in.Kind != "MlxRingInstance" || in.Model != llama ||
				in.Weights != 729808896 || !slices.Equal(in.Runners, []string{want.runner}) || !slices.Equal(in.Nodes, []string{want.node}) {
				t.Errorf("instances %+v", s.Instances)
			}
			if h := s.Health(in); !h.Ready || h.Dead || h.States != RunnerReady {
				t.Errorf("health %+v", h)
			}
			if len(s.Runners) != want.runners {
				t.Errorf("%d runners", len(s.Runners))
			}
			if len(s.Tasks.Open) != 0 || s.Tasks.New != nil || s.Tasks.Len() < want.errands {
				t.Errorf("%d tasks: open %+v, new %+v", s.Tasks.Len(), s.Tasks.Open, s.Tasks.New)
			}
			if m := s.Memories[want.node]; len(s.Memories) != 1 || m.Total == nil || *m.Total < 1<<30 || m.Available == nil {
				t.Errorf("memory %+v", s.Memories)
			}
			if len(s.Identities) != 1 || s.Identities[want.node].Name == "" {
				t.Errorf("names %+v", s.Identities)
			}
			if len(s.Downloads) != want.pending || slices.ContainsFunc(
				s.Downloads, func(d Download) bool { return !d.Pending() || d.Model == "" || d.Node != want.node },
			) {
				t.Errorf("%d downloads, the first: %+v", len(s.Downloads), s.Downloads[0])
			}
			if s.Events != want.events {
				t.Errorf("%d events", s.Events)
			}
		})
	}
}

// TestRealDeletion reads what is left after DELETE: runners' records without an instance.
func TestRealDeletion(t *testing.T) {
	for version, canceled := range map[string]string{"v1.0.71": "TextGeneration", "head": "TextGeneration"} {
		before := read(t, all, nil, version, "state-tasks-running.json")
		if len(before.Tasks.Open) != 1 || before.Tasks.Open[0].Kind != "TextGeneration" || before.Tasks.Open[0].Command == "" {
			t.Errorf("%s: open tasks %+v", version, before.Tasks.Open)
		}
		after := read(t, all, before.Tasks, version, "state-after-delete.json")
		if len(after.Instances) != 0 || len(after.Runners) == 0 || len(after.Tasks.Open) != 0 {
			t.Errorf("%s: instances %+v, runners %+v", version, after.Instances, after.Runners)
		}
		kinds := map[string]bool{}
		for _, n := range after.Tasks.New {
			kinds[n.Kind] = true
			if n.Kind == canceled && (n.Open() || !n.Request() || n.Status != "Cancelled") {
				t.Errorf("%s: %+v", version, n)
			}
		}
		if !kinds[canceled] || !kinds["Shutdown"] || !kinds["CancelTask"] {
			t.Errorf("%s: new since the look before: %+v", version, after.Tasks.New)
		}
	}
}

func TestReadInstance(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{
			"HEAD",
			`{"MlxRingInstance":{"instanceId":"i","shardAssignments":{"modelId":"m",` +
				`"runnerToShard":{"r":{"PipelineShardMetadata":{"modelCard":{"modelId":"x","storageSize":{"inBytes":5}}}}},"nodeToRunner":{"n":"r"}}}}`,
			"i MlxRingInstance m [r] [n] 5",
		},
		{
			"snake case",
			`{"MlxRingInstance":{"instance_id":"i","shard_assignments":{"model_id":"m","runner_to_shard":{"r":{}},"node_to_runner":{"n":"r"}}}}`,
			"i MlxRingInstance m [r] [n] 0",
		},
		{
			"list of shards",
			`{"NewInstance":{"instanceId":"i","shardAssignments":{"modelId":"m","shards":[["n1","r1",{}],{"nodeId":"n2","runnerId":"r2"}],` +
				`"primaryOutputNode":0}}}`,
			"i NewInstance m [r1 r2] [n1 n2] 0",
		},
		{"no tag", `{"instanceId":"i","modelCard":{"modelId":"m","storageSize":7},"nodeToRunner":{"n":"r"}}`, "i  m [r] [n] 7"},
		{"no tag, an object first", `{"hosts":{"instanceId":"wrong"},"instanceId":"i","modelId":"m"}`, "i  m [] [] 0"},
		{
			"model by its card", `{"T":{"instanceId":"i","shardAssignments":{"runnerToShard":{"r":{"S":{"modelCard":{"modelId":"m"}}}}}}}`,
			"i T m [r] [] 0",
		},
		{"nothing elsewhere", `{"T":{"instanceId":"i","elsewhere":{"modelId":"x","nodeToRunner":{"n":"r"}}}}`, "i T  [] [] 0"},
		{"nonsense", `[1,2]`, "   [] [] 0"},
	} {
		in, err := ReadInstance(strings.NewReader(c.in))
		if got := fmt.Sprint(in.ID, " ", in.Kind, " ", in.Model, " ", in.Runners, " ", in.Nodes, " ", in.Weights); got != c.want || err != nil {
			t.Errorf("%s: got %q %v, want %q", c.name, got, err, c.want)
		}
	}
	for _, v := range []string{"v1.0.71", "head"} {
		f, err := os.Open(filepath.Join("testdata", v, "instance.json"))
		if err != nil {
			t.Fatal(err)
		}
		if in, err := ReadInstance(f); err != nil || in.Model != "mlx-community/Llama-3.2-1B-Instruct-4bit" || len(in.Runners) != 1 {
			t.Errorf("%s: %+v %v", v, in, err)
		}
		_ = f.Close()
	}
}

func TestTasks(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"none", `{}`, "[]"},
		{"null", `null`, "[]"},
		{
			"HEAD",
			`{"1":{"TextGeneration":{"taskStatus":"Running","instanceId":"i","commandId":"c","taskParams":{"taskStatus":"Pending",` +
				`"commandId":"x"}}}}`,
			"[{1 TextGeneration Running i  c}]",
		},
		{"snake case", `{"1":{"ImageEdits":{"task_status":"Pending","instance_id":"i","command_id":"c"}}}`, "[{1 ImageEdits Pending i  c}]"},
		{
			"unknown tag", `{"1":{"VideoGeneration":{"taskStatus":"Running","instanceId":"i","commandId":"c"}}}`,
			"[{1 VideoGeneration Running i  c}]",
		},
		{
			"no tag", `{"1":{"taskParams":{"taskStatus":"Complete","commandId":"x"},"taskStatus":"Running","instanceId":"i","commandId":"c"}}`,
			"[{1  Running i  c}]",
		},
		{"list", `[{"TextGeneration":{"taskStatus":"Running","commandId":"c","taskId":"9"}}]`, "[{9 TextGeneration Running   c}]"},
		{
			"over",
			`{"1":{"TextGeneration":{"taskStatus":"Complete","commandId":"c"}},"2":{"TextGeneration":{"taskStatus":"Cancelled","commandId":"d"}}}`,
			"[]",
		},
		{"exo's own errand", `{"1":{"DownloadModel":{"taskStatus":"Running","instanceId":"i"}}}`, "[]"},
		{"nonsense", `{"1":7,"2":{"A":3},"3":null,"4":{"TextGeneration":{"taskStatus":5}}}`, "[]"},
		{"more nonsense", `"x"`, "[]"},
	} {
		var s Snapshot
		if err := decodePart(strings.NewReader(c.in), Tasks, Query{}, &s); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := fmt.Sprint(s.Tasks.Open); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// TestNewTasks tells the tasks since an earlier look apart, finished ones too.
func TestNewTasks(t *testing.T) {
	look := func(doc string, since *TaskList) *TaskList {
		var s Snapshot
		if err := decodePart(strings.NewReader(doc), Tasks, Query{Since: since}, &s); err != nil {
			t.Fatal(err)
		}
		return s.Tasks
	}
	before := look(`{"a":{"TextGeneration":{"taskStatus":"Running","commandId":"1"}},"b":{"LoadModel":{"taskStatus":"Running"}}}`, nil)
	after := look(
		`{"b":{"LoadModel":{"taskStatus":"Complete"}},"c":{"TextGeneration":{"taskStatus":"Cancelled","commandId":"2"}},`+
			`"d":{"CreateRunner":{"instanceId":"i","boundNodeId":"n"}}}`,
		before,
	)
	want := "[{c TextGeneration Cancelled   2} {d CreateRunner  i n }]"
	if got := fmt.Sprint(after.New); got != want || len(after.Open) != 0 || after.Len() != 3 {
		t.Errorf("got %s of %d, want %s", got, after.Len(), want)
	}
}

// TestRunners reads statuses as they came over the wire, and others.
func TestRunners(t *testing.T) {
	for _, c := range []struct{ in, want, reason string }{
		{`{"RunnerReady":{"prefillServerPort":null}}`, "RunnerReady", ""},
		{`{"RunnerReady":{}}`, "RunnerReady", ""},
		{`"RunnerRunning"`, "RunnerRunning", ""},
		{`{"RunnerShuttingDown":null}`, "RunnerShuttingDown", ""},
		{`{"RunnerLoading":{"layersLoaded":3,"totalLayers":16}}`, "RunnerLoading 3/16 layers", ""},
		{`{"RunnerLoading":{"layers_loaded":3,"total_layers":16}}`, "RunnerLoading 3/16 layers", ""},
		{`{"RunnerFailed":{"errorMessage":"Terminated (signal=9 (Killed))","diagnostics":[]}}`, "RunnerFailed", "Terminated (signal=9 (Killed))"},
		{
			`{"RunnerFailed":{"errorMessage":"x","diagnostics":[{"RunnerMetalGpuTimeout":{"message":"GPU Timeout","evidence":["secret"]}},` +
				`{"Odd":{}}]}}`,
			"RunnerFailed", "x; RunnerMetalGpuTimeout: GPU Timeout; Odd",
		},
		{`{"RunnerFailed":{}}`, "RunnerFailed", ""},
		{`{"RunnerContemplating":{"since":7}}`, "RunnerContemplating", ""},
		{`7`, "unknown", ""},
	} {
		var s Snapshot
		if err := decodePart(strings.NewReader(`{"r":`+c.in+`}`), Runners, Query{}, &s); err != nil {
			t.Errorf("%s: %v", c.in, err)
		}
		if r := s.Runners["r"]; r.String() != c.want || r.Reason != c.reason {
			t.Errorf("%s: got %q %q", c.in, r, r.Reason)
		}
	}
}

func TestDownloads(t *testing.T) {
	doc := `{"n":[{"DownloadOngoing":{"shardMetadata":{"PipelineShardMetadata":{"modelCard":{"modelId":"m"}}},
		"downloadProgress":{"downloaded":{"inBytes":5},"total":{"inBytes":9},"speed":2.5}}},
		{"DownloadFailed":{"shardMetadata":{"modelCard":{"modelId":"f"}},"errorMessage":"HTTP 401"}}, {"DownloadCompleted":{"modelId":"c"}}, 7,
		{"DownloadPending":{"modelId":"p","downloaded_bytes":3,"total_bytes":4}}]}`
	var s Snapshot
	if err := decodePart(strings.NewReader(doc), Downloads, Query{}, &s); err != nil {
		t.Fatal(err)
	}
	want := "[{n m DownloadOngoing 5 9 2.5 } {n f DownloadFailed 0 0 0 HTTP 401} {n p DownloadPending 3 4 0 }]"
	if got := fmt.Sprint(s.Downloads); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestNoPrompts makes sure that nothing of a task's parameters is kept.
func TestNoPrompts(t *testing.T) {
	doc := `{"tasks":{"t":{"TextGeneration":{"taskStatus":"Running","instanceId":"i","commandId":"c","taskParams":{"input":"private ` +
		`words"}}}},"events":["private words"]}`
	var s Snapshot
	if err := decodeWhole(strings.NewReader(doc), all, Query{}, &s); err != nil {
		t.Fatal(err)
	}
	kept, err := json.Marshal(struct {
		Snapshot
		Open []Task
	}{s, s.Tasks.Open})
	if err != nil || strings.Contains(string(kept), "private") || len(s.Tasks.Open) != 1 {
		t.Errorf("kept %s %v", kept, err)
	}
}

// Lists of models are read in the forms in which nodes have them, and told from what is none.
func TestReadLists(t *testing.T) {
	type reader = func(io.Reader, func(Model)) (bool, error)
	long := `{"data":[{"id":"` + strings.Repeat("x", 1000) + `"}]}`
	for name, tc := range map[string]struct {
		read reader
		doc  string
		want string
		ok   bool
	}{
		"exo's catalogue": {
			ReadModels, `{"object":"list","data":[{"id":"a","name":"A","hugging_face_id":"org/a","owned_by":"exo","tags":["x"]},{"id":"b"},7]}`,
			"[{a org/a exo false} {b   false}]", true,
		},
		"a bare array":      {ReadModels, ` [{"id":"a"}]`, "[{a   false}]", true},
		"an empty list":     {ReadModels, `{"data":[]}`, "[]", true},
		"an id without end": {ReadModels, long, "[{" + foreign.ID(strings.Repeat("x", 1000)) + "   false}]", true},
		"no list":           {ReadModels, `{"data":{"id":"a"}}`, "[]", false},
		"null":              {ReadModels, `null`, "[]", false},
		"a null list":       {ReadModels, `{"data":null}`, "[]", false},
		"an error":          {ReadModels, `{"error":"no such method"}`, "[]", false},
		"Ollama's tags":     {ReadTags, `{"models":[{"name":"a:1b","model":"x","id":"y"}]}`, "[{a:1b   false}]", true},
		"no tags":           {ReadTags, `{"status":"ok"}`, "[]", false},
		"legacy exo's models": {
			ReadInitialModels, `{"a":{"name":null,"loading":true},"b":{"loading":null},"c":1}`, "[{a   true} {b   false} {c   false}]", true,
		},
		"no models":              {ReadInitialModels, `{}`, "[]", false},
		"a list of legacy exo's": {ReadInitialModels, `[]`, "[]", false},
	} {
		var got []Model
		ok, err := tc.read(strings.NewReader(tc.doc), func(m Model) { got = append(got, m) })
		if err != nil || ok != tc.ok || fmt.Sprint(got) != tc.want {
			t.Errorf("%s: %v, %v, %v; want %s", name, got, ok, err, tc.want)
		}
	}
	for _, read := range []reader{ReadModels, ReadTags, ReadInitialModels} {
		if _, err := read(strings.NewReader(`{"data":[`), func(Model) { t.Error("half an entry was handed on") }); !errors.Is(err, ErrSyntax) {
			t.Errorf("half a document: %v", err)
		}
	}
}

// However long a list is, reading it keeps nothing.
func TestListsAreNotHeld(t *testing.T) {
	n := 0
	doc := io.MultiReader(
		strings.NewReader(`{"data":[`), strings.NewReader(strings.Repeat(`{"id":"`+strings.Repeat("x", 100)+`"},`, 1<<18)),
		strings.NewReader(`{"id":"last"}]}`),
	)
	if ok, err := ReadModels(doc, func(Model) { n++ }); !ok || err != nil || n != 1<<18+1 {
		t.Errorf("%d entries, %v, %v", n, ok, err)
	}
}

// A temperature of 0 is that of a sensor which is not there.
func TestTemperature(t *testing.T) {
	for text, known := range map[string]bool{"61.2": true, "0": false, "-5": false, "1000": false, "null": false} {
		var s Snapshot
		err := decodePart(strings.NewReader(`{"n":{"gpuUsage":0,"temp":`+text+`}}`), Systems, Query{}, &s)
		if got := s.Systems["n"]; err != nil || (got.Celsius != nil) != known || got.GPU == nil {
			t.Errorf("a temperature of %s: %+v, %v", text, got, err)
		}
	}
}

// What exo shows of a machine's power is a figure, or nothing: exo has 0 where there is no sensor.
func TestPower(t *testing.T) {
	for text, known := range map[string]bool{
		"38.7": true, "0.5": true, "0": false, "-3": false, "1e9": false, "1e999": false, `"38.7"`: false, "null": false, "{}": false,
		"true": false, "[38.7]": false,
	} {
		var s Snapshot
		err := decodePart(strings.NewReader(`{"n":{"gpuUsage":0.5,"sysPower":`+text+`,"temp":50}}`), Systems, Query{}, &s)
		if got := s.Systems["n"]; err != nil || (got.Watts != nil) != known || got.GPU == nil || *got.GPU != 0.5 || got.Celsius == nil {
			t.Errorf("sysPower of %s: %+v, %v", text, got, err)
		}
	}
	reading := func(watts, fast float64) System { return System{GPU: new(0.5), Watts: &watts, Fast: &fast} }
	if !reading(1, 2).Same(reading(1, 2)) || reading(1, 2).Same(reading(1, 3)) || reading(1, 2).Same(System{GPU: new(0.5), Watts: new(1.0)}) {
		t.Error("readings are told apart wrongly")
	}
}
