package replay

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"

	"exo-bench-exporter/workload"
)

// Noise is how the decode rate of a model scatters from cycle to cycle.
type Noise struct {
	SD          float64 // standard deviation of the logarithm
	Rho         float64 // lag-1 autocorrelation
	Outliers    float64 // share of cycles that are outliers
	OutlierLoss float64 // share of the speed that an outlier loses
	// PromptSD is noise of each request by itself, on top of what a turn's requests share.
	PromptSD float64
	// PromptOutliers is the share of requests that lose OutlierLoss by themselves.
	PromptOutliers float64
	// Common is the share of the variance of SD that all models of a node have in common.
	Common float64
}

// Reference is the noise at which the bars are set.
var Reference = Noise{SD: 0.015, Rho: 0.5, Outliers: 0.01, OutlierLoss: 0.3}

// Missing is what an Effect returns for a cycle in which the model gives no figure.
var Missing = math.NaN()

// World is a number of nodes that each measure the same models.
type World struct {
	Interval time.Duration
	Nodes    int
	Models   int
	Prompts  int // 1 when zero
	Cycles   int
	Seed     uint64
	Noise    Noise
	// Effect is the share of a model's normal speed that it has in a cycle; nil means 1.
	Effect func(node, model, cycle int) float64
	// Restart reports whether the exporter restarts before a cycle, its counters at 0.
	Restart func(node, cycle int) bool
	// PromptGone reports whether a prompt's request fails in a cycle.
	PromptGone func(node, model, prompt, cycle int) bool
	// NoiseFactor multiplies the noise of a model; nil means 1.
	NoiseFactor func(node, model int) float64
}

// Start is when the first cycle of every world begins: a Monday.
var Start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// Episode is one alert from its first to its last firing evaluation. Times are in cycles since
// Start: 7.4 is in the eighth cycle.
type Episode struct {
	Alert       string
	Node, Model int // Model is -1 for an alert about a node
	From, To    float64
}

type modelState struct {
	node, model int
	rng         *rand.Rand
	ar          float64
	noise       float64
	base        float64
	good        float64
	tps         []float64
	done        *Series
	prompts     []*Series
}

