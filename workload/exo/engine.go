package exo

import (
	"context"

	"exo-bench-exporter/workload"
)

// engine is what a node runs.
type engine struct{ name, version string }

// askEngine asks a node what it runs, once until it turns out to be another.
func (c *Client) askEngine(ctx context.Context, d dialect) {
	c.mu.Lock()
	known := c.engine != nil
	c.mu.Unlock()
	if known {
		return
	}
	name, version := d.engine(ctx, c)
	c.mu.Lock()
	c.engine = &engine{name, version}
	c.mu.Unlock()
	if name != "" || version != "" {
		c.log.Info("Engine found", "engine", name, "version", version)
	}
}

// epoch returns what is known of the method before a route is chosen.
func (c *Client) epoch(name workload.Dialect) workload.Epoch {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := workload.Epoch{Dialect: name}
	if c.engine != nil {
		e.Engine, e.Version = c.engine.name, c.engine.version
	}
	return e
}

// listOwner returns whom a node's list of models names as their owner, where that is the server
// itself; empty where it is a name that means nobody.
func (c *Client) listOwner(ctx context.Context) string {
	f, err := c.ask(ctx, probe{"/v1/models", isModelList})
	if err != nil || len(f.owners) != 1 {
		return ""
	}
	switch f.owners[0] {
	case "organization_owner", "openai", "system", "user":
		return ""
	case "llamacpp":
		return "llama.cpp"
	}
	return f.owners[0]
}
