package exporter

import (
	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload"
)

// maxEpochs bounds the epochs that are shown at the same time: a node names parts of them.
const maxEpochs = 16

// epochs shows the methods by which the latest good results were measured: those of the last
// cycle that had any and, while a cycle runs, its own. As a rule that is one.
type epochs struct {
	feed  *metric.Feed[workload.Epoch]
	shown map[workload.Epoch]*epochSeries
}

type epochSeries struct {
	*metric.Series[workload.Epoch]
	fresh bool // a result of the cycle that runs, or ran last, was measured by it
}

func newEpochs(set *metric.Set) *epochs {
	return &epochs{
		feed: metric.Register(set, metric.Group[workload.Epoch]{
			Labels: []string{"epoch"},
			Gauges: []metric.Gauge[workload.Epoch]{{
				Family: metric.Family{
					Name: "epoch_info", Unit: "none", Labels: []string{"dialect", "endpoint", "engine", "version", "sha256"},
					Absent: "before a result under the present configuration",
					Help: "Constant 1; the method by which the latest good results were measured: the API, the route, the engine and its " +
						"version, and the hash of the workload. Figures of different epochs are never compared; two epochs that have " +
						"these in common differ in how prompts are made unique or in the form of the request.",
				},
				Value: metric.Constant[workload.Epoch],
				Own: func(e workload.Epoch) []string {
					return []string{string(e.Dialect), string(e.Endpoint), e.Engine, e.Version, e.SHA256}
				},
			}},
		}),
		shown: make(map[workload.Epoch]*epochSeries),
	}
}

// add notes a result by the method e; false when there are too many methods to show it.
func (p *epochs) add(e workload.Epoch) bool {
	s := p.shown[e]
	if s == nil {
		if len(p.shown) >= maxEpochs {
			return false
		}
		s = &epochSeries{Series: p.feed.With(e.ID())}
		s.Record(e)
		p.shown[e] = s
	}
	s.fresh = true
	return true
}

// cycleDone lets go of the methods that the cycle did not use, if it had any good result.
func (p *epochs) cycleDone() {
	used := 0
	for _, s := range p.shown {
		if s.fresh {
			used++
		}
	}
	for e, s := range p.shown {
		if used > 0 && !s.fresh {
			s.Delete()
			delete(p.shown, e)
		}
		s.fresh = false
	}
}

// reset lets go of all methods.
func (p *epochs) reset() {
	for _, s := range p.shown {
		s.Delete()
	}
	clear(p.shown)
}
