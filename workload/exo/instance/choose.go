package instance

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"exo-bench-exporter/workload/exo/foreign"
	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exo/state"
)

// placement is an instance as exo proposes it, not created yet.
type placement struct {
	state.Instance
	raw  json.RawMessage   // verbatim, to be posted back
	need map[string]uint64 // bytes that it takes on each node; empty where exo does not say
	via  string
}

// preview is one entry of /instance/previews, with the instance as it came.
type preview struct {
	state.Preview
	raw json.RawMessage
}

func (p *preview) UnmarshalJSON(b []byte) error {
	var doc struct {
		Instance json.RawMessage `json:"instance"`
	}
	if json.Unmarshal(b, &doc) != nil {
		return nil //nolint:nilerr // not a preview that can be used; the others may be
	}
	var err error
	p.raw = doc.Instance
	p.Preview, err = state.ReadPreview(b)
	return err
}

// choose asks exo how it would place the model: by /instance/previews, and where that is
// missing by /instance/placement. Both tell the instance's id in advance. An exo with neither
// is not asked to place anything: the answer to POST /place_instance names a command, and
// nothing in exo's state or events ties that to the instance that comes of it, so ours could
// not be told from somebody else's when it is to be deleted.
func (m *Manager) choose(ctx context.Context, model string) (placement, error) {
	var doc struct {
		Previews []preview `json:"previews"`
	}
	for start := time.Now(); ; {
		err := m.node.get(ctx, "/instance/previews?model_id="+url.QueryEscape(model), &doc)
		switch {
		case missing(err):
			m.node.sayOnce("previews", "This exo does not preview placements: asking for a single one")
			return m.choosePlacement(ctx, model)
		case httpapi.IsStatus(err, http.StatusBadRequest):
			return placement{}, unavailable(err, "exo cannot place %s", model)
		case err != nil:
			return placement{}, answered(ctx, err, "exo's placements of %s cannot be read", model)
		case len(doc.Previews) > 0:
			return m.best(ctx, model, doc.Previews)
		case time.Since(start) >= m.commandBound():
			return placement{}, unavailable(nil, "exo proposes no placement of %s at all, even after %s: it seems to know no node; look whether "+
				"its workers run",
				model, m.commandBound())
		}
		if err := sleep(ctx, time.Second); err != nil {
			return placement{}, answered(ctx, err, "waiting for placements of %s", model)
		}
	}
}

// best picks the placement on the fewest nodes that are enough, ring before RDMA.
func (m *Manager) best(ctx context.Context, model string, previews []preview) (placement, error) {
	var fit []placement
	var refusals []string
	most := 0
	for _, p := range previews {
		if p.Error != "" || p.Instance == nil {
			if strings.EqualFold(p.Sharding, m.opts.Sharding) && p.Error != "" && !slices.Contains(refusals, p.Error) {
				refusals = append(refusals, p.Error)
			}
			continue
		}
		c := placement{Instance: *p.Instance, raw: p.raw, need: p.Need, via: "previews"}
		most = max(most, len(c.Nodes))
		// exo places on one node by pipeline whatever was asked for.
		if len(c.Nodes) >= m.opts.MinNodes && (len(c.Nodes) == 1 || strings.EqualFold(p.Sharding, m.opts.Sharding)) {
			fit = append(fit, c)
		}
	}
	if len(fit) > 0 {
		slices.SortStableFunc(fit, func(a, b placement) int {
			return cmp.Or(cmp.Compare(len(a.Nodes), len(b.Nodes)), cmp.Compare(rank(a.Kind), rank(b.Kind)))
		})
		return fit[0], nil
	}
	why := strings.Join(refusals, "; ")
	switch {
	case strings.Contains(strings.ToLower(why), "memory"):
		return placement{}, noMemory(nil, "exo cannot place %s: %s (%s); unload something or choose a smaller model", model, foreign.Line(why),
			m.available(ctx))
	case why != "":
		return placement{}, unavailable(nil, "exo cannot place %s: %s", model, foreign.Line(why))
	}
	return placement{}, unavailable(nil, "exo places %s on at most %d nodes, but at least %d with %s sharding are asked for",
		model, most, m.opts.MinNodes, m.opts.Sharding)
}

func rank(kind string) int {
	if strings.Contains(kind, "Ring") {
		return 0
	}
	return 1
}

func (m *Manager) choosePlacement(ctx context.Context, model string) (placement, error) {
	q := url.Values{
		"model_id": {model}, "sharding": {m.opts.Sharding}, "instance_meta": {"MlxRing"}, "min_nodes": {fmt.Sprint(m.opts.MinNodes)},
	}
	var raw json.RawMessage
	err := m.node.get(ctx, "/instance/placement?"+q.Encode(), &raw)
	switch {
	case missing(err):
		m.node.sayOnce("placement", "This exo does not propose placements either: nothing is placed on it, models that are loaded already are "+
			"measured")
		return placement{}, unavailable(nil, "this exo has neither /instance/previews nor /instance/placement, so the id of an instance is not "+
			"known in advance "+
			"and one placed for %s could not be told from others' when it is to be deleted; upgrade exo (every release since v1.0.61 has both), "+
			"or load the model yourself in exo's dashboard: it is then measured and left loaded", model)
	case httpapi.IsStatus(err, http.StatusBadRequest) && strings.Contains(strings.ToLower(err.Error()), "memory"):
		return placement{}, noMemory(err, "exo cannot place %s (%s); unload something or choose a smaller model", model, m.available(ctx))
	case httpapi.IsStatus(err, http.StatusBadRequest):
		return placement{}, unavailable(err, "exo cannot place %s", model)
	case err != nil:
		return placement{}, answered(ctx, err, "exo's placement of %s cannot be read", model)
	}
	in, err := state.ReadInstance(bytes.NewReader(raw))
	if err != nil {
		return placement{}, answered(ctx, err, "exo's placement of %s cannot be read", model)
	}
	return placement{Instance: in, raw: raw, via: "placement"}, nil
}
