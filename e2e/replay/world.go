package replay

import (
	"context"
	"errors"
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
	// Pooled gives the rules one rate a turn, all its tokens by all its seconds, instead of each prompt's.
	Pooled bool
	// Removed reports whether a model has left the exporter's configuration in a cycle.
	Removed func(node, model, cycle int) bool
	// Clock is the error of Prometheus' clock in a cycle; nil means none.
	Clock func(cycle int) time.Duration
	// Wait adds the time to first token to what is measured; it is the share of a model's normal time in a cycle.
	Wait func(node, model, cycle int) float64
	// Late stores each scrape just after the evaluation at its moment, unseen by it.
	Late bool
	// Trouble adds the series that tell of failures to what is measured. Time is in cycles.
	Trouble func(node int, time float64) Trouble
}

// Trouble is a failure that has nothing to do with speed.
type Trouble int

// ExoDead fails every turn, ModelFailing those of the model whose number is the node's, in ExporterGone
// nothing can be scraped, and in CyclesStuck no turn ends.
const (
	Well Trouble = iota
	ExoDead
	ModelFailing
	ExporterGone
	CyclesStuck
)

// Start is when the first cycle of every world begins: a Monday.
var Start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// Episode is one alert from its first to its last firing evaluation. Times are in cycles since
// Start: 7.4 is in the eighth cycle.
type Episode struct {
	Alert       string
	Node, Model int // Model is -1 for an alert about a node
	From, To    float64
}

// modelState is a model of a node, and the series about it.
type modelState struct {
	node, model int
	rng         *rand.Rand
	ar          float64
	noise       float64
	base        float64
	good        float64
	tps         []float64
	ttft        float64
	up          bool
	ok, failed  float64 // turns
	removed     bool

	seriesGood, seriesTTFT, seriesUp, seriesOK, seriesFailed, seriesRefused *Series
	seriesTPS                                                               []*Series
}

// nodeState is a node, and the series about it.
type nodeState struct {
	common   *rand.Rand
	commonAR float64
	cycles   float64
	next     int // cycle that ends next
	trouble  Trouble

	seriesCycles, seriesUp, seriesExoUp, seriesInterval, seriesStart *Series
}

func (w World) state() ([]*nodeState, []*modelState) {
	const job, epoch = "exo-bench-exporter", "2f1acd8e5b77"
	var nodes []*nodeState
	var models []*modelState
	for n := range w.Nodes {
		series := func(name string, pairs ...string) *Series {
			return NewSeries(name, append([]string{"job", job, "instance", fmt.Sprintf("node-%04d:9955", n)}, pairs...)...)
		}
		node := &nodeState{
			common:         rand.New(rand.NewPCG(w.Seed, uint64(n)<<8|0xff)),
			seriesCycles:   series("exobench_cycles_total", "outcome", "ok"),
			seriesUp:       series("up"),
			seriesExoUp:    series("exobench_exo_up"),
			seriesInterval: series("exobench_cycle_interval_seconds"),
			seriesStart:    series("process_start_time_seconds"),
		}
		node.commonAR = node.common.NormFloat64()
		nodes = append(nodes, node)
		for m := range w.Models {
			name := fmt.Sprintf("model-%d", m)
			s := &modelState{
				node: n, model: m, rng: rand.New(rand.NewPCG(w.Seed, uint64(n)<<8|uint64(m))), noise: 1, up: true,
				base:          20 + 40*float64(m),
				tps:           make([]float64, w.Prompts),
				seriesGood:    series("exobench_model_good_cycles_total", "model", name, "epoch", epoch),
				seriesTTFT:    series("exobench_model_time_to_first_token_seconds", "model", name),
				seriesUp:      series("exobench_model_up", "model", name),
				seriesOK:      series("exobench_turns_total", "model", name, "outcome", "ok"),
				seriesFailed:  series("exobench_turns_total", "model", name, "outcome", "failed"),
				seriesRefused: series("exobench_requests_total", "model", name, "prompt", "prompt-0", "outcome", "connect_error"),
			}
			s.ar = s.rng.NormFloat64()
			if w.NoiseFactor != nil {
				s.noise = w.NoiseFactor(n, m)
			}
			for p := range w.Prompts {
				s.seriesTPS = append(s.seriesTPS, series("exobench_output_tokens_per_second", "model", name, "prompt", fmt.Sprintf("prompt-%d", p)))
			}
			models = append(models, s)
		}
	}
	return nodes, models
}