// Run replays the world at the given evaluation interval and returns all episodes.
func (w World) Run(ctx context.Context, e *Engine, step time.Duration) ([]Episode, error) {
	if w.Prompts == 0 {
		w.Prompts = 1
	}
	const hash = "2f1acd8e5b7790c3"
	var models []*modelState
	var cycles []*Series
	common := make([]*rand.Rand, w.Nodes)
	commonAR := make([]float64, w.Nodes)
	restarted := make([]float64, w.Nodes)
	for n := range w.Nodes {
		job, instance := "exo-bench-exporter", fmt.Sprintf("node-%04d:9955", n)
		cycles = append(cycles, NewSeries("exobench_cycles_total", "job", job, "instance", instance, "outcome", "ok"))
		common[n] = rand.New(rand.NewPCG(w.Seed, uint64(n)<<8|0xff))
		commonAR[n] = common[n].NormFloat64()
		for m := range w.Models {
			s := &modelState{node: n, model: m, rng: rand.New(rand.NewPCG(w.Seed, uint64(n)<<8|uint64(m))), noise: 1}
			name := fmt.Sprintf("model-%d", m)
			s.ar = s.rng.NormFloat64()
			s.base = 20 + 40*float64(m)
			if w.NoiseFactor != nil {
				s.noise = w.NoiseFactor(n, m)
			}
			s.done = NewSeries("exobench_model_good_cycles_total", "job", job, "instance", instance, "model", name, "sha256", hash)
			for p := range w.Prompts {
				s.prompts = append(s.prompts, NewSeries("exobench_output_tokens_per_second", "job", job, "instance", instance,
					"model", name, "prompt", fmt.Sprintf("prompt-%d", p)))
			}
			s.tps = make([]float64, w.Prompts)
			models = append(models, s)
		}
	}

	open := map[string]*Episode{}
	var closed []Episode
	next := make([]int, len(models)) // cycle that is measured next
	for i := range int(time.Duration(w.Cycles) * w.Interval / step) {
		at := Start.Add(time.Duration(i+1) * step)
		now := float64(time.Duration(i+1)*step) / float64(w.Interval)
		for j, s := range models {
			for c := next[j]; now >= landing(c, s.model, w.Models); c = next[j] {
				if s.model == 0 {
					commonAR[s.node] = step1(commonAR[s.node], w.Noise.Rho, common[s.node])
				}
				if w.Restart != nil && w.Restart(s.node, c) {
					if s.model == 0 {
						restarted[s.node] = float64(c)
					}
					s.good = 0
				}
				w.measure(s, c, commonAR[s.node])
				next[j]++
			}
			if err := w.scrape(e, s, at); err != nil {
				return nil, err
			}
		}
		for n, c := range cycles {
			if err := e.Scrape(c, at, max(0, math.Floor(now+1-cycleLength)-restarted[n])); err != nil {
				return nil, err
			}
		}
		if err := e.Eval(ctx, at); err != nil {
			return nil, err
		}
		e.Firing(func(a *rules.Alert) {
			key := a.Labels.String()
			ep := open[key]
			if ep == nil {
				ep = &Episode{Alert: a.Labels.Get(labels.AlertName), Node: -1, Model: -1, From: now}
				_, _ = fmt.Sscanf(a.Labels.Get("instance"), "node-%d:", &ep.Node)
				_, _ = fmt.Sscanf(a.Labels.Get("model"), "model-%d", &ep.Model)
				open[key] = ep
			}
			ep.To = now
		})
		for key, ep := range open {
			if ep.To < now {
				closed = append(closed, *ep)
				delete(open, key)
			}
		}
	}
	for _, ep := range open {
		closed = append(closed, *ep)
	}
	return closed, nil
}

// cycleLength is the part of the interval that a cycle takes.
const cycleLength = 0.9

// landing returns when the figures of a model's turn in a cycle are there, in cycles.
func landing(cycle, model, models int) float64 {
	position := slices.Index(workload.Order(models, cycle), model)
	return float64(cycle) + cycleLength*float64(position+1)/float64(models)
}

func step1(ar, rho float64, r *rand.Rand) float64 {
	return rho*ar + math.Sqrt(1-rho*rho)*r.NormFloat64()
}

// measure does a model's turn in a cycle.
func (w World) measure(s *modelState, cycle int, common float64) {
	n := w.Noise
	s.ar = step1(s.ar, n.Rho, s.rng)
	noise := math.Sqrt(1-n.Common)*s.ar + math.Sqrt(n.Common)*common
	rate := s.base * math.Exp(n.SD*s.noise*noise)
	if s.rng.Float64() < n.Outliers {
		rate *= 1 - n.OutlierLoss
	}
	if w.Effect != nil {
		rate *= w.Effect(s.node, s.model, cycle)
	}
	any := false
	for p := range s.tps {
		s.tps[p] = rate * (1 - 0.02*float64(p))
		if n.PromptSD > 0 {
			s.tps[p] *= math.Exp(n.PromptSD * s.noise * s.rng.NormFloat64())
		}
		if n.PromptOutliers > 0 && s.rng.Float64() < n.PromptOutliers {
			s.tps[p] *= 1 - n.OutlierLoss
		}
		if w.PromptGone != nil && w.PromptGone(s.node, s.model, p, cycle) {
			s.tps[p] = Missing
		}
		any = any || !math.IsNaN(s.tps[p])
	}
	if any {
		s.good++
	}
}

func (w World) scrape(e *Engine, s *modelState, at time.Time) error {
	if err := e.Scrape(s.done, at, s.good); err != nil {
		return err
	}
	for p, tps := range s.tps {
		if tps == 0 || math.IsNaN(tps) { // not measured yet, or removed
			continue
		}
		if err := e.Scrape(s.prompts[p], at, tps); err != nil {
			return err
		}
	}
	return nil
}
