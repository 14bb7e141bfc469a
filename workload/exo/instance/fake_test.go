package instance

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"exo-bench-exporter/workload/exo/state"
)

const (
	llama = "mlx-community/Llama-3.2-1B-Instruct-4bit"
	qwen  = "mlx-community/Qwen1.5-7B-Chat-4bit"
	gig   = uint64(1) << 30
)

type j = map[string]any

// fakeNode is an exo 1.x node as far as instances go, as a RoundTripper on virtual time.
type fakeNode struct {
	mu        sync.Mutex
	nextID    int
	nodes     []string
	catalogue map[string]uint64 // bytes of weights by model
	free      map[string]uint64 // bytes available by node
	instances map[string]*fakeInst
	tasks     j
	events    int        // applied to the state, beside those of exo itself
	idle      func() int // events that exo has had by itself; none when nil
	downloads []any
	calls     []string // "METHOD path"
	crimes    []string // instances deleted by somebody else than their owner, downloads canceled

	// What goes wrong.
	override   map[string]func(*http.Request) (int, string) // by "METHOD path"; status 0: connection error, -1: carry on
	lifetime   func(time.Duration) any                      // status of a runner by age; nil: absent
	appear     time.Duration                                // from POST to being listed; negative: never
	noSubpaths bool
	snake      bool // keys in snake_case
	outage     func() bool
	latency    time.Duration // 2 ms when zero
}

// caller is the node as one of several guests sees it.
type caller struct {
	node *fakeNode
	name string
}

func (c caller) RoundTrip(req *http.Request) (*http.Response, error) {
	req.Header.Set("X-Caller", c.name)
	return c.node.RoundTrip(req)
}

func owner(req *http.Request) string {
	if name := req.Header.Get("X-Caller"); name != "" {
		return name
	}
	return "guest"
}

type fakeInst struct {
	id, model, owner string
	body             any // as in /state
	runners          []string
	created          time.Time
	listed           time.Duration
	deleted          time.Time
	shutAfter        time.Duration // when the worker has more to do before than usual
	lifetime         func(time.Duration) any
}

func newFake() *fakeNode {
	return &fakeNode{
		nodes:     []string{"node-a"},
		catalogue: map[string]uint64{llama: gig, qwen: 4 * gig},
		free:      map[string]uint64{"node-a": 16 * gig},
		instances: map[string]*fakeInst{},
		tasks:     j{},
		override:  map[string]func(*http.Request) (int, string){},
		lifetime:  usual,
		appear:    100 * time.Millisecond,
	}
}

// usual is the life of a runner whose weights are on disk: ready after 3 s.
func usual(age time.Duration) any {
	switch {
	case age < 200*time.Millisecond:
		return nil
	case age < 400*time.Millisecond:
		return j{"RunnerIdle": j{}}
	case age < 2*time.Second:
		return j{"RunnerLoading": j{"layersLoaded": int(age / (200 * time.Millisecond)), "totalLayers": 16}}
	case age < 2200*time.Millisecond:
		return j{"RunnerLoaded": j{}}
	case age < 3*time.Second:
		return j{"RunnerWarmingUp": j{}}
	}
	return j{"RunnerReady": j{"prefillServerPort": nil}}
}

// always is the life of a runner that never changes; "" means absent.
func always(status string) func(time.Duration) any {
	return func(time.Duration) any {
		if status == "" {
			return nil
		}
		return j{status: j{}}
	}
}

const (
	goneAfter = 150 * time.Millisecond // from DELETE to not being listed
	shutAfter = 400 * time.Millisecond // from DELETE to the worker's errand to shut the runner down
)

func (i *fakeInst) visible() bool {
	return i.listed >= 0 && time.Since(i.created) >= i.listed && (i.deleted.IsZero() || time.Since(i.deleted) < goneAfter)
}

// stranger creates an instance that nobody may touch.
func (f *fakeNode) stranger(model string, lifetime func(time.Duration) any) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	in := f.propose(model, 1)
	in.owner, in.created, in.lifetime = "stranger", time.Now(), lifetime
	f.instances[in.id] = in
	return in.id
}

// vanish removes an instance as its owner, or a crash, would.
func (f *fakeNode) vanish(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if in := f.instances[id]; in != nil && in.deleted.IsZero() {
		in.deleted = time.Now()
	}
}

// listed returns the ids of visible instances of an owner.
func (f *fakeNode) listed(owner string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, id := range slices.Sorted(maps.Keys(f.instances)) {
		if in := f.instances[id]; in.owner == owner && in.visible() {
			out = append(out, id)
		}
	}
	return out
}

func (f *fakeNode) called(prefix string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		if strings.HasPrefix(c, prefix) {
			n++
		}
	}
	return n
}

