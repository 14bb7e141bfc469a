package instance

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"exo-bench-exporter/workload/exo/state"
)

// Margin over what exo says a model takes, which is its weights alone: the prompt cache and
// the runner itself (a Python process with MLX) come on top.
const (
	memoryMarginDivisor = 8         // an eighth of the weights
	memoryMarginLeast   = 512 << 20 // bytes
)

// freeMemory reads the memory available on each node, in bytes.
func (m *Manager) freeMemory(ctx context.Context) (map[string]uint64, error) {
	s, err := m.node.look(ctx, state.Query{Parts: state.Memories})
	if err != nil {
		return nil, err
	}
	free := map[string]uint64{}
	for id, mem := range s.Memories {
		if mem.Available != nil {
			free[id] = *mem.Available
		}
	}
	return free, nil
}

// checkMemory refuses a placement for which a node lacks memory. Where exo does not say
// what it takes or what is there, exo's own check is relied on.
func (m *Manager) checkMemory(ctx context.Context, p placement) error {
	need := p.need
	if len(need) == 0 && p.Weights > 0 && len(p.Nodes) > 0 {
		need = map[string]uint64{}
		for _, n := range p.Nodes {
			need[n] = p.Weights / uint64(len(p.Nodes))
		}
	}
	free, err := m.freeMemory(ctx)
	if err != nil {
		return answered(ctx, err, "exo's memory cannot be read")
	}
	for _, n := range slices.Sorted(maps.Keys(need)) {
		have, known := free[n]
		if !known {
			m.node.sayOnce("memory", "exo does not say how much memory is available: relying on its own check")
			continue
		}
		want := need[n] + max(need[n]/memoryMarginDivisor, memoryMarginLeast)
		if have < want {
			return noMemory(nil, "not enough memory for %s on node %s: %s available, %s wanted (%s of weights and a margin of %s); unload "+
				"something or choose a smaller model",
				p.Model, short(n), gib(have), gib(want), gib(need[n]), gib(want-need[n]))
		}
	}
	return nil
}

// available describes the memory of all nodes for a message.
func (m *Manager) available(ctx context.Context) string {
	free, err := m.freeMemory(ctx)
	if err != nil || len(free) == 0 {
		return "memory available: not known"
	}
	parts := make([]string, 0, len(free))
	for _, n := range slices.Sorted(maps.Keys(free)) {
		parts = append(parts, fmt.Sprintf("%s on node %s", gib(free[n]), short(n)))
	}
	return "memory available: " + strings.Join(parts, ", ")
}

func gib(b uint64) string { return fmt.Sprintf("%.2f GiB", float64(b)/(1<<30)) }

// short cuts a random id down to what tells it apart in a message.
func short(id string) string {
	if len(id) > 12 {
		return id[:8] + "…"
	}
	return id
}
