package exo

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/httpapi"
)

// nodeParts are the parts of exo's state that tell about machines. The whole state is never
// asked for: it holds people's prompts.
var nodeParts = []string{"nodeIdentities", "nodeMemory", "nodeSystem"}

// nodes reads what exo says of its machines, sorted by name. Parts that it does not have, or
// that look unlike what is known of them, are left out; missing tells that it has none.
func (c *Client) nodes(ctx context.Context) (nodes []workload.NodeStatus, missing bool) {
	parts := map[string]map[string]json.RawMessage{}
	missing = true
	for _, part := range nodeParts {
		var byNode map[string]json.RawMessage
		err := c.api.Call(ctx, http.MethodGet, "/state/"+part, nil, &byNode)
		if !httpapi.IsStatus(err, http.StatusNotFound) {
			missing = false
		}
		if err != nil {
			c.log.Debug("A part of exo's state cannot be read", "part", part, "err", err)
			continue
		}
		parts[part] = byNode
	}
	ids := map[string]bool{}
	for _, part := range nodeParts {
		for id := range parts[part] {
			ids[id] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		n := nodeStatus(parts["nodeIdentities"][id], parts["nodeMemory"][id], parts["nodeSystem"][id])
		if n != (workload.NodeStatus{Name: n.Name}) {
			nodes = append(nodes, n)
		}
	}
	slices.SortStableFunc(nodes, func(a, b workload.NodeStatus) int { return cmp.Compare(a.Name, b.Name) })
	return distinct(nodes), missing
}

// nodeStatus reads what there is of one machine; what cannot be read stays unknown.
func nodeStatus(identityDoc, memoryDoc, systemDoc json.RawMessage) workload.NodeStatus {
	var n workload.NodeStatus
	var who struct {
		FriendlyName string `json:"friendlyName"`
	}
	_ = json.Unmarshal(identityDoc, &who)
	n.Name = cmp.Or(httpapi.OneLine(who.FriendlyName), "node")
	var mem struct {
		Total     memory `json:"ramTotal"`
		Available memory `json:"ramAvailable"`
	}
	_ = json.Unmarshal(memoryDoc, &mem)
	n.MemoryTotal, n.MemoryAvailable = mem.Total.known(), mem.Available.known()
	var sys struct {
		GPU   figure `json:"gpuUsage"`
		Temp  figure `json:"temp"`
		Power figure `json:"sysPower"`
	}
	_ = json.Unmarshal(systemDoc, &sys)
	n.GPUUtilization, n.TemperatureCelsius, n.PowerWatts = sys.GPU.value, sys.Temp.value, sys.Power.value
	return n
}

// figure is a number, or nothing where something else stands.
type figure struct{ value *float64 }

// UnmarshalJSON implements json.Unmarshaler.
func (f *figure) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &f.value) != nil {
		f.value = nil
	}
	return nil
}

// known returns the amount, nil where it is 0: that is what exo has while it does not know.
func (m memory) known() *uint64 {
	if v := m.bytes(); v > 0 {
		return &v
	}
	return nil
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
