package instance

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// inst is an instance as exo lists it or proposes it.
type inst struct {
	id      string
	kind    string // variant, for example MlxRingInstance
	model   string
	runners []string // ids, sorted; empty when the layout is not known
	nodes   []string // ids, sorted
	weights uint64   // bytes of the model's weights; 0 where exo does not say
}

// parseInst reads an instance. Runners and nodes come from nodeToRunner and runnerToShard, or
// from a list of shards; a layout with neither yields none, see view.runnersOf.
func parseInst(id string, v any) inst {
	kind, body := untag(v)
	in := inst{id: text(child(body, "instanceId")), kind: kind, model: text(path(body, "shardAssignments", "modelId"))}
	if in.id == "" {
		in.id = id
	}
	if in.model == "" {
		in.model = text(search(body, "modelId"))
	}
	nodes, runners := map[string]bool{}, map[string]bool{}
	for n, r := range objects(search(body, "nodeToRunner")) {
		nodes[n], runners[text(r)] = true, true
	}
	for r := range objects(search(body, "runnerToShard")) {
		runners[r] = true
	}
	shards, _ := search(body, "shards").([]any)
	for _, s := range shards { // {"nodeId", "runnerId", …} or [nodeId, runnerId, …]
		n, r := child(s, "nodeId"), child(s, "runnerId")
		if list, _ := s.([]any); len(list) >= 2 {
			n, r = list[0], list[1]
		}
		nodes[text(n)], runners[text(r)] = true, true
	}
	delete(nodes, "")
	delete(runners, "")
	in.nodes, in.runners = slices.Sorted(maps.Keys(nodes)), slices.Sorted(maps.Keys(runners))
	in.weights, _ = amount(search(body, "storageSize"))
	return in
}

// runner is the status of one runner.
type runner struct {
	status        string // variant, for example RunnerReady; empty when the runner is absent
	layers, total uint64 // while loading
	reason        string // of a failure
}

func (r runner) ready() bool { return r.status == "RunnerReady" || r.status == "RunnerRunning" }

func (r runner) String() string {
	switch {
	case r.status == "":
		return "absent"
	case r.total > 0:
		return fmt.Sprintf("%s %d/%d layers", r.status, r.layers, r.total)
	}
	return r.status
}

func parseRunner(v any) runner {
	status, body := untag(v)
	if status == "" {
		status = "unknown"
	}
	r := runner{
		status: status,
		layers: count(child(body, "layersLoaded")),
		total:  count(child(body, "totalLayers")),
		reason: text(child(body, "errorMessage")),
	}
	list, _ := child(body, "diagnostics").([]any)
	for _, d := range list {
		name, diag := untag(d)
		if msg := text(child(diag, "message")); msg != "" {
			name = strings.TrimPrefix(name+": "+msg, ": ")
		}
		if name != "" {
			r.reason = strings.TrimPrefix(r.reason+"; "+name, "; ")
		}
	}
	return r
}

// view is one look at instances and runners.
type view struct {
	instances map[string]inst
	runners   map[string]runner
	raw       map[string]any // instances as they came
}

func newView(s state) view {
	v := view{instances: map[string]inst{}, runners: map[string]runner{}, raw: objects(s.Instances)}
	for id, x := range v.raw {
		v.instances[id] = parseInst(id, x)
	}
	for id, x := range objects(s.Runners) {
		v.runners[id] = parseRunner(x)
	}
	return v
}

func (n *node) view(ctx context.Context) (view, error) {
	s, err := n.look(ctx, "instances", "runners")
	return newView(s), err
}

// runnersOf returns the runners of in, absent ones with an empty status. Where the layout of
// the instance is not known, its runners are those listed ids that its JSON mentions.
func (v view) runnersOf(in inst) []runner {
	ids := in.runners
	if len(ids) == 0 {
		ids = mentioned(v.raw[in.id], v.runners)
	}
	out := make([]runner, len(ids))
	for i, id := range ids {
		out[i] = v.runners[id]
	}
	return out
}

func mentioned(x any, runners map[string]runner) []string {
	found := map[string]bool{}
	var walk func(any)
	mark := func(s string) {
		if _, ok := runners[s]; ok {
			found[s] = true
		}
	}
	walk = func(x any) {
		switch x := x.(type) {
		case string:
			mark(x)
		case []any:
			for _, y := range x {
				walk(y)
			}
		case map[string]any:
			for k, y := range x {
				mark(k)
				walk(y)
			}
		}
	}
	walk(x)
	return slices.Sorted(maps.Keys(found))
}

// health sums up the runners of an instance.
type health struct {
	ready         bool   // all of them Ready or Running, and at least one
	dead          bool   // one is absent or failed
	warming       bool   // one is in exo's own warm-up
	layers, total uint64 // loaded, over all runners
	reason        string // of the first failure
	states        string // for people
}

func (v view) health(in inst) health {
	rs := v.runnersOf(in)
	h := health{ready: len(rs) > 0, dead: len(rs) == 0}
	words := make([]string, len(rs))
	for i, r := range rs {
		words[i] = r.String()
		h.ready = h.ready && r.ready()
		if r.status == "" || r.status == "RunnerFailed" {
			h.dead = true
		}
		h.warming = h.warming || r.status == "RunnerWarmingUp"
		h.layers, h.total = h.layers+r.layers, h.total+r.total
		h.reason = cmp.Or(h.reason, r.reason)
	}
	h.states = cmp.Or(strings.Join(words, ", "), "none")
	return h
}

// of returns the instances of a model in the order of their ids.
func (v view) of(model string) []inst {
	var out []inst
	for _, id := range slices.Sorted(maps.Keys(v.instances)) {
		if v.instances[id].model == model {
			out = append(out, v.instances[id])
		}
	}
	return out
}
