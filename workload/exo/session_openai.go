package exo

import (
	"context"
	"slices"

	"exo-bench-exporter/workload"
)

// openOpenAI chooses the id for m. A list of models that lacks it is no obstacle: some
// servers list aliases only or load models on demand, and the server's own answer decides.
func (c *Client) openOpenAI(ctx context.Context, m workload.Model) (*session, error) {
	ids, err := c.catalogue(ctx, workload.DialectOpenAI)
	if err != nil {
		return nil, err
	}
	id := candidates(workload.DialectOpenAI, m)[0]
	if ids != nil && !slices.Contains(ids, id) && c.firstTime(id) {
		c.log.Warn("The server does not list this model; it is tried all the same. If the server knows it under another id, set EXOBENCH_MODELS=…,"+
			m.Name+"=ID", "model", m.Name, "asked_for", id, "listed", some(ids))
	}
	return &session{client: c, dialect: workload.DialectOpenAI, model: m.Name, id: id}, nil
}

// firstTime reports whether id is asked about for the first time since the node was found.
func (c *Client) firstTime(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	again := c.unlisted[id]
	c.unlisted[id] = true
	return !again
}
