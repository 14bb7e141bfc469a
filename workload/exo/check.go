package exo

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"exo-bench-exporter/workload"
)

// Report is what can be found out about a node without putting a prompt to it.
type Report struct {
	URL      string
	Err      error // the node cannot be reached or driven; then nothing below is known
	Dialect  workload.Dialect
	RTT      time.Duration
	Endpoint string // route for prompts, in words
	Models   []ModelReport
}

// OK reports whether the node can be driven and serves every model.
func (r Report) OK() bool {
	return r.Err == nil && !slices.ContainsFunc(r.Models, func(m ModelReport) bool { return !m.Servable })
}

// ModelReport says whether a node can serve a model.
type ModelReport struct {
	Model    string // name in the workload
	ID       string // id on the node; empty when it has none
	Servable bool   // as far as the node's lists tell
	Loaded   bool   // there is an instance of it; known on exo 1.x only
	Note     string // why it is not servable and what to do, or what to mind; may be empty
}

// Check asks the node what it is and which of the models it can serve. It loads nothing and
// changes nothing.
func (c *Client) Check(ctx context.Context, models []workload.Model) Report {
	r := Report{URL: c.api.BaseURL().String()}
	r.Dialect, r.RTT, r.Err = c.ping(ctx)
	if r.Err != nil {
		return r
	}
	listed, err := c.catalogue(ctx, r.Dialect)
	if err != nil {
		r.Err = err
		return r
	}
	r.Endpoint = c.endpointWords(r.Dialect)
	var placed []string
	if r.Dialect == workload.DialectExo1 {
		placed = c.placed(ctx)
	}
	for _, m := range models {
		r.Models = append(r.Models, c.checkModel(r.Dialect, m, listed, placed))
	}
	return r
}

func (c *Client) checkModel(d workload.Dialect, m workload.Model, listed, placed []string) ModelReport {
	r := ModelReport{Model: m.Name, Servable: true}
	switch d {
	case workload.DialectExo0:
		id, err := legacyID(m, listed)
		var turn *workload.TurnError
		if errors.As(err, &turn) {
			r.Servable, r.Note = false, turn.Reason
		}
		r.ID = id
	case workload.DialectOpenAI:
		var ok bool
		if r.ID, ok = choose(candidates(d, m), listed); !ok && listed != nil {
			r.Note = "not in the server's list of models, but it is tried; the list has " + some(listed) + ", chosen by EXOBENCH_MODELS=…," + m.Name + "=ID"
		}
	case workload.DialectExo1:
		var ok bool
		if r.ID, ok = choose(candidates(d, m), slices.Concat(listed, placed)); !ok && listed != nil {
			r.Servable, r.Note = c.addable(r.ID)
		}
		r.Loaded = slices.Contains(placed, r.ID)
	}
	if r.Note == "" && listed == nil {
		r.Note = "the node does not list its models; it is tried"
	}
	return r
}

// addable says what becomes of a model that exo 1.x does not know.
func (c *Client) addable(id string) (servable bool, note string) {
	if c.opts.AddModels {
		return true, "not in exo's catalogue; it is added when its turn comes (exo needs the internet for it)"
	}
	manager, err := c.Instances()
	if err != nil {
		return false, "not in exo's catalogue; and " + err.Error()
	}
	return false, "not in exo's catalogue; add it with: " + manager.AddCommand(id) + " or set EXOBENCH_ADD_MODELS=true (exo needs the internet for either)"
}

// endpointWords says by which route prompts will be put.
func (c *Client) endpointWords(d workload.Dialect) string {
	switch {
	case d == workload.DialectExo0:
		return pathV1 + ", which caches nothing"
	case d == workload.DialectOpenAI || c.opts.Endpoint == EndpointV1:
		return pathV1 + " with a nonce against the prefix cache"
	case c.opts.Endpoint == EndpointBench:
		return pathBench + ", prefix cache off"
	}
	return pathBench + " if it streams, else " + pathV1 + " with a nonce against the prefix cache; the first request finds out"
}

// placed returns the ids of the models that exo 1.x has instances of, as far as it says.
func (c *Client) placed(ctx context.Context) []string {
	var instances map[string]map[string]json.RawMessage // id → variant → instance
	if err := c.api.Call(ctx, http.MethodGet, "/state/instances", nil, &instances); err != nil {
		c.log.Debug("exo's instances cannot be read", "err", err)
	}
	var ids []string
	for _, variants := range instances {
		for _, raw := range variants {
			var doc struct {
				Shards struct {
					Model string `json:"modelId"`
				} `json:"shardAssignments"`
			}
			if json.Unmarshal(raw, &doc) == nil && doc.Shards.Model != "" {
				ids = append(ids, doc.Shards.Model)
			}
		}
	}
	return ids
}
