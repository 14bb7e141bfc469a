package exporter

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/workload"
)

// modelSeries holds the series of one model that exist as long as it is configured.
type modelSeries struct {
	model       workload.Model
	info        prometheus.Labels // labels of the model_info series that is shown
	mismatches  prometheus.Counter
	contended   prometheus.Counter
	tokenCounts map[workload.TokenSource]prometheus.Counter
	prompts     map[string]*promptSeries
}

// promptSeries holds the series of one model and prompt. Keeping them saves looking up their
// labels with every token.
type promptSeries struct {
	ttft, itl, tpot, e2e          prometheus.Observer
	promptTokens, cachedTokens    prometheus.Counter
	outputTokens                  prometheus.Counter
	decodeTokens, decodeSeconds   prometheus.Counter
	prefillTokens, prefillSeconds prometheus.Counter
}

// applyModels makes m.series those of opts, whose suite has the given hash.
func (m *Metrics) applyModels(opts Options, sha256 string) {
	configured := make(map[string]workload.Model)
	for _, model := range opts.Models {
		configured[model.Name] = model
	}
	for name := range m.series {
		if _, ok := configured[name]; !ok {
			m.deleteMatching(prometheus.Labels{"model": name})
			delete(m.series, name)
		}
	}
	for name, model := range configured {
		s := m.series[name]
		if s == nil {
			s = m.newModelSeries(name)
			m.series[name] = s
		}
		if s.model != model || s.info == nil {
			s.model = model
			m.showInfo(s, model.ExoID)
		}
		m.applyPrompts(s, opts.Suite)
		if sha256 != m.sha256 {
			m.turn.goodCycles.DeletePartialMatch(prometheus.Labels{"model": name})
			m.withdraw(s)
		}
		m.turn.goodCycles.WithLabelValues(name, sha256)
	}
}

func (m *Metrics) applyPrompts(s *modelSeries, suite workload.Suite) {
	for id := range s.prompts {
		if !slices.ContainsFunc(suite.Prompts, func(p workload.Prompt) bool { return p.ID == id }) {
			m.deleteMatching(prometheus.Labels{"model": s.model.Name, "prompt": id})
			delete(s.prompts, id)
		}
	}
	for _, p := range suite.Prompts {
		if s.prompts[p.ID] == nil {
			s.prompts[p.ID] = m.newPromptSeries(s.model.Name, p.ID)
		}
	}
}

func (m *Metrics) newModelSeries(model string) *modelSeries {
	s := &modelSeries{
		mismatches:  m.request.mismatches.WithLabelValues(model),
		contended:   m.request.contended.WithLabelValues(model),
		tokenCounts: make(map[workload.TokenSource]prometheus.Counter),
		prompts:     make(map[string]*promptSeries),
	}
	for _, source := range []workload.TokenSource{workload.TokensFromUsage, workload.TokensFromStats, workload.TokensFromEvents} {
		s.tokenCounts[source] = m.request.tokenCounts.WithLabelValues(model, string(source))
	}
	for _, o := range workload.TurnOutcomes() {
		m.turn.turns.WithLabelValues(model, string(o))
	}
	return s
}

func (m *Metrics) newPromptSeries(model, prompt string) *promptSeries {
	r := m.request
	s := &promptSeries{
		ttft:           r.ttft.WithLabelValues(model, prompt),
		itl:            r.itl.WithLabelValues(model, prompt),
		tpot:           r.tpot.WithLabelValues(model, prompt),
		e2e:            r.e2e.WithLabelValues(model, prompt),
		promptTokens:   r.promptTokens.WithLabelValues(model, prompt),
		cachedTokens:   r.cachedTokens.WithLabelValues(model, prompt),
		outputTokens:   r.outputTokens.WithLabelValues(model, prompt),
		decodeTokens:   r.decodeTokens.WithLabelValues(model, prompt),
		decodeSeconds:  r.decodeSeconds.WithLabelValues(model, prompt),
		prefillTokens:  r.prefillTokens.WithLabelValues(model, prompt),
		prefillSeconds: r.prefillSeconds.WithLabelValues(model, prompt),
	}
	for _, o := range workload.Outcomes() {
		r.requests.WithLabelValues(model, prompt, string(o))
	}
	return s
}

// showInfo makes model_info name exoModel as the id behind the model.
func (m *Metrics) showInfo(s *modelSeries, exoModel string) {
	facts := s.model.Facts()
	labels := prometheus.Labels{
		"model": s.model.Name, "exo_model": exoModel,
		"developer": facts.Developer, "parameters": facts.Parameters, "architecture": facts.Architecture,
	}
	if maps.Equal(labels, s.info) {
		return
	}
	m.turn.info.Delete(s.info)
	m.turn.info.With(labels).Set(1)
	s.info = labels
}

// withdraw removes every figure of the model's last turn and its requests.
func (m *Metrics) withdraw(s *modelSeries) {
	m.turn.withdraw(s.model.Name)
	for id := range s.prompts {
		m.prompt.remove(s.model.Name, id)
	}
}

// deleteMatching deletes every series that has all of labels.
func (m *Metrics) deleteMatching(labels prometheus.Labels) {
	type deleter interface {
		DeletePartialMatch(prometheus.Labels) int
	}
	for _, group := range [][]prometheus.Collector{
		m.request.collectors(), m.prompt.collectors(), m.turn.collectors(),
	} {
		for _, c := range group {
			c.(deleter).DeletePartialMatch(labels)
		}
	}
}
