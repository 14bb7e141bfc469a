package exporter

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload"
)

// modelGroups are the groups whose series exist as long as a model, or a model's prompt, is
// configured.
type modelGroups struct {
	identity   *metric.Feed[measured]
	attempts   *metric.Feed[workload.Result]
	successes  *metric.Feed[workload.Result]
	requests   *metric.Feed[workload.Result]
	outcome    *metric.Feed[workload.Turn]
	figures    *metric.Feed[workload.Turn]
	memory     *metric.Feed[workload.Memory]
	goodCycles *metric.Feed[workload.Turn]

	promptAttempts *metric.Feed[workload.Result]
	promptRequests *metric.Feed[workload.Result]
}

func newModelGroups(set *metric.Set) modelGroups {
	return modelGroups{
		identity:   metric.Register(set, identity()),
		attempts:   metric.Register(set, modelAttempts()),
		successes:  metric.Register(set, successes()),
		requests:   metric.Register(set, modelRequests()),
		outcome:    metric.Register(set, turnOutcome()),
		figures:    metric.Register(set, turnFigures()),
		memory:     metric.Register(set, turnMemory()),
		goodCycles: metric.Register(set, goodCycles()),

		promptAttempts: metric.Register(set, promptAttempts()),
		promptRequests: metric.Register(set, promptRequests()),
	}
}

// modelSeries holds the series of one model that exist as long as it is configured.
type modelSeries struct {
	model      workload.Model
	identity   *metric.Series[measured]
	attempts   *metric.Series[workload.Result]
	successes  *metric.Series[workload.Result]
	requests   *metric.Series[workload.Result]
	outcome    *metric.Series[workload.Turn]
	figures    *metric.Series[workload.Turn]
	memory     *metric.Series[workload.Memory]
	epoch      workload.Epoch                // of the figures that are shown
	goodCycles *metric.Series[workload.Turn] // under epoch; nil before the first result
	prompts    map[string]*promptSeries
}

// promptSeries holds the series of one model and prompt.
type promptSeries struct {
	attempts *metric.Series[workload.Result]
	requests *metric.Series[workload.Result]
}

// applyModels makes m.series those of opts, whose suite has the given hash.
func (m *Metrics) applyModels(opts Options, sha256 string) {
	configured := make(map[string]workload.Model)
	for _, model := range opts.Models {
		configured[model.Name] = model
	}
	for name := range m.series {
		if _, ok := configured[name]; !ok {
			m.set.Delete(prometheus.Labels{"model": name})
			delete(m.series, name)
		}
	}
	for name, model := range configured {
		s := m.series[name]
		if s == nil {
			s = m.newModelSeries(name)
			m.series[name] = s
		}
		if s.model != model {
			s.model = model
			s.identity.Record(measured{model, model.ExoID})
		}
		m.applyPrompts(s, opts.Suite)
		if sha256 != m.sha256 {
			s.withdraw()
		}
	}
}

func (m *Metrics) applyPrompts(s *modelSeries, suite workload.Suite) {
	for id := range s.prompts {
		if !slices.ContainsFunc(suite.Prompts, func(p workload.Prompt) bool { return p.ID == id }) {
			m.set.Delete(prometheus.Labels{"model": s.model.Name, "prompt": id})
			delete(s.prompts, id)
		}
	}
	for _, p := range suite.Prompts {
		if s.prompts[p.ID] == nil {
			s.prompts[p.ID] = &promptSeries{
				attempts: m.groups.promptAttempts.With(s.model.Name, p.ID),
				requests: m.groups.promptRequests.With(s.model.Name, p.ID),
			}
		}
	}
}

func (m *Metrics) newModelSeries(model string) *modelSeries {
	return &modelSeries{
		identity:  m.groups.identity.With(model),
		attempts:  m.groups.attempts.With(model),
		successes: m.groups.successes.With(model),
		requests:  m.groups.requests.With(model),
		outcome:   m.groups.outcome.With(model),
		figures:   m.groups.figures.With(model),
		memory:    m.groups.memory.With(model),
		prompts:   make(map[string]*promptSeries),
	}
}

// enter makes e the method of what is shown of s. When it is another than before, every figure by
// the old one is withdrawn: they do not compare.
func (m *Metrics) enter(s *modelSeries, e workload.Epoch) {
	if s.goodCycles == nil || e != s.epoch {
		s.withdraw()
		s.epoch, s.goodCycles = e, m.groups.goodCycles.With(s.model.Name, e.ID())
	}
	if !m.epochs.add(e) {
		m.dropped.Record(dropped{DroppedSeries, 1})
	}
}

// withdraw removes every figure of the model's last turn and its requests, and the count of the
// cycles that they were good in.
func (s *modelSeries) withdraw() {
	s.figures.Withdraw()
	s.memory.Withdraw()
	for _, p := range s.prompts {
		p.requests.Withdraw()
	}
	if s.goodCycles != nil {
		s.goodCycles.Delete()
		s.goodCycles = nil
	}
}