func (f *fakeNode) propose(model string, nodes int) *fakeInst {
	f.nextID++
	in := &fakeInst{id: fmt.Sprintf("instance-%d", f.nextID), model: model}
	byNode, shards := j{}, j{}
	for i, n := range f.nodes[:nodes] {
		r := fmt.Sprintf("runner-%d-%d", f.nextID, i)
		in.runners = append(in.runners, r)
		byNode[n] = r
		shards[r] = j{
			"PipelineShardMetadata": j{"modelCard": j{"modelId": model, "storageSize": j{"inBytes": f.catalogue[model]}}, "deviceRank": i},
		}
	}
	in.body = j{"MlxRingInstance": j{
		"instanceId":       in.id,
		"shardAssignments": j{"modelId": model, "runnerToShard": shards, "nodeToRunner": byNode},
		"hostsByNode":      j{}, "ephemeralPort": 50123,
	}}
	return in
}

var errRefused = errors.New("dial tcp 127.0.0.1:52415: connect: connection refused")

// RoundTrip answers after the latency, in virtual time. The node has heard a call even when
// the caller does not wait for the answer.
func (f *fakeNode) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err // never sent
	}
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
	}
	key := req.Method + " " + req.URL.Path
	f.mu.Lock()
	f.calls = append(f.calls, key)
	latency := cmp.Or(f.latency, 2*time.Millisecond)
	f.mu.Unlock()
	err := sleep(req.Context(), latency)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		f.answer(req, body)
		return nil, err
	}
	if f.outage != nil && f.outage() {
		return nil, errRefused
	}
	if o := f.override[key]; o != nil {
		switch code, text := o(req); code {
		case 0:
			return nil, errRefused
		case -1:
		case -2: // the node takes the command and the answer is lost
			f.answer(req, body)
			return nil, errRefused
		default:
			return respond(req, code, []byte(text)), nil
		}
	}
	code, v := f.answer(req, body)
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	if f.snake && strings.HasPrefix(req.URL.Path, "/state") {
		b = snakeCase(b)
	}
	return respond(req, code, b), nil
}

