package exo

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/chips"
	"exo-bench-exporter/workload/exo/instance"
	"exo-bench-exporter/workload/exo/state"
)

// machines are the parts of exo's state that tell about machines.
const machines = state.Identities | state.Memories | state.Systems

// nodes reads what exo says of its machines, sorted by name; a look that is younger than
// maxAge will do. Machines of which nothing is known are left out.
func (c *Client) nodes(ctx context.Context, maxAge time.Duration) ([]workload.NodeStatus, error) {
	s, err := c.state.Look(ctx, state.Query{Parts: machines, MaxAge: maxAge})
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for id := range s.Identities {
		ids[id] = true
	}
	for id := range s.Memories {
		ids[id] = true
	}
	for id := range s.Systems {
		ids[id] = true
	}
	var nodes []workload.NodeStatus
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		n := workload.NodeStatus{
			Name: cmp.Or(s.Identities[id].Name, "node"), Machine: s.Identities[id].Machine, Chip: s.Identities[id].Chip,
			OS:          s.Identities[id].OS,
			MemoryTotal: positive(s.Memories[id].Total), MemoryAvailable: positive(s.Memories[id].Available),
			GPUUtilization: s.Systems[id].GPU, TemperatureCelsius: s.Systems[id].Celsius, PowerWatts: s.Systems[id].Watts,
		}
		if n != (workload.NodeStatus{Name: n.Name}) {
			nodes = append(nodes, n)
		}
	}
	slices.SortStableFunc(nodes, func(a, b workload.NodeStatus) int { return cmp.Compare(a.Name, b.Name) })
	return distinct(nodes), nil
}

// hardwareAge is how old a look may be that tells what machines are.
const hardwareAge = time.Minute

// host returns what is known of the machines that hold the model of lease, but for their power.
func (c *Client) host(ctx context.Context, lease *instance.Lease) workload.Host {
	h := workload.Host{WeightsBytes: lease.Weights()}
	nodes := lease.Nodes()
	s, err := c.state.Look(ctx, state.Query{Parts: state.Identities | state.Memories, MaxAge: hardwareAge})
	if err != nil {
		c.log.Debug("What the machines are cannot be read", "err", err)
	}
	for _, id := range nodes {
		m := workload.Machine{Kind: s.Identities[id].Machine, Chip: s.Identities[id].Chip, OS: s.Identities[id].OS}
		if total := s.Memories[id].Total; total != nil {
			m.MemoryBytes = *total
		}
		for _, words := range []*string{&m.Kind, &m.Chip, &m.OS} {
			*words = c.private.hide(*words)
		}
		if m != (workload.Machine{}) {
			h.Machines = append(h.Machines, m)
		}
	}
	switch {
	case len(nodes) != 1: // they take turns, or share each layer, in a way that nobody tells
	case c.opts.MemoryBandwidth > 0:
		h.MemoryBandwidth = c.opts.MemoryBandwidth
	case len(h.Machines) == 1:
		h.MemoryBandwidth, _ = chips.MemoryBandwidth(h.Machines[0].Chip, h.Machines[0].MemoryBytes)
	}
	return h
}

// observePower returns what watches the power of the nodes during a request, and adds the energy and the rest of what they
// showed to its result. Of the energy what exo itself says in its answer wins; where it is known to say so, nothing is watched.
func (c *Client) observePower(nodes func() []string) func(context.Context) observation {
	return func(ctx context.Context) observation {
		if c.Endpoint() == workload.EndpointBenchJSON {
			return observation{}
		}
		watch := c.power.Begin(ctx, nodes())
		return observation{looks: watch.Looks, add: func(r *workload.Result) {
			end := r.Start.Add(r.E2E)
			joules, known := watch.End(r.Start, end)
			r.Sensors = watch.Sensors(r.Start, end)
			if known && r.OK() && r.EnergyJoules == 0 {
				r.EnergyJoules, r.EnergySource = joules, workload.EnergyFromPower
			}
		}}
	}
}

// positive returns an amount, nil where it is 0: that is what exo has while it does not know.
func positive(v *uint64) *uint64 {
	if v == nil || *v == 0 {
		return nil
	}
	return v
}

// distinct numbers nodes that share a name: names become labels, ids must not.
func distinct(nodes []workload.NodeStatus) []workload.NodeStatus {
	seen := map[string]int{}
	for i, n := range nodes {
		seen[n.Name]++
		if k := seen[n.Name]; k > 1 {
			nodes[i].Name = fmt.Sprintf("%s (%d)", n.Name, k)
		}
	}
	return nodes
}
