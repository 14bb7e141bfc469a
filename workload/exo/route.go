package exo

import (
	"context"
	"slices"

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
	c.endpoint = e
	c.mu.Unlock()
	if changed {
		c.log.Info("Route for prompts found", "endpoint", e, "because", why)
	}
}

// measure puts the prompt by the best route that the node has. Where it had to find that
// route out there are several results, of which the last one counts.
func (s *session) measure(ctx context.Context, r workload.Request) []workload.Result {
	var all []workload.Result
	routes := s.client.known(s.client.routes(s.dialect))
	for i, rt := range routes {
		res, refused := s.put(ctx, r, rt)
		only := i == len(routes)-1
		missing := refused.noRoute()
		if missing && only && rt.document != nil {
			res.Err += "; this exo has no " + rt.path + ": choose the endpoint auto or v1"
		}
		all = append(all, res)
		if !s.passesOn(rt, res, missing, only) {
			break
		}
		next := routes[i+1]
		if missing {
			s.client.setEndpoint(next.endpoint, "there is no "+rt.path+", which was asked for twice")
			continue
		}
		s.client.setEndpoint(next.endpoint, rt.path+" answers without streaming, which leaves nothing to time")
		if r.Warmup {
			break // it has warmed the model up
		}
	}
	return all
}

// passesOn notes what res, which came by route rt, tells of the route, and reports whether the
// next one is to be taken instead. A document proves something only when it is an answer.
func (s *session) passesOn(rt route, res workload.Result, missing, only bool) bool {
	document := res.Endpoint != rt.endpoint && res.FinishReason != ""
	switch {
	case document && only:
		s.client.setEndpoint(res.Endpoint, rt.path+" answers without streaming")
	case res.TokenEvents > 0 && res.Endpoint == rt.endpoint && rt.document != nil:
		s.client.setEndpoint(rt.endpoint, rt.path+" streams")
	}
	return !only && (missing || document)
}
