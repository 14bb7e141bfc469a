package replay

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"exo-bench-exporter/workload"
)

// Trouble is a failure that has nothing to do with speed.
type Trouble int

// ExoDead fails every turn, ModelFailing those of the first model, PromptFailing one of that model's prompts, in ExporterGone
// nothing can be scraped, and in CyclesStuck no turn ends.
const (
	Well Trouble = iota
	ExoDead
	ModelFailing
	PromptFailing
	ExporterGone
	CyclesStuck
)

const (
	interval = 15 * time.Minute
	models   = 5
	// cycleLength is the part of the interval that a cycle takes.
	cycleLength = 0.9
)

// start is when the first cycle of every node begins: a Monday.
var start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// gone is what a series has in a scrape that does not have it.
var gone = math.NaN()

// node is a node whose speed is judged and never changes, and what can be scraped of it.
type node struct {
	trouble func(cycles float64) Trouble // by time, in cycles since start
	cycles  float64
	ended   int // cycles whose time has come
	models  [models]turns

	up, exoUp, done, interval, began *Series
}

// turns are those of a model.
type turns struct {
	next                        int // cycle whose turn is next
	up                          bool
	promptUp                    bool
	ok, partial, failed, broken float64 // turns, and requests that broke off

	seriesUp, seriesOK, seriesPartial, seriesFailed, seriesRefused, seriesBroken, seriesRate *Series
	judged                                                                                   []*Series // all 0
}

func newNode(instance string, trouble func(float64) Trouble) *node {
	series := func(name string, pairs ...string) *Series {
		return NewSeries(name, append([]string{"job", "exo-bench-exporter", "instance", instance}, pairs...)...)
	}
	n := &node{
		trouble: trouble, up: series("up"), exoUp: series("exobench_exo_up"), done: series("exobench_cycles_total", "outcome", "ok"),
		interval: series("exobench_cycle_interval_seconds"), began: series("process_start_time_seconds"),
	}
	for i := range n.models {
		name := fmt.Sprintf("model-%d", i)
		n.models[i] = turns{
			up: true, promptUp: true, seriesUp: series("exobench_model_up", "model", name),
			seriesOK:      series("exobench_turns_total", "model", name, "outcome", "ok"),
			seriesPartial: series("exobench_turns_total", "model", name, "outcome", "partial"),
			seriesFailed:  series("exobench_turns_total", "model", name, "outcome", "failed"),
			seriesRefused: series("exobench_requests_total", "model", name, "prompt", "p", "outcome", "connect_error"),
			seriesBroken:  series("exobench_requests_total", "model", name, "prompt", "p", "outcome", "truncated"),
			seriesRate:    series("exobench_output_tokens_per_second", "model", name, "prompt", "p"),
			judged: []*Series{
				series("exobench_judge_learning", "model", name, "quantity", "decode"),
				series("exobench_speed_alarm", "model", name, "quantity", "decode", "kind", "drop"),
				series("exobench_speed_alarm", "model", name, "quantity", "decode", "kind", "collapse"),
			},
		}
	}
	return n
}

// scrape moves the node on to a time and adds what a scrape sees then.
func (n *node) scrape(e *Engine, at time.Time) error {
	now := float64(at.Sub(start)) / float64(interval)
	for i := range n.models {
		m := &n.models[i]
		for now >= landing(m.next, i) {
			m.turn(n.trouble(landing(m.next, i)), i)
			m.next++
		}
	}
	trouble := n.trouble(now)
	for ; float64(n.ended)+cycleLength <= now; n.ended++ {
		if trouble != CyclesStuck {
			n.cycles++
		}
	}
	var errs []error
	put := func(s *Series, v float64) {
		if trouble == ExporterGone {
			v = gone
		}
		errs = append(errs, e.Scrape(s, at, v))
	}
	errs = append(errs, e.Scrape(n.up, at, number(trouble != ExporterGone)))
	put(n.exoUp, number(trouble != ExoDead))
	put(n.done, n.cycles)
	put(n.interval, interval.Seconds())
	put(n.began, float64(start.Unix()))
	for _, m := range n.models {
		put(m.seriesUp, number(m.up))
		put(m.seriesOK, m.ok)
		put(m.seriesPartial, m.partial)
		put(m.seriesFailed, m.failed)
		put(m.seriesRefused, m.failed)
		put(m.seriesBroken, m.broken)
		rate := gone
		if m.promptUp {
			rate = 50
		}
		put(m.seriesRate, rate)
		for _, s := range m.judged {
			put(s, 0)
		}
	}
	return errors.Join(errs...)
}

// turn does a model's turn.
func (m *turns) turn(trouble Trouble, model int) {
	switch {
	case trouble == CyclesStuck || trouble == ExporterGone:
	case trouble == ExoDead, trouble == ModelFailing && model == 0:
		m.failed++
		m.up, m.promptUp = false, false
	case trouble == PromptFailing && model == 0:
		m.partial++
		m.broken++
		m.up, m.promptUp = true, false
	default:
		m.ok++
		m.up, m.promptUp = true, true
	}
}

// landing returns when the figures of a model's turn in a cycle are there, in cycles.
func landing(cycle, model int) float64 {
	position := slices.Index(workload.Order(models, cycle), model)
	return float64(cycle) + cycleLength*float64(position+1)/models
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
