package exo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/foreign"
	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exo/state"
)

// list is a route at which a node lists its models.
type list struct {
	path string
	read listReader
}

// listReader reads a list of models in one of the forms that package state knows.
type listReader func(r io.Reader, each func(state.Model)) (ok bool, err error)

// read reads the list at path as it comes. A document that is no such list is errAnswer.
func (c *Client) read(ctx context.Context, l list, each func(state.Model)) error {
	return c.api.Stream(ctx, http.MethodGet, l.path, httpapi.MaxStream, func(body io.Reader) error {
		if ok, err := l.read(body, each); ok || err != nil {
			return err
		}
		return errAnswer
	})
}

// maxListed is how many ids are kept of a list. One that is longer is as good as none: a model that it
// lacks may come further on.
const maxListed = 1 << 15

// catalogue returns the ids that the node says it can serve, by the first of lists that it has;
// nil when it does not say. An error means that the node could not be reached.
func (c *Client) catalogue(ctx context.Context, lists ...list) ([]string, error) {
	for _, l := range lists {
		ids, n := []string{}, 0
		err := c.read(ctx, l, func(m state.Model) {
			if n++; n <= maxListed {
				ids = append(ids, m.ID)
			}
		})
		switch {
		case unreachable(err):
			return nil, c.unreachable(err)
		case err == nil && n > maxListed:
			c.log.Info("The node lists more models than are looked at: those that are to be measured are tried", "path", l.path, "models", n)
			return nil, nil
		case err == nil:
			return ids, nil
		}
	}
	c.log.Debug("The node does not list its models")
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

// openListed chooses the id for m by what the node lists, for a dialect that loads a model with
// the first request for it.
func (c *Client) openListed(ctx context.Context, d dialect, m workload.Model) (*session, error) {
	report, err := d.survey(ctx, c)
	if err != nil {
		return nil, err
	}
	r := report(m)
	if !r.Servable {
		return nil, &workload.TurnError{Outcome: workload.TurnUnavailable, Reason: r.Note, Fix: r.Fix}
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
		shown = append(shown, foreign.Cut(id, longest))
	}
	if len(ids) <= few {
		return fmt.Sprint(shown)
	}
	return fmt.Sprintf("%v and %d more", shown, len(ids)-few)
}
