package exporter

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload"
)

// modelFeeds are what feeds the series that exist as long as a model, or a prompt of it, is
// configured.
type modelFeeds struct {
	identity   *metric.Feed[measured]
	requests   *metric.Feed[workload.Result]
	prompts    *metric.Feed[workload.Result]
	turns      *metric.Feed[workload.Turn]
	memory     *metric.Feed[workload.Memory]
	goodCycles *metric.Feed[workload.Turn]
	conditions *metric.Feed[workload.Conditions]
	sensors    *metric.Feed[workload.Sensors]
	pressure   *metric.Feed[workload.Pressure]
	repeats    *metric.Feed[workload.Repeats]
	quality    *metric.Feed[workload.Quality]
}

func newModelFeeds(set *metric.Set) modelFeeds {
	return modelFeeds{
		identity:   metric.Register(set, identity()),
		requests:   metric.Register(set, modelAttempts(), successes(), modelRequests(), degenerate()),
		prompts:    metric.Register(set, promptAttempts(), promptRequests()),
		turns:      metric.Register(set, turnOutcome(), turnFigures()),
		memory:     metric.Register(set, turnMemory()),
		goodCycles: metric.Register(set, goodCycles()),
		conditions: metric.Register(set, turnConditions()),
		sensors:    metric.Register(set, turnSensors()),
		pressure:   metric.Register(set, turnPressure()),
		repeats:    metric.Register(set, comparisons()),
		quality:    metric.Register(set, answerQuality()),
	}
}

// modelSeries holds the series of one model that exist as long as it is configured.
type modelSeries struct {
	model      workload.Model
	identity   *metric.Series[measured]
	requests   *metric.Series[workload.Result]
	prompts    map[string]*metric.Series[workload.Result] // by id
	turns      *metric.Series[workload.Turn]
	memory     *metric.Series[workload.Memory]
	conditions conditionSeries
	answers    answerSeries
	epoch      workload.Epoch                // of the figures that are shown
	goodCycles *metric.Series[workload.Turn] // under epoch; nil before the first result
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
			s.answers.withdrawQuality()
		}
	}
}

func (m *Metrics) applyPrompts(s *modelSeries, suite workload.Suite) {
	for id := range s.prompts {
		if !slices.ContainsFunc(suite.Prompts, func(p workload.Prompt) bool { return p.ID == id }) {
			m.set.Delete(prometheus.Labels{"model": s.model.Name, "prompt": id})
			delete(s.prompts, id)
			delete(s.answers.repeats, id)
		}
	}
	for _, p := range suite.Prompts {
		if s.prompts[p.ID] == nil {
			s.prompts[p.ID] = m.feeds.prompts.With(s.model.Name, p.ID)
			s.answers.repeats[p.ID] = m.feeds.repeats.With(s.model.Name, p.ID)
		}
	}
}

func (m *Metrics) newModelSeries(model string) *modelSeries {
	return &modelSeries{
		identity:   m.feeds.identity.With(model),
		requests:   m.feeds.requests.With(model),
		prompts:    make(map[string]*metric.Series[workload.Result]),
		turns:      m.feeds.turns.With(model),
		memory:     m.feeds.memory.With(model),
		conditions: m.feeds.conditionsOf(model),
		answers:    m.newAnswerSeries(model),
	}
}

// enter makes e the method of what is shown of s. When it is another than before, every figure by
// the old one is withdrawn: they do not compare.
func (m *Metrics) enter(s *modelSeries, e workload.Epoch) {
	if s.goodCycles == nil || e != s.epoch {
		s.withdraw()
		s.epoch, s.goodCycles = e, m.feeds.goodCycles.With(s.model.Name, e.ID())
	}
	if !m.epochs.add(e) {
		m.dropped.Record(dropped{DroppedSeries, 1})
	}
}

// withdraw removes every figure of the model's last turn and its requests, and the count of the
// cycles that they were good in.
func (s *modelSeries) withdraw() {
	s.turns.Withdraw()
	s.memory.Withdraw()
	s.conditions.show(workload.Turn{})
	s.answers.withdrawRepeats()
	for _, p := range s.prompts {
		p.Withdraw()
	}
	if s.goodCycles != nil {
		s.goodCycles.Delete()
		s.goodCycles = nil
	}
}
