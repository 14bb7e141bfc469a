package exo

import (
	"context"

	"exo-bench-exporter/workload"
)

// openExo0 chooses the id for m. Legacy exo loads a model with the first request for it, in
// the place of the one before.
func (c *Client) openExo0(ctx context.Context, m workload.Model) (*session, error) {
	ids, err := c.catalogue(ctx, workload.DialectExo0)
	if err != nil {
		return nil, err
	}
	id, err := legacyID(m, ids)
	if err != nil {
		return nil, err
	}
	return &session{client: c, dialect: workload.DialectExo0, model: m.Name, id: id}, nil
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

// sayOverrun says once that legacy exo goes on past max_tokens, and what helps.
func (c *Client) sayOverrun() {
	c.mu.Lock()
	said := c.overrun
	c.overrun = true
	c.mu.Unlock()
	if !said {
		c.log.Warn("This exo ignores max_tokens: what it generates beyond is read but not measured, and costs time. " +
			"Start exo with --max-generate-tokens set to the largest max_tokens of the suite")
	}
}
