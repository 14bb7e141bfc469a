package exporter

import (
	"time"

	"exo-bench-exporter/workload"
)

// Observer feeds Metrics from what a workload.Runner does. What concerns a model or prompt
// that is not configured (any more) is dropped, so that its series do not come back.
type Observer struct {
	m *Metrics
}

var _ workload.Observer = Observer{}

// NewObserver returns an Observer that feeds m.
func NewObserver(m *Metrics) Observer { return Observer{m} }

// CycleStarted implements workload.Observer.
func (o Observer) CycleStarted(int, []workload.Model, time.Time) { o.m.cycle.running.Set(1) }

// TurnStarted implements workload.Observer.
func (o Observer) TurnStarted(string, time.Time) {}

// RequestDone implements workload.Observer.
func (o Observer) RequestDone(r workload.Result) {
	o.m.mu.Lock()
	defer o.m.mu.Unlock()
	model := o.m.series[r.Model]
	if model == nil || r.Warmup {
		return
	}
	prompt := model.prompts[r.Prompt]
	if prompt == nil {
		return
	}
	o.m.request.requests.WithLabelValues(r.Model, r.Prompt, string(r.Outcome)).Inc()
	if r.Outcome == workload.OutcomeCanceled {
		return
	}
	o.m.prompt.set(r)
	if r.Contended {
		model.contended.Inc()
	}
	if r.EnergyJoules > 0 {
		o.m.request.energy.WithLabelValues(r.Model).Add(r.EnergyJoules)
	}
	if r.Endpoint != "" {
		o.m.node.setEndpoint(r.Endpoint)
	}
	if r.OK() {
		model.count(r)
		prompt.observe(r)
		o.m.turn.lastSuccess.WithLabelValues(r.Model).Set(unixSeconds(r.Start.Add(r.E2E)))
	}
}

// TurnDone implements workload.Observer.
func (o Observer) TurnDone(t workload.Turn) {
	o.m.mu.Lock()
	defer o.m.mu.Unlock()
	model := o.m.series[t.Model]
	if model == nil {
		return
	}
	o.m.turn.turns.WithLabelValues(t.Model, string(t.Outcome)).Inc()
	o.m.turn.set(t)
	if _, ok := t.DecodeRate(); ok && t.Outcome.Good() {
		o.m.turn.goodCycles.WithLabelValues(t.Model, o.m.sha256).Inc()
	}
	exoModel := t.ExoModel
	if exoModel == "" {
		exoModel = model.model.ExoID
	}
	o.m.showInfo(model, exoModel)

	asked := make(map[string]bool)
	for _, r := range t.Results {
		asked[r.Prompt] = true
	}
	for id := range model.prompts {
		if !asked[id] {
			o.m.prompt.remove(t.Model, id)
		}
	}
}

// CycleDone implements workload.Observer.
func (o Observer) CycleDone(c workload.Cycle) { o.m.cycle.done(c) }

// count records how the tokens of a successful request were counted.
func (s *modelSeries) count(r workload.Result) {
	if c := s.tokenCounts[r.TokenSource]; c != nil {
		c.Inc()
	}
	if r.TokenMismatch {
		s.mismatches.Inc()
	}
}

// observe records the tokens and times of a successful request. Times that the client did not
// see (an answer that came as one document) are left out.
func (s *promptSeries) observe(r workload.Result) {
	s.promptTokens.Add(float64(r.PromptTokens))
	s.cachedTokens.Add(float64(r.CachedTokens))
	s.outputTokens.Add(float64(r.OutputTokens))
	if !r.Timed {
		return
	}
	s.ttft.Observe(r.TTFT.Seconds())
	s.e2e.Observe(r.E2E.Seconds())
	for _, gap := range r.Gaps {
		s.itl.Observe(gap.Seconds())
	}
	if tpot, ok := r.TPOT(); ok {
		s.tpot.Observe(tpot.Seconds())
		s.decodeTokens.Add(float64(r.DecodeTokens()))
		s.decodeSeconds.Add(r.Decode.Seconds())
	}
	if _, ok := r.PrefillRate(); ok {
		s.prefillTokens.Add(float64(r.PrefillTokens()))
		s.prefillSeconds.Add(r.TTFT.Seconds())
	}
}
