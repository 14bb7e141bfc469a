// Package history reads turns back from a Prometheus that has scraped an exporter.
//
// Of each cycle that ended in a range it asks for every series of the exporter once, at the moment at which Prometheus knew that
// the cycle had ended: by how much the counters and the sums of the histograms have grown since the cycle before is what one
// turn of each model added, request by request, exactly. What is a gauge is as the turn left it. Gaps between tokens are known by
// the buckets of their histogram alone.
package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	promapi "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"exo-bench-exporter/workload/record"
	"exo-bench-exporter/workload/report"
)

// Options say what is read.
type Options struct {
	URL      string // of Prometheus, with user and password where it asks for them
	Instance string // label of the exporter; may be empty where Prometheus knows one only
	From, To time.Time
}

// History is what Prometheus knows of a range.
type History struct {
	Turns []record.Record
	Gaps  map[string]report.Distribution // times between tokens, by model
	Notes []string                       // what a reader has to know of how that was read
}

const (
	patience = 2 * time.Minute // for one answer
	chunk    = 24 * time.Hour  // of which all scrapes are asked for at once
	mostEnds = 4000            // cycles that are asked for by themselves
)

// Read asks Prometheus. Errors are for people: it cannot be reached, it knows no such exporter, or several.
func Read(ctx context.Context, o Options) (History, error) {
	client, err := dial(o.URL)
	if err != nil {
		return History{}, err
	}
	r := reader{api: promapi.NewAPI(client), o: o}
	if err := r.choose(ctx); err != nil {
		return History{}, err
	}
	ends, skipped, err := r.ends(ctx)
	if err != nil {
		return History{}, err
	}
	h := History{}
	if skipped {
		h.Notes = append(h.Notes, "The time is too long for every cycle to be read by itself: several cycles in a row are taken as one turn.")
	}
	var before snapshot
	several, counted := 0, map[string]float64{}
	for i, at := range ends {
		now, err := r.look(ctx, at)
		if err != nil {
			return History{}, err
		}
		if i > 0 {
			turns, cycles := turnsBetween(before, now, i)
			h.Turns = append(h.Turns, turns...)
			step{before, now, i}.count("inter_token_latency_seconds_count", counted)
			if cycles > 1 {
				several++
			}
		}
		before = now
	}
	if several > 0 && !skipped {
		h.Notes = append(h.Notes, fmt.Sprintf(
			"%d times several cycles ended between two scrapes: they are taken as one turn, by their mean.", several))
	}
	h.Notes = append(h.Notes, "Read back from Prometheus: percentiles of gaps between tokens are those of the buckets of a histogram, "+
		"whether other models were loaded too when memory was read is not told, and the machines are all that the node names, "+
		"whether or not they held a model.")
	if len(ends) < 2 {
		return h, nil
	}
	if h.Gaps, err = r.gaps(ctx, ends[0], before.at); err != nil {
		return History{}, err
	}
	for m, d := range h.Gaps { // increase extrapolates
		d.N = int(math.Round(counted[m]))
		h.Gaps[m] = d
	}
	return h, nil
}

// reader asks one Prometheus of one exporter.
type reader struct {
	api promapi.API
	o   Options
}

// choose finds the exporter where none is named.
func (r *reader) choose(ctx context.Context) error {
	v, err := r.query(ctx, fmt.Sprintf("count by (instance) (last_over_time(exobench_cycles_total[%ds]))", r.seconds()), r.o.To)
	if err != nil {
		return err
	}
	var all []string
	for _, s := range v {
		all = append(all, string(s.Metric["instance"]))
	}
	slices.Sort(all)
	switch {
	case r.o.Instance == "" && len(all) == 1:
		r.o.Instance = all[0]
	case len(all) == 0:
		return errors.New("in that time this Prometheus knows of no cycle of an exporter")
	case r.o.Instance == "":
		return fmt.Errorf("this Prometheus knows several exporters; name one by -instance: %s", strings.Join(all, ", "))
	case !slices.Contains(all, r.o.Instance):
		return fmt.Errorf("of -instance %s this Prometheus knows no cycle in that time; it knows %s", r.o.Instance, strings.Join(all, ", "))
	}
	return nil
}

func (r *reader) seconds() int { return max(1, int(r.o.To.Sub(r.o.From).Seconds())) }

// query asks for a vector.
func (r *reader) query(ctx context.Context, q string, at time.Time) (model.Vector, error) {
	return ask[model.Vector](ctx, r, q, at)
}

// ends returns when Prometheus first scraped what there was while no cycle ran, and then that one more cycle had ended. skipped tells
// that there are more than are returned.
func (r *reader) ends(ctx context.Context) (ends []time.Time, skipped bool, err error) {
	known, count := false, 0.0
	for from := r.o.From; from.Before(r.o.To); from = from.Add(chunk) {
		to := from.Add(chunk)
		if to.After(r.o.To) {
			to = r.o.To
		}
		scrapes, err := r.scrapes(ctx, from, to)
		if err != nil {
			return nil, false, err
		}
		for _, s := range scrapes {
			if !known && s.running || known && s.cycles == count {
				continue // what has begun before is no whole cycle
			}
			known, count = true, s.cycles
			ends = append(ends, s.at)
		}
	}
	if n := (len(ends) + mostEnds - 1) / mostEnds; n > 1 {
		thinned := ends[:0]
		for i, at := range ends {
			if i%n == 0 {
				thinned = append(thinned, at)
			}
		}
		return thinned, true, nil
	}
	return ends, false, nil
}

