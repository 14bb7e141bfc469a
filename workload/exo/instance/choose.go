package instance

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
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

// choose asks exo how it would place the model: by /instance/previews, and where that is
// missing by /instance/placement. Both tell the instance's id in advance. An exo with neither
// is not asked to place anything: the answer to POST /place_instance names a command, and
// nothing in exo's state or events ties that to the instance that comes of it, so ours could
// not be told from somebody else's when it is to be deleted.
func (m *Manager) choose(ctx context.Context, model string) (placement, error) {
	for start := time.Now(); ; {
		c, err := m.previews(ctx, model)
		switch {
		case missing(err):
			m.node.sayOnce("previews", "This exo does not preview placements: asking for a single one")
			return m.choosePlacement(ctx, model)
		case httpapi.IsStatus(err, http.StatusBadRequest):
			return placement{}, unavailable(err, "exo cannot place %s", model)
		case err != nil:
			return placement{}, answered(ctx, err, "exo's placements of %s cannot be read", model)
		case c.previews > 0:
			return m.best(ctx, model, c)
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

// candidates are what the previews of a model have shown.
type candidates struct {
	previews int
	best     *placement // of those that will do; nil where none does
	refusals []string
	most     int // nodes that any of them runs on
}

// maxRefusals bounds the reasons that are kept for which exo does not place a model; each is of one line.
const maxRefusals = 16

// previews asks exo how it would place the model, and keeps the best of what it proposes: the
// placement on the fewest nodes that are enough, ring before RDMA.
func (m *Manager) previews(ctx context.Context, model string) (c candidates, err error) {
	err = m.node.stream(ctx, "/instance/previews?model_id="+url.QueryEscape(model), func(body io.Reader) error {
		c = candidates{}
		return state.ReadPreviews(body, func(p state.Preview) { m.weigh(&c, p) })
	})
	return c, err
}

// weigh takes one preview into account.
func (m *Manager) weigh(c *candidates, p state.Preview) {
	c.previews++
	if p.Error != "" || p.Instance == nil {
		asked := strings.EqualFold(p.Sharding, m.opts.Sharding) && p.Error != ""
		if asked && len(c.refusals) < maxRefusals && !slices.Contains(c.refusals, p.Error) {
			c.refusals = append(c.refusals, p.Error)
		}
		return
	}
	n := len(p.Instance.Nodes)
	c.most = max(c.most, n)
	// exo places on one node by pipeline whatever was asked for.
	if n < m.opts.MinNodes || n != 1 && !strings.EqualFold(p.Sharding, m.opts.Sharding) {
		return
	}
	if c.best == nil || cmp.Or(cmp.Compare(n, len(c.best.Nodes)), cmp.Compare(rank(p.Instance.Kind), rank(c.best.Kind))) < 0 {
		c.best = &placement{Instance: *p.Instance, raw: p.Raw, need: p.Need, via: "previews"}
	}
}

// best returns the best placement, or why there is none.
func (m *Manager) best(ctx context.Context, model string, c candidates) (placement, error) {
	if c.best != nil {
		return *c.best, nil
	}
	why := strings.Join(c.refusals, "; ")
	switch {
	case strings.Contains(strings.ToLower(why), "memory"):
		return placement{}, noMemory(nil, "exo cannot place %s: %s (%s); unload something or choose a smaller model", model, foreign.Line(why),
			m.available(ctx))
	case why != "" && c.most == 0:
		return placement{}, unavailable(nil, "exo cannot place %s: %s", model, foreign.Line(why))
	}
	return placement{}, unavailable(nil, "exo places %s on at most %d nodes, but at least %d with %s sharding are asked for",
		model, c.most, m.opts.MinNodes, m.opts.Sharding)
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
