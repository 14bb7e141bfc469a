package exo

import (
	"context"
	"slices"
	"time"

	"exo-bench-exporter/workload"
)

// EndpointChoice says by which of a dialect's routes prompts are put, where it has several.
type EndpointChoice string

// The choices of a route.
const (
	// EndpointAuto takes exo's /bench where it streams, else /v1 with a nonce against the prefix cache.
	EndpointAuto EndpointChoice = "auto"
	// EndpointV1 takes /v1 with a nonce.
	EndpointV1 EndpointChoice = "v1"
	// EndpointBench takes /bench, also where it answers without streaming (v1.0.71): then only
	// exo's own figures are known.
	EndpointBench EndpointChoice = "bench"
)

// routes returns the routes by which prompts may be put in dialect d, best first. A choice that
// the dialect does not have leaves it its own.
func (c *Client) routes(d dialect) []route {
	all := d.routes()
	i := slices.IndexFunc(all, func(r route) bool { return string(r.endpoint) == string(c.opts.Endpoint) })
	if i < 0 {
		return all
	}
	return all[i : i+1]
}

// known returns what is left of routes when those that were found not to do are gone.
func (c *Client) known(routes []route) []route {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(routes, func(r route) bool { return r.endpoint == c.endpoint })
	return routes[max(i, 0):]
}

// Endpoint returns the route by which prompts are put; empty while it is not found out,
// which the first request of a turn does.
func (c *Client) Endpoint() workload.Endpoint {
	d := c.current()
	if d == nil {
		return ""
	}
	routes := c.routes(d)
	if only := routes[0]; len(routes) == 1 && only.document == nil {
		return only.endpoint
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.endpoint
}

func (c *Client) setEndpoint(e workload.Endpoint, why string) {
	c.mu.Lock()
	changed := c.endpoint != e
	c.endpoint, c.askAgain = e, time.Time{}
	c.mu.Unlock()
	if changed {
		c.log.Info("Route for prompts found", "endpoint", e, "because", why)
	}
}

// refusedFor is how long a route that was refused is left alone. A node may refuse for reasons that pass, as
// behind a proxy that starts after it; asking is cheap, but takes its place in a turn.
const refusedFor = time.Hour

// refused notes that a better route than the one that is taken was refused just now.
func (c *Client) refused() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.askAgain = time.Now().Add(refusedFor)
}

// worthAsking reports whether a route that was refused is to be asked for again, once.
func (c *Client) worthAsking() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.askAgain.IsZero() || time.Now().Before(c.askAgain) {
		return false
	}
	c.askAgain = time.Now().Add(refusedFor)
	return true
}

// retry puts the prompt by routes that were refused. Only what streams is taken, as nothing else shows that it
// is better than the route which is known to do; found is false when none does.
func (s *session) retry(ctx context.Context, r workload.Request, routes []route) (all []workload.Result, found bool) {
	for _, rt := range routes {
		res, shown := s.put(ctx, r, rt)
		all = append(all, res)
		if shown == showsStream {
			s.client.setEndpoint(rt.endpoint, rt.path+", which was refused before, streams now")
			return all, true
		}
	}
	return all, false
}

// measure puts the prompt by the best route that the node has. Where it had to find that
// route out there are several results, of which the last one counts.
func (s *session) measure(ctx context.Context, r workload.Request) []workload.Result {
	var all []workload.Result
	choice := s.client.routes(s.dialect)
	routes := s.client.known(choice)
	// Only a warm-up may ask: what else is timed would find the model in another state after another request.
	if better := choice[:len(choice)-len(routes)]; r.Warmup && len(better) > 0 && s.client.worthAsking() {
		var found bool
		if all, found = s.retry(ctx, r, better); found {
			return all
		}
	}
	for i, rt := range routes {
		res, shown := s.put(ctx, r, rt)
		only := i == len(routes)-1
		if shown == showsMissing && only && rt.document != nil {
			res.Err += "; this exo has no " + rt.path + ": choose the endpoint auto or v1"
		}
		all = append(all, res)
		switch {
		case shown == showsStream && rt.document != nil:
			s.client.setEndpoint(rt.endpoint, rt.path+" streams")
		case shown == showsDocument && only:
			s.client.setEndpoint(res.Endpoint, rt.path+" answers without streaming")
		case shown == showsDocument:
			s.client.setEndpoint(routes[i+1].endpoint, rt.path+" answers without streaming, which leaves nothing to time")
		case shown == showsMissing && !only:
			s.client.setEndpoint(routes[i+1].endpoint, "there is no "+rt.path+", which was asked for twice; it is asked for again every "+
				refusedFor.String())
			s.client.refused()
		}
		if only || shown != showsMissing && shown != showsDocument {
			break
		}
		if shown == showsDocument && r.Warmup {
			break // it has warmed the model up
		}
	}
	return all
}