// scrape is what one told of cycles.
type scrape struct {
	at      time.Time
	cycles  float64 // that have ended
	running bool
}

// scrapes returns those from from on and before to, in their order.
func (r *reader) scrapes(ctx context.Context, from, to time.Time) ([]scrape, error) {
	q := fmt.Sprintf(`{__name__=~"exobench_(cycles_total|cycle_running)",instance=%q}[%dms]`, r.o.Instance, to.Sub(from).Milliseconds())
	matrix, err := ask[model.Matrix](ctx, r, q, to.Add(-time.Millisecond))
	if err != nil {
		return nil, err
	}
	at := map[model.Time]scrape{}
	for _, series := range matrix {
		for _, sample := range series.Values {
			s := at[sample.Timestamp]
			s.at = sample.Timestamp.Time()
			if series.Metric[model.MetricNameLabel] == "exobench_cycles_total" {
				s.cycles += float64(sample.Value)
			} else {
				s.running = sample.Value == 1
			}
			at[sample.Timestamp] = s
		}
	}
	return slices.SortedFunc(maps.Values(at), func(a, b scrape) int { return a.at.Compare(b.at) }), nil
}

// series names one of a snapshot.
type series struct{ name, model, prompt, outcome, state, node string }

// snapshot is what all series were at one moment.
type snapshot struct {
	at     time.Time
	values map[series]float64
	infos  map[string][]model.Metric // labels of series that say something by their labels, by name
}

// families are those that are asked for.
var families = []string{
	"cycles_total", "turns_total", "requests_total", "output_tokens_total", "decode_tokens_total", "decode_seconds_total",
	"prefill_tokens_total", "time_to_first_token_seconds", "time_to_first_token_seconds_sum", "time_to_first_token_seconds_count",
	"request_duration_seconds", "request_duration_seconds_sum", "request_duration_seconds_count",
	"inter_token_latency_seconds", "inter_token_latency_seconds_count",
	"contended_requests_total", "server_output_tokens_per_second", "server_prefill_tokens_per_second",
	"model_footprint_bytes", "model_footprint_peak_bytes", "model_gpu_memory_bytes",
	"model_resident_memory_bytes", "model_resident_memory_peak_bytes", "model_proportional_memory_bytes", "model_unreleased_memory_bytes",
	"model_reported_peak_memory_bytes", "model_load_seconds", "model_energy_per_token_joules", "model_idle_power_watts", "model_weights_bytes",
	"model_memory_bandwidth_utilization_ratio", "node_memory_bytes", "simulated",
	"model_info", "node_info", "build_info", "workload_info", "epoch_info", "model_good_cycles_total",
}

// look asks for every series at one moment.
func (r *reader) look(ctx context.Context, at time.Time) (snapshot, error) {
	q := fmt.Sprintf(`{__name__=~"exobench_(%s)",instance=%q}`, strings.Join(families, "|"), r.o.Instance)
	v, err := r.query(ctx, q, at)
	if err != nil {
		return snapshot{}, err
	}
	s := snapshot{at: at, values: map[series]float64{}, infos: map[string][]model.Metric{}}
	for _, sample := range v {
		s.add(sample)
	}
	for _, all := range s.infos {
		slices.SortFunc(all, func(a, b model.Metric) int { return cmp.Compare(a.String(), b.String()) })
	}
	return s, nil
}

func (s *snapshot) add(sample *model.Sample) {
	label := func(name model.LabelName) string { return string(sample.Metric[name]) }
	name := strings.TrimPrefix(label(model.MetricNameLabel), "exobench_")
	key := series{name, label("model"), label("prompt"), label("outcome"), label("state"), label("node")}
	if h := sample.Histogram; h != nil { // native: the same count and sum, where nothing has kept the classic ones
		for part, v := range map[string]float64{"_count": float64(h.Count), "_sum": float64(h.Sum)} {
			key.name = name + part
			if _, known := s.values[key]; !known {
				s.values[key] = v
			}
		}
		return
	}
	if strings.HasSuffix(name, "_info") || name == "model_good_cycles_total" {
		s.infos[name] = append(s.infos[name], sample.Metric)
	}
	if name == "model_good_cycles_total" {
		key.state = label("epoch")
	}
	s.values[key] = float64(sample.Value)
}

// info returns a label of the first series that says something by its labels.
func (s snapshot) info(name string, label model.LabelName) string {
	if all := s.infos[name]; len(all) > 0 {
		return string(all[0][label])
	}
	return ""
}
