package exo

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/answer"
	"exo-bench-exporter/workload/exo/sse"
	"exo-bench-exporter/workload/exo/state"
)

// exo0 is legacy exo 0.0.x. It has no usage, no [DONE] and no limit to an answer but its own
// --max-generate-tokens, and loads a model with the first request for it, in the place of the
// one before.
type exo0 struct{}

func (exo0) traits() traits {
	return traits{
		name: workload.DialectExo0, owner: "exo", framing: framingSSE, lazy: true, runsOn: true,
		substitutes: "this exo does not know the model and put its default in its place",
		overrun:     "start exo with --max-generate-tokens set to the largest max_tokens of the suite",
	}
}

// Many a web service answers /healthcheck, so that proves nothing by itself.
func (exo0) proofs() []proof {
	return []proof{
		{{"/healthcheck", small(isHealthy)}, {"/initial_models", isInitialModels}},
		{{"/topology", small(isTopology)}},
	}
}

func isHealthy(b json.RawMessage) (finding, bool) {
	var doc struct {
		Status string `json:"status"`
	}
	return finding{}, json.Unmarshal(b, &doc) == nil && doc.Status == "ok"
}

func isInitialModels(r io.Reader) (f finding, ok bool, err error) {
	_, err = state.ReadInitialModels(r, func(m state.Model) { ok = ok || m.Loading })
	return f, ok, err
}

func isTopology(b json.RawMessage) (finding, bool) {
	var doc struct {
		Nodes     json.RawMessage `json:"nodes"`
		PeerGraph json.RawMessage `json:"peer_graph"`
	}
	return finding{}, json.Unmarshal(b, &doc) == nil && doc.Nodes != nil && doc.PeerGraph != nil
}

// Legacy exo caches nothing from one request to the next.
func (exo0) routes() []route {
	return []route{{endpoint: workload.EndpointV1, path: pathV1, words: pathV1 + ", which caches nothing"}}
}

// exo0Names are legacy exo's ids of the models of the standard workload.
var exo0Names = map[string]string{
	"llama-3.1-8b": "llama-3.1-8b",
	"llama-3.2-1b": "llama-3.2-1b",
	"mistral-7b":   "",
	"qwen-1.5-7b":  "",
	"deepseek-r1":  "deepseek-r1-distill-qwen-7b",
}

// exo0Near names what comes nearest to a model that legacy exo does not have.
var exo0Near = map[string]string{"mistral-7b": "mistral-nemo", "qwen-1.5-7b": "qwen-2.5-7b"}

// exo0ID returns the id by which m is asked for. The name does not stand in for another one
// that is in the table: legacy exo's own deepseek-r1 is the one of 671 billion parameters.
func exo0ID(m workload.Model) string { return cmp.Or(m.ExoID, exo0Names[m.Name], m.Name) }

func (exo0) survey(ctx context.Context, c *Client) (func(workload.Model) ModelReport, error) {
	// /v1/models lists every model there is; /initial_models only those of the engine.
	listed, err := c.catalogue(ctx, list{"/initial_models", state.ReadInitialModels}, list{"/v1/models", state.ReadModels})
	if err != nil {
		return nil, err
	}
	return func(m workload.Model) ModelReport { return legacyReport(m, listed) }, nil
}

func legacyReport(m workload.Model, listed []string) ModelReport {
	r := ModelReport{Model: m.Name, ID: exo0ID(m), Servable: true}
	id, standard := exo0Names[m.Name]
	switch {
	case slices.Contains(listed, r.ID):
	case standard && id == "" && m.ExoID == "":
		r.ID, r.Servable = "", false
		r.Note = fmt.Sprintf("exo 0.0.x has no %s. %s", m.Name, mapAdvice(m.Name, exo0Near[m.Name]))
	case listed != nil:
		id, r.ID, r.Servable = r.ID, "", false
		r.Note = fmt.Sprintf("the engine of this exo 0.0.x cannot serve %s; it can serve %s. "+
			"Another id is chosen by EXOBENCH_MODELS=…,%s=ID", id, some(listed), m.Name)
	default:
		r.Note = unlistedNote
	}
	return r
}

func (d exo0) open(ctx context.Context, c *Client, m workload.Model) (*session, error) {
	s, err := c.openListed(ctx, d, m)
	if err != nil {
		return nil, err
	}
	s.answered = func() { s.load.Loaded = c.replaced(s.id) || s.load.Loaded }
	return s, nil
}

// replaced notes that legacy exo answered for id, and reports whether it had answered for
// another model before, so that it has loaded this one since.
func (c *Client) replaced(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.loaded
	c.loaded = id
	return before != "" && before != id
}

// Legacy exo reads model, messages and stream of a body and passes over the rest.
func (exo0) body(id string, r workload.Request, _ form) any { return chatBody(id, r) }

// Legacy exo has no version to ask for.
func (exo0) engine(context.Context, *Client) (name, version string) { return "exo", "" }

func (exo0) events(d *sse.Decoder) eventReader { return &chatEvents{events: d} }

// Legacy exo sends one event a token, so a present but empty string is a token whose bytes are
// still pending.
func (exo0) token(d answer.Delta) answer.Token { return d.Token(answer.Empty) }
