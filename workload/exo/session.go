package exo

import (
	"context"
	"time"

	"exo-bench-exporter/workload"
)

// session is a model that is ready on the node.
type session struct {
	client  *Client
	dialect workload.Dialect
	model   string // name in the workload
	id      string // id on the node
	load    workload.Load
	// release gives back what Open created; nil where there is nothing to give back.
	release func(context.Context) error
	// watch starts to look out for other people's work and returns what tells whether any ran
	// beside the requests that were answered under own ids; nil where that cannot be seen.
	watch func(context.Context) (contended func(own []string) bool)
	// diagnose says what is the matter with the model on the node, empty for nothing; nil where
	// that cannot be seen.
	diagnose func(context.Context) string
}

// maxGaps bounds the room made in advance for the gaps of one request.
const maxGaps = 4096

// ExoModel implements workload.Session.
func (s *session) ExoModel() string { return s.id }

// Load implements workload.Session. Where the first request loads the model, only its
// success tells whether there was anything to load, and nothing tells how long it took.
func (s *session) Load() workload.Load { return s.load }

// Close implements workload.Session.
func (s *session) Close(ctx context.Context) error {
	if s.release == nil {
		return nil
	}
	return s.release(ctx)
}

// Measure implements workload.Session.
func (s *session) Measure(ctx context.Context, r workload.Request) workload.Result {
	contended := func([]string) bool { return false }
	if s.watch != nil {
		contended = s.watch(ctx)
	}
	results := s.measure(ctx, r)
	var own []string
	for _, res := range results {
		own = append(own, res.ResponseID)
	}
	res := results[len(results)-1]
	res.Contended = contended(own)
	switch {
	case res.Outcome == workload.OutcomeConnectError:
		s.client.forget()
	case !res.OK() && res.Outcome != workload.OutcomeCanceled && s.diagnose != nil:
		if why := s.diagnose(ctx); why != "" {
			res.Err += "; " + why
		}
	case res.OK() && s.dialect == workload.DialectExo0:
		s.load.Loaded = s.client.replaced(s.id) || s.load.Loaded
	}
	return res
}

// measure puts the prompt by the best route that the node has. Where it had to find that
// route out there are two results, of which the last one counts.
func (s *session) measure(ctx context.Context, r workload.Request) []workload.Result {
	c := s.client
	if s.dialect != workload.DialectExo1 || c.Endpoint() == workload.EndpointV1 {
		res, _ := s.exchange(r, pathV1).run(ctx)
		return []workload.Result{res}
	}
	res, noRoute := s.exchange(r, pathBench).run(ctx)
	document := res.Endpoint == workload.EndpointBenchJSON
	forced := c.opts.Endpoint == EndpointBench
	switch {
	case noRoute && forced:
		res.Err += "; this exo has no /bench: choose the endpoint auto or v1"
		return []workload.Result{res}
	case noRoute:
		c.setEndpoint(workload.EndpointV1, "there is no /bench")
	case !document:
		if res.TokenEvents > 0 {
			c.setEndpoint(workload.EndpointBench, "/bench streams")
		}
		return []workload.Result{res}
	case forced:
		c.setEndpoint(workload.EndpointBenchJSON, "/bench answers without streaming")
		return []workload.Result{res}
	default:
		c.setEndpoint(workload.EndpointV1, "/bench answers without streaming, which leaves nothing to time")
		if r.Warmup {
			return []workload.Result{res} // it has warmed the model up
		}
	}
	again, _ := s.exchange(r, pathV1).run(ctx)
	return []workload.Result{res, again}
}

// exchange prepares one request by the given route.
func (s *session) exchange(r workload.Request, path string) *exchange {
	c := s.client
	endpoint, nonce := workload.EndpointBench, ""
	if path == pathV1 {
		endpoint = workload.EndpointV1
		if s.dialect != workload.DialectExo0 { // legacy exo caches nothing from one request to the next
			nonce = c.nonces.next()
		}
	}
	timeouts := c.opts.Timeouts
	if r.Warmup && s.dialect != workload.DialectExo1 {
		timeouts.FirstToken += c.opts.LoadTimeout
		timeouts.Request += c.opts.LoadTimeout
	}
	return &exchange{
		api: c.api, transport: c.stream, path: path, timeouts: timeouts, inflight: &c.inflight,
		body:     newBody(s.dialect, s.id, r, nonce),
		document: path == pathBench && c.Endpoint() == workload.EndpointBenchJSON,
		overrun:  c.sayOverrun,
		rec: &record{
			dialect: s.dialect, asked: s.id, maxTokens: r.Prompt.MaxTokens,
			cold: s.dialect != workload.DialectExo0,
			res: workload.Result{
				Model: s.model, ExoModel: s.id, Prompt: r.Prompt.ID, Kind: r.Prompt.Kind, Warmup: r.Warmup,
				Endpoint: endpoint, Gaps: make([]time.Duration, 0, min(max(r.Prompt.MaxTokens, 0), maxGaps)),
			},
		},
	}
}
