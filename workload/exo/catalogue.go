package exo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/foreign"
)

// list is a route at which a node lists its models.
type list struct {
	path  string
	parse func(json.RawMessage) ([]string, error)
}

// catalogue returns the ids that the node says it can serve, by the first of lists that it has;
// nil when it does not say. An error means that the node could not be reached.
func (c *Client) catalogue(ctx context.Context, lists ...list) ([]string, error) {
	for _, l := range lists {
		var answer json.RawMessage
		err := c.api.Call(ctx, http.MethodGet, l.path, nil, &answer)
		if unreachable(err) {
			return nil, c.unreachable(err)
		}
		if err != nil {
			continue
		}
		if ids, err := l.parse(answer); err == nil {
			return ids, nil
		}
	}
	c.log.Debug("The node does not list its models")
	return nil, nil
}

// listed is a model of a node's list.
type listed struct {
	ID      word `json:"id"`
	OwnedBy word `json:"owned_by"`
}

// modelList reads a list of models: OpenAI's {"data":[{"id"}]}, or the bare array of legacy
// exo before December 2024.
func modelList(b json.RawMessage) ([]listed, error) {
	var doc struct {
		Data *[]listed `json:"data"`
	}
	var list []listed
	if err := json.Unmarshal(b, &doc); err == nil && doc.Data != nil {
		return *doc.Data, nil
	}
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, errors.New("not a list of models")
	}
	return list, nil
}

// modelIDs reads the ids of a list of models.
func modelIDs(b json.RawMessage) ([]string, error) {
	models, err := modelList(b)
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(models))
	for _, m := range models {
		ids = append(ids, string(m.ID))
	}
	return ids, nil
}

// choose returns the first of ids that the catalogue has; listed is false when it has none
// of them, or when there is no catalogue: then id is the first.
func choose(ids, catalogue []string) (id string, listed bool) {
	for _, id := range ids {
		if slices.Contains(catalogue, id) {
			return id, true
		}
	}
	return ids[0], false
}

// openListed chooses the id for m by what the node lists, for a dialect that loads a model with
// the first request for it.
func (c *Client) openListed(ctx context.Context, d dialect, m workload.Model) (*session, error) {
	report, err := d.survey(ctx, c)
	if err != nil {
		return nil, err
	}
	r := report(m)
	if !r.Servable {
		return nil, &workload.TurnError{Outcome: workload.TurnUnavailable, Reason: r.Note}
	}
	if r.Note != "" && r.Note != unlistedNote && c.firstTime(r.ID) {
		c.log.Warn("The model may not be served", "model", m.Name, "asked_for", r.ID, "because", r.Note)
	}
	return &session{client: c, dialect: d, model: m.Name, id: r.ID}, nil
}

// firstTime reports whether id is asked about for the first time since the node was found.
func (c *Client) firstTime(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	again := c.unlisted[id]
	c.unlisted[id] = true
	return !again
}

// unlistedNote is the note of a model on a node that lists none.
const unlistedNote = "the node does not list its models; it is tried"

// mapAdvice says how a user maps a workload's model to an id of the node.
func mapAdvice(name, id string) string {
	return fmt.Sprintf("To measure its nearest relative in its place, which the metrics will show, set EXOBENCH_MODELS=…,%s=%s", name, id)
}

// some names a few of ids.
func some(ids []string) string {
	const few, longest = 8, 80 // bytes
	shown := make([]string, 0, few)
	for _, id := range ids[:min(few, len(ids))] {
		shown = append(shown, foreign.Cut(foreign.Line(id), longest))
	}
	if len(ids) <= few {
		return fmt.Sprint(shown)
	}
	return fmt.Sprintf("%v and %d more", shown, len(ids)-few)
}
