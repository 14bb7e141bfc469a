package exporter

import "exo-bench-exporter/workload"

// Resume shows the figures of turns that ended before a restart, as if there had been none.
// Counters and histograms begin anew: that is what they are for.
func (m *Metrics) Resume(turns []workload.Turn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range turns {
		if s := m.series[t.Model]; s != nil {
			m.resume(s, t)
		}
	}
}

func (m *Metrics) resume(s *modelSeries, t workload.Turn) {
	if len(t.CleanResults()) > 0 {
		m.enter(s, t.Epoch())
	}
	s.turns.Show(t)
	s.conditions.show(t)
	s.answers.show(t)
	if t.Outcome.Good() {
		s.memory.Show(t.Memory)
	}
	if t.ExoModel != "" {
		s.identity.Show(measured{s.model, t.ExoModel})
	}
	for _, r := range t.Results {
		if p := s.prompts[r.Prompt]; p != nil {
			p.Show(r)
		}
		s.requests.Show(r)
	}
}

// Resume shows turns that ended before a restart.
func (s *Store) Resume(turns []workload.Turn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range turns {
		if s.configured(t.Model) {
			s.last[t.Model] = clean(t)
		}
	}
}
