package exo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"exo-bench-exporter/workload"
)

// modelIDs reads a list of models: OpenAI's {"data":[{"id"}]}, or the bare array of legacy
// exo before December 2024.
func modelIDs(b json.RawMessage) ([]string, error) {
	type entry struct {
		ID string `json:"id"`
	}
	var doc struct {
		Data *[]entry `json:"data"`
	}
	var list []entry
	if err := json.Unmarshal(b, &doc); err == nil && doc.Data != nil {
		list = *doc.Data
	} else if err := json.Unmarshal(b, &list); err != nil {
		return nil, errors.New("not a list of models")
	}
	ids := make([]string, 0, len(list))
	for _, e := range list {
		ids = append(ids, e.ID)
	}
	return ids, nil
}

// catalogue returns the ids that the node says it can serve; nil when it does not say. An
// error means that the node could not be reached.
func (c *Client) catalogue(ctx context.Context, d workload.Dialect) ([]string, error) {
	paths := []string{"/v1/models"}
	switch d {
	case workload.DialectExo1:
		paths = []string{"/models", "/v1/models"}
	case workload.DialectExo0:
		// Only what the running engine supports; /v1/models lists every model there is.
		paths = []string{"/initial_models", "/v1/models"}
	}
	for _, path := range paths {
		var answer json.RawMessage
		err := c.api.Call(ctx, http.MethodGet, path, nil, &answer)
		if unreachable(err) {
			return nil, c.unreachable(err)
		}
		if err != nil {
			continue
		}
		var byID map[string]json.RawMessage
		if path == "/initial_models" && json.Unmarshal(answer, &byID) == nil {
			return slices.Sorted(maps.Keys(byID)), nil
		}
		if ids, err := modelIDs(answer); err == nil {
			return ids, nil
		}
	}
	c.log.Debug("The node does not list its models", "tried", paths)
	return nil, nil
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

// legacyID returns the id by which a legacy node with the given catalogue serves m.
func legacyID(m workload.Model, catalogue []string) (string, error) {
	id, listed := choose(candidates(workload.DialectExo0, m), catalogue)
	n, standard := known[m.Name]
	switch {
	case listed:
	case standard && n.exo0 == "" && m.ExoID == "":
		return "", unavailable(noLegacyID(m))
	case catalogue != nil:
		return "", unavailable(fmt.Sprintf("the engine of this exo 0.0.x cannot serve %s; it can serve %s. "+
			"Another id is chosen by EXOBENCH_MODELS=…,%s=ID", id, some(catalogue), m.Name))
	}
	return id, nil
}

func unavailable(reason string) error {
	return &workload.TurnError{Outcome: workload.TurnUnavailable, Reason: reason}
}

// some names a few of ids.
func some(ids []string) string {
	const few = 8
	if len(ids) <= few {
		return fmt.Sprint(ids)
	}
	return fmt.Sprintf("%v and %d more", ids[:few], len(ids)-few)
}