// Run replays the world at the given evaluation interval and returns all episodes.
func (w World) Run(ctx context.Context, e *Engine, step time.Duration) ([]Episode, error) {
	w.Prompts = max(w.Prompts, 1)
	nodes, models := w.state()
	open := map[string]*Episode{}
	var closed []Episode
	next := make([]int, len(models)) // cycle that is measured next
	for i := range int(time.Duration(w.Cycles) * w.Interval / step) {
		now := float64(time.Duration(i+1)*step) / float64(w.Interval)
		at := Start.Add(time.Duration(i+1) * step)
		if w.Clock != nil {
			at = at.Add(w.Clock(int(now)))
		}
		for j, s := range models {
			for c := next[j]; now >= landing(c, s.model, w.Models); c = next[j] {
				w.turn(nodes[s.node], s, c)
				next[j]++
			}
		}
		if w.Late {
			if err := e.Eval(ctx, at); err != nil {
				return nil, err
			}
		}
		for n, node := range nodes {
			if w.Trouble != nil {
				node.trouble = w.Trouble(n, now)
			}
			for float64(node.next)+cycleLength <= now {
				if w.Restart != nil && w.Restart(n, node.next) {
					node.cycles = 0
				}
				if node.trouble != CyclesStuck {
					node.cycles++
				}
				node.next++
			}
			if err := w.scrapeNode(e, node, at); err != nil {
				return nil, err
			}
		}
		for _, s := range models {
			s.removed = w.Removed != nil && w.Removed(s.node, s.model, int(now))
			if err := w.scrapeModel(e, nodes[s.node], s, at); err != nil {
				return nil, err
			}
		}
		if !w.Late {
			if err := e.Eval(ctx, at); err != nil {
				return nil, err
			}
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

// turn does a model's turn in a cycle.
func (w World) turn(node *nodeState, s *modelState, cycle int) {
	if s.model == 0 {
		node.commonAR = step1(node.commonAR, w.Noise.Rho, node.common)
	}
	if w.Restart != nil && w.Restart(s.node, cycle) {
		s.good = 0
	}
	trouble := Well
	if w.Trouble != nil {
		trouble = w.Trouble(s.node, landing(cycle, s.model, w.Models))
	}
	switch {
	case trouble == CyclesStuck || trouble == ExporterGone:
		return
	case trouble == ExoDead, trouble == ModelFailing && s.model == s.node%w.Models:
		s.failed++
		s.up = false
		for p := range s.tps {
			s.tps[p] = Missing
		}
		return
	}
	s.up = true
	s.ok++
	w.measure(s, cycle, node.commonAR)
}

// measure draws what a model's turn in a cycle gives.
func (w World) measure(s *modelState, cycle int, common float64) {
	n := w.Noise
	s.ar = step1(s.ar, n.Rho, s.rng)
	noise := math.Exp(n.SD * s.noise * (math.Sqrt(1-n.Common)*s.ar + math.Sqrt(n.Common)*common))
	rate := s.base * noise
	if s.rng.Float64() < n.Outliers {
		rate *= 1 - n.OutlierLoss
	}
	if w.Effect != nil {
		rate *= w.Effect(s.node, s.model, cycle)
	}
	any := false
	seconds := 0.0
	tokens := 0
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
		if math.IsNaN(s.tps[p]) {
			continue
		}
		any = true
		tokens++
		seconds += 1 / s.tps[p]
	}
	if w.Pooled {
		s.tps[0] = float64(tokens) / seconds
		for p := range s.tps[1:] {
			s.tps[p+1] = Missing
		}
	}
	if any {
		s.good++
	}
	if w.Wait != nil {
		s.ttft = w.Wait(s.node, s.model, cycle) / noise * ttft(s.base, s.rng)
	}
}

// ttft draws the median time to first token of ten prompts: prefill, in proportion to decoding, and
// up to 0.1 s until exo's next planning tick.
func ttft(base float64, r *rand.Rand) float64 {
	prompts := make([]float64, 10)
	for p := range prompts {
		prompts[p] = 60/base + 0.1*r.Float64()
	}
	slices.Sort(prompts)
	return (prompts[4] + prompts[5]) / 2
}

func (w World) scrapeModel(e *Engine, node *nodeState, s *modelState, at time.Time) error {
	gone := s.removed || node.trouble == ExporterGone
	put := func(series *Series, v float64) error {
		if gone || math.IsNaN(v) {
			return e.Gone(series, at)
		}
		return e.Scrape(series, at, v)
	}
	errs := []error{put(s.seriesGood, s.good)}
	for p, tps := range s.tps {
		if tps == 0 { // not measured yet
			tps = Missing
		}
		errs = append(errs, put(s.seriesTPS[p], tps))
	}
	if w.Wait != nil && s.ttft > 0 {
		errs = append(errs, put(s.seriesTTFT, s.ttft), put(s.seriesOK, s.ok))
	}
	if w.Trouble != nil {
		up := 0.0
		if s.up {
			up = 1
		}
		errs = append(errs, put(s.seriesUp, up), put(s.seriesOK, s.ok), put(s.seriesFailed, s.failed), put(s.seriesRefused, 10*s.failed))
	}
	return errors.Join(errs...)
}

func (w World) scrapeNode(e *Engine, node *nodeState, at time.Time) error {
	if w.Trouble == nil {
		return e.Scrape(node.seriesCycles, at, node.cycles)
	}
	if node.trouble == ExporterGone {
		return errors.Join(e.Scrape(node.seriesUp, at, 0), e.Gone(node.seriesCycles, at), e.Gone(node.seriesExoUp, at),
			e.Gone(node.seriesInterval, at), e.Gone(node.seriesStart, at))
	}
	exoUp := 1.0
	if node.trouble == ExoDead {
		exoUp = 0
	}
	return errors.Join(e.Scrape(node.seriesUp, at, 1), e.Scrape(node.seriesCycles, at, node.cycles), e.Scrape(node.seriesExoUp, at, exoUp),
		e.Scrape(node.seriesInterval, at, w.Interval.Seconds()), e.Scrape(node.seriesStart, at, float64(Start.Unix())))
}