func respond(req *http.Request, code int, body []byte) *http.Response {
	return &http.Response{
		StatusCode: code, Status: http.StatusText(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: req,
	}
}

func exoError(code int, message string) (int, any) {
	return code, j{"error": j{"message": message, "type": http.StatusText(code), "param": nil, "code": code}}
}

func (f *fakeNode) answer(req *http.Request, body []byte) (int, any) {
	path, model := req.URL.Path, req.URL.Query().Get("model_id")
	switch {
	case req.Method == http.MethodGet && path == "/models":
		var data []any
		for id := range f.catalogue {
			data = append(data, j{"id": id, "object": "model"})
		}
		return 200, j{"object": "list", "data": data}
	case req.Method == http.MethodPost && path == "/models/add":
		var in struct {
			ModelID string `json:"model_id"`
		}
		_ = json.Unmarshal(body, &in)
		f.catalogue[in.ModelID] = 4 * gig
		return 200, j{"id": in.ModelID}
	case path == "/instance/previews":
		return 200, f.previews(model)
	case path == "/instance/placement":
		return 200, f.propose(model, 1).body
	case req.Method == http.MethodPost && path == "/instance":
		return f.create(body, owner(req))
	case req.Method == http.MethodDelete && strings.HasPrefix(path, "/instance/"):
		in := f.instances[strings.TrimPrefix(path, "/instance/")]
		if in == nil || !in.visible() {
			return exoError(404, "Instance not found")
		}
		if in.owner != owner(req) {
			f.crimes = append(f.crimes, fmt.Sprintf("%s deleted %s of %s", owner(req), in.id, in.owner))
		}
		if in.deleted.IsZero() {
			in.deleted = time.Now()
			f.cancelDownloads(in)
		}
		return 200, j{"message": "Command received.", "instance_id": in.id}
	case path == "/state":
		return 200, f.state()
	case strings.HasPrefix(path, "/state/") && !f.noSubpaths:
		v := any(f.state())
		for _, k := range strings.Split(strings.TrimPrefix(path, "/state/"), "/") {
			if v = v.(j)[k]; v == nil {
				return exoError(404, "unable to find path in state json")
			}
		}
		return 200, v
	}
	return 404, j{"detail": "Not Found"}
}

// cancelDownloads does what exo does when an instance is deleted: it cancels the downloads
// that no instance needs.
func (f *fakeNode) cancelDownloads(deleted *fakeInst) {
	for i, d := range f.downloads {
		kind, body, model := downloadParts(d)
		needed := slices.ContainsFunc(slices.Collect(maps.Values(f.instances)), func(in *fakeInst) bool {
			return in.model == model && in.visible() && in.deleted.IsZero()
		})
		if kind != "DownloadOngoing" || needed {
			continue
		}
		if model != deleted.model {
			f.crimes = append(f.crimes, "canceled the download of "+model)
		}
		f.downloads[i] = j{"DownloadPending": body}
	}
}

// downloadParts takes an entry of downloads, {"DownloadOngoing": {…}}, apart.
func downloadParts(d any) (kind string, body any, model string) {
	var at any
	entry, _ := d.(j)
	for kind, at = range entry {
		body = at
		for _, key := range []string{"shardMetadata", "P", "modelCard", "modelId"} {
			inner, _ := at.(j)
			at = inner[key]
		}
		model, _ = at.(string)
	}
	return kind, body, model
}

func (f *fakeNode) previews(model string) any {
	var out []any
	for n := len(f.nodes); n > 0; n-- { // the smallest last, so that order does not choose
		need := j{}
		for _, id := range f.nodes[:n] {
			need[id] = f.catalogue[model] / uint64(n)
		}
		out = append(out, j{
			"model_id": model, "sharding": "Pipeline", "instance_meta": "MlxRing",
			"instance": f.propose(model, n).body, "memory_delta_by_node": need, "error": nil,
		})
	}
	out = append(out, j{"model_id": model, "sharding": "Tensor", "instance_meta": "MlxRing", "instance": nil, "error": "no tensor sharding"})
	return j{"previews": out}
}

func (f *fakeNode) accept(in *fakeInst, owner string) {
	in.owner, in.created, in.lifetime, in.listed = owner, time.Now(), f.lifetime, f.appear
	f.instances[in.id] = in
}

func (f *fakeNode) create(body []byte, owner string) (int, any) {
	var doc struct {
		Instance json.RawMessage `json:"instance"`
	}
	if err := json.Unmarshal(body, &doc); err != nil || doc.Instance == nil {
		return 422, j{"detail": []any{j{"type": "missing", "loc": []any{"body", "instance"}, "msg": "Field required"}}}
	}
	p, err := state.ReadInstance(bytes.NewReader(doc.Instance))
	if err != nil {
		return 422, nil
	}
	if f.instances[p.ID] == nil {
		f.accept(&fakeInst{id: p.ID, model: p.Model, body: doc.Instance, runners: p.Runners}, owner)
	}
	return 200, j{"message": "Command received.", "command_id": "c"}
}

// count returns the number of the last event.
func (f *fakeNode) count() int {
	if f.idle == nil {
		return f.events
	}
	return f.events + f.idle()
}

func (f *fakeNode) state() j {
	instances, runners, memory, downloads, tasks := j{}, j{}, j{}, j{}, maps.Clone(f.tasks)
	for id, in := range f.instances {
		if in.visible() {
			instances[id] = in.body
		}
		if in.listed < 0 {
			continue
		}
		if f.tasks != nil && time.Since(in.created) >= in.listed {
			tasks["create "+id] = errand("CreateRunner", id)
			if !in.deleted.IsZero() && time.Since(in.deleted) >= max(shutAfter, in.shutAfter) {
				tasks["shut "+id] = errand("Shutdown", id)
			}
		}
		status := in.lifetime(time.Since(in.created))
		if !in.deleted.IsZero() && status != nil {
			status = j{"RunnerShuttingDown": j{}} // for ever: exo never removes the record
		}
		for _, r := range in.runners {
			if status != nil {
				runners[r] = status
			}
		}
	}
	for id, b := range f.free {
		memory[id] = j{"ramTotal": j{"inBytes": 32 * gig}, "ramAvailable": j{"inBytes": b}}
	}
	for _, id := range f.nodes {
		downloads[id] = f.downloads
	}
	s := j{
		"instances": instances, "runners": runners, "downloads": downloads, "tasks": tasks, "lastEventAppliedIdx": f.count(),
		"somethingNew": j{"deep": []int{1}},
	}
	if f.free != nil {
		s["nodeMemory"] = memory
	}
	return s
}

// snakeCase rewrites the keys of exo's schema, not those that are ids.
func snakeCase(b []byte) []byte {
	for _, k := range []string{
		"instanceId", "shardAssignments", "modelId", "runnerToShard", "nodeToRunner", "modelCard", "storageSize", "inBytes",
		"nodeMemory", "ramAvailable", "ramTotal", "layersLoaded", "totalLayers", "errorMessage", "taskStatus", "commandId", "taskId",
		"lastEventAppliedIdx",
	} {
		var s strings.Builder
		for _, r := range k {
			if r >= 'A' && r <= 'Z' {
				s.WriteByte('_')
			}
			s.WriteRune(r)
		}
		b = bytes.ReplaceAll(b, []byte(`"`+k+`"`), []byte(`"`+strings.ToLower(s.String())+`"`))
	}
	return b
}

// elsewhere creates a stranger's instance on a node of its own.
func (f *fakeNode) elsewhere(model string) string {
	nodes := f.nodes
	f.nodes = []string{"node-z"}
	in := f.propose(model, 1)
	f.nodes = nodes
	f.accept(in, "stranger")
	in.lifetime, in.listed = always("RunnerReady"), 0
	return in.id
}
