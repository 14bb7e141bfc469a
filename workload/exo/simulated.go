package exo

// Simulated reports whether what answered last is the simulator and not a real node.
func (c *Client) Simulated() bool { return c.api.Simulated() }
