package exo

import (
	"context"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/answer"
)

// session is a model that is ready on the node.
type session struct {
	client  *Client
	dialect dialect
	model   string // name in the workload
	id      string // id on the node
	answers string // id by which the node may answer beside that; empty for none
	load    workload.Load
	// patience is what is left of the time for which the node may have itself asked again.
	patience patience
	// release gives back what Open created; nil where there is nothing to give back.
	release func(context.Context) error
	// watch waits for other people's work to end, looks out for it, and returns what tells whether
	// any ran beside the requests with these results; nil where that cannot be seen. It does not wait beyond until, unless
	// that is zero.
	watch func(ctx context.Context, until time.Time) (contended func([]workload.Result) bool)
	// diagnose says, after a request that failed, what is the matter with the model on the node,
	// empty for nothing, and mends it where it can; over tells that the node will not serve the
	// model any more. Nil where that cannot be seen.
	diagnose func(context.Context) (why string, over bool)
	ended    string        // why the node will not serve the model any more
	host     workload.Host // what is known of the machines that hold the model
	holder   holder        // whether answers come as they are made
	// observe looks at the node before a request and goes on as it says; nil where there is nothing to see.
	observe func(context.Context) observation
	looks   func() []answer.Span // of the request that is measured; nil for none
	// answered notes that a request succeeded; nil where that tells nothing.
	answered func()
}

// maxRoom bounds the room made in advance for the token events of one request.
const maxRoom = 4096

// ExoModel implements workload.Session.
func (s *session) ExoModel() string { return s.id }

// observation is what is seen of a node beside an answer.
type observation struct {
	add   func(*workload.Result) // adds to a result what the node shows of it elsewhere than in the answer; may be nil
	looks func() []answer.Span   // when it was asked while it answered; may be nil
}

// Load implements workload.Session. Where the first request loads the model, only its
// success tells whether there was anything to load, and nothing tells how long it took.
func (s *session) Load() workload.Load { return s.load }

// Ended implements workload.Ender.
func (s *session) Ended() string { return s.client.private.hide(s.ended) }

// Host implements workload.Hosted.
func (s *session) Host() workload.Host { return s.host }

// Close implements workload.Session.
func (s *session) Close(ctx context.Context) error {
	if s.release == nil {
		return nil
	}
	return s.client.private.hideError(s.release(ctx))
}

// Measure implements workload.Session.
func (s *session) Measure(ctx context.Context, r workload.Request) workload.Result {
	contended := func([]workload.Result) bool { return false }
	if s.watch != nil {
		contended = s.watch(ctx, time.Time{})
	}
	var seen observation
	if s.observe != nil {
		seen = s.observe(ctx)
	}
	s.looks = seen.looks
	results := s.measure(ctx, r)
	res := results[len(results)-1]
	if res.OK() {
		s.client.loads.came(s.id)
	}
	if seen.add != nil {
		seen.add(&res)
	}
	s.kept(r, &res)
	results = append(results, s.heldBack(ctx, r, &res)...)
	res.Contended = contended(results)
	switch {
	case res.Outcome == workload.OutcomeConnectError:
		s.client.forget()
	case res.Outcome == workload.OutcomeExporterError, res.Outcome == workload.OutcomeCanceled: // the node has no part in it
	case !res.OK() && s.diagnose != nil:
		why, over := s.diagnose(ctx)
		if why != "" {
			res.Err += "; " + why
		}
		if over {
			s.ended = why
		}
	case res.OK() && s.answered != nil:
		s.answered()
	}
	return s.shown(res, r)
}

// shown returns res with nothing private in the words that are the node's.
func (s *session) shown(res workload.Result, r workload.Request) workload.Result {
	hide := s.client.private.hide
	if len(s.client.opts.Prompts) == 0 { // only those of this request are known
		hide = newPrivate(s.client.opts.APIKey, r.Prompt.Texts()...).hide
	}
	for _, words := range []*string{&res.Err, &res.Answered, &res.ResponseID, &res.FinishReason, &res.Epoch.Engine, &res.Epoch.Version} {
		*words = hide(*words)
	}
	return res
}

// exchange prepares one request by the given route, in the given form.
func (s *session) exchange(r workload.Request, rt route, f form) *exchange {
	c, facts := s.client, s.dialect.traits()
	if rt.nonce {
		r = withNonce(r, c.nonces.next())
	}
	timeouts := c.opts.Timeouts
	if r.Warmup && facts.lazy {
		timeouts.FirstToken += c.opts.LoadTimeout
		timeouts.Request += c.opts.LoadTimeout
	}
	text := 0
	if rt.cold {
		for _, content := range r.Prompt.Texts() {
			text += len(content)
		}
	}
	epoch := c.epoch(facts.name)
	epoch.Endpoint, epoch.Nonce, epoch.Form = rt.endpoint, rt.nonce, f.String()
	return &exchange{
		api: c.api, transport: c.stream, dialect: s.dialect, route: rt, timeouts: timeouts, inflight: &c.inflight,
		watcher: c.opts.Watcher, log: c.log,
		body:     s.dialect.body(s.id, r, f),
		document: rt.document != nil && c.Endpoint() == rt.documentEnd,
		warn:     c.warnOnce,
		rec: &record{
			dialect: s.dialect, asked: s.id, answers: s.answers, text: text, looks: s.looks,
			question: r.Expect != nil, reading: answer.NewReading(c.fingerprintKey(rt, r), r.Prompt.Texts(), r.Expect),
			evidence: answer.Evidence{
				Asked: r.Prompt.MaxTokens, Prompt: r.Prompt.MostTokens(),
				Arrivals: make([]answer.Arrival, 0, min(max(r.Prompt.MaxTokens, 0), maxRoom)),
			},
			res: workload.Result{
				Model: s.model, ExoModel: s.id, Prompt: r.Prompt.ID, Kind: r.Prompt.Kind, Warmup: r.Warmup,
				Endpoint: rt.endpoint, Epoch: epoch,
			},
		},
	}
}

// warnOnce logs a warning the first time that it is given.
func (c *Client) warnOnce(text string, args ...any) {
	c.mu.Lock()
	said := c.said[text]
	c.said[text] = true
	c.mu.Unlock()
	if !said {
		c.log.Warn(text, args...)
	}
}
