package exo

import (
	"context"
	"time"

	"exo-bench-exporter/workload"
)

// Ask implements workload.Asker. It takes the route on which the model ends its answer itself, without a nonce: what comes of a
// cache is an answer, too.
func (s *session) Ask(ctx context.Context, until time.Time, r workload.Request) workload.Result {
	contended := func([]workload.Result) bool { return false }
	if s.watch != nil {
		contended = s.watch(ctx, until)
	}
	if !time.Now().Before(until) {
		return workload.Result{
			Model: s.model, ExoModel: s.id, Prompt: r.Prompt.ID, Kind: r.Prompt.Kind, Start: time.Now(),
			Outcome: workload.OutcomeCanceled, Err: "the time for questions was over before this one could be put",
		}
	}
	s.patience.until = until
	defer func() { s.patience.until = time.Time{} }()
	routes := s.dialect.routes()
	plain := routes[len(routes)-1]
	plain.nonce, plain.cold, plain.document = false, false, nil
	s.looks = nil
	res, _ := s.put(ctx, r, plain)
	res.Contended = contended([]workload.Result{res})
	return s.shown(res, r)
}

// fingerprintKey returns the key of the fingerprint of an answer to r by the route; nil where the prompt is another one each
// time, or the answer is left to chance.
func (c *Client) fingerprintKey(rt route, r workload.Request) []byte {
	if c.opts.FingerprintKey == nil || rt.nonce || r.Warmup || r.Temperature != 0 {
		return nil
	}
	return c.opts.FingerprintKey()
}
