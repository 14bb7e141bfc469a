package state

import (
	"cmp"
	"io"
	"maps"
	"slices"

	"exo-bench-exporter/workload/exo/foreign"
)

// Instance is an instance of a model as exo lists it or proposes it.
type Instance struct {
	ID      string
	Kind    string // variant, for example MlxRingInstance
	Model   string
	Runners []string // ids, sorted; empty where exo does not say
	Nodes   []string // ids, sorted; empty where exo does not say
	Weights uint64   // bytes of the model's weights; 0 where exo does not say
}

// OnNode reports whether the instance runs on the node, or may.
func (in Instance) OnNode(node string) bool {
	return len(in.Nodes) == 0 || slices.Contains(in.Nodes, node)
}

// Meets reports whether two instances run on a common node, or may.
func (in Instance) Meets(other Instance) bool {
	return len(in.Nodes) == 0 || slices.ContainsFunc(in.Nodes, other.OnNode)
}

// layout is an instance while it is read. Its places are the instance's body and, before
// that, shardAssignments within it.
type layout struct {
	id, model, carded string // model by modelId, and by the card of a shard
	nodes, runners    map[string]bool
	weights           uint64
}

func (l *layout) reset() { *l = layout{nodes: map[string]bool{}, runners: map[string]bool{}} }

func (l *layout) put(s *scanner, node, runner string) {
	s.keep(itemCost)
	l.nodes[node], l.runners[runner] = true, true
}

// places are the fields that tell where a model runs.
func (l *layout) places() []field {
	return []field{
		{"nodeToRunner", func(s *scanner) {
			s.object(func(node string) {
				runner, _ := s.str(foreign.MaxID)
				l.put(s, foreign.ID(node), runner)
			})
		}},
		{"runnerToShard", func(s *scanner) {
			s.object(func(runner string) {
				l.put(s, "", foreign.ID(runner))
				s.union(func() {}, l.card())
			})
		}},
		{"shards", func(s *scanner) { s.array(func(int) { l.shard(s) }) }},
	}
}

// shard reads {"nodeId", "runnerId", …} or [nodeId, runnerId, …].
func (l *layout) shard(s *scanner) {
	var ids [2]string
	if s.peek() == '[' {
		s.array(func(i int) {
			if i < len(ids) {
				ids[i], _ = s.str(foreign.MaxID)
			} else {
				s.skip()
			}
		})
	} else {
		s.fields(id("nodeId", &ids[0]), id("runnerId", &ids[1]), l.card())
	}
	l.put(s, ids[0], ids[1])
}

func (l *layout) card() field {
	return field{"modelCard", func(s *scanner) {
		s.fields(id("modelId", &l.carded), amount("storageSize", func(b uint64) { l.weights = b }))
	}}
}

// instance reads an instance; key is its id where the body holds none.
func (s *scanner) instance(key string) Instance {
	var l layout
	l.reset()
	var outer string
	kind := s.union(func() { l.reset(); outer = "" }, append(l.places(),
		id("instanceId", &l.id), id("modelId", &outer), l.card(),
		field{"shardAssignments", func(s *scanner) {
			s.fields(append(l.places(), id("modelId", &l.model), l.card())...)
		}},
	)...)
	delete(l.nodes, "")
	delete(l.runners, "")
	s.keep(itemCost)
	return Instance{
		ID: cmp.Or(l.id, key), Kind: kind, Model: cmp.Or(l.model, outer, l.carded), Weights: l.weights,
		Nodes: slices.Sorted(maps.Keys(l.nodes)), Runners: slices.Sorted(maps.Keys(l.runners)),
	}
}

// instances reads the part of that name. One without an id is passed over.
func (s *scanner) instances() map[string]Instance {
	all := map[string]Instance{}
	s.byID(func(id string) {
		if in := s.instance(id); in.ID != "" {
			all[cmp.Or(id, in.ID)] = in
		}
	})
	return all
}

// ReadInstance reads one instance, as exo proposes it for a placement.
func ReadInstance(r io.Reader) (Instance, error) {
	s := newScanner(r)
	in := s.instance("")
	return in, s.end()
}
