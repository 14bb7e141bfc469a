package main

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
)

// recorded are the metrics of which prometheus/rules/dashboards.yml records what was added.
var recorded = []string{
	"exobench_time_to_first_token_seconds", "exobench_inter_token_latency_seconds",
	"exobench_time_per_output_token_seconds", "exobench_request_duration_seconds",
	"exobench_requests_total", "exobench_prompt_tokens_total", "exobench_output_tokens_total",
	"exobench_decode_tokens_total", "exobench_decode_seconds_total", "exobench_energy_joules_total",
	"exobench_energy_output_tokens_total",
}

// records returns the records of those among all of which there is one.
func records(all []series) []series {
	var made []series
	for _, s := range all {
		metric := s.labels.Get(model.MetricNameLabel)
		if !slices.Contains(recorded, metric) {
			continue
		}
		record := strings.Replace(strings.TrimSuffix(metric, "_total"), "exobench_", "exobench:", 1) + ":added"
		made = append(made, series{labels.NewBuilder(s.labels).Set(model.MetricNameLabel, record).Labels(), additions(s.at)})
	}
	return made
}

// ofRequests are the records of single requests of one prompt.
func ofRequests(m, prompt string, all []request) []series {
	record := func(metric string, figure func(request) float64) series {
		next, recording := 0, false
		return series{name(metric, "model", m, "prompt", prompt), func(ms int64) sample {
			current := math.NaN()
			for ; next < len(all) && all[next].end <= ms; next++ {
				if all[next].ok {
					current = figure(all[next])
				}
			}
			result := sample{float: current, present: !math.IsNaN(current)}
			if recording && !result.present {
				result = sample{float: math.Float64frombits(value.StaleNaN), present: true}
			}
			recording = !math.IsNaN(current)
			return result
		}}
	}
	return []series{
		record("exobench:time_to_first_token_seconds:request", func(r request) float64 { return r.ttft }),
		record("exobench:output_tokens_per_second:request", func(r request) float64 { return (r.outputTokens - 1) / r.decode }),
		record("exobench:request_duration_seconds_sum:added", func(r request) float64 { return r.ttft + r.decode }),
	}
}

// byModel are the records of histograms over all prompts of a model, minute by minute.
func byModel(m string, h history) []series {
	var all []request
	for _, prompt := range slices.Sorted(maps.Keys(h.requests)) {
		all = append(all, h.requests[prompt]...)
	}
	slices.SortStableFunc(all, func(a, b request) int { return cmp.Compare(a.end, b.end) })
	// Only the first request after a restart begins anew.
	for i := len(all) - 1; i > 0; i-- {
		all[i].restarted = all[i].restarted && !all[i-1].restarted
	}
	var made []series
	for _, h := range histogramsOf(all, "model", m) {
		record := strings.Replace(h.labels.Get(model.MetricNameLabel), "exobench_", "exobench:model_", 1) + ":added"
		minutely := additions(h.at)
		made = append(made, series{name(record, "model", m), func(ms int64) sample {
			if ms%time.Minute.Milliseconds() != 0 {
				return sample{}
			}
			return minutely(ms)
		}})
	}
	return made
}

// additions returns what was added from one scrape to the next. Like a rule's, the series ends
// with a marker of staleness after each of its samples.
func additions(at func(int64) sample) func(int64) sample {
	var before sample
	recording := false
	stale := math.Float64frombits(value.StaleNaN)
	return func(ms int64) sample {
		now, result := at(ms), sample{}
		switch {
		case now.native != nil && (before.native == nil || now.native == before.native):
		case now.native != nil:
			result = sample{delta: difference(now.native, before.native), present: true}
		case now.float > before.float:
			result = sample{float: now.float - before.float, present: true}
		case now.float < before.float:
			result = sample{float: now.float, present: true}
		}
		if recording && !result.present {
			recording, before = false, now
			if now.native != nil {
				return sample{delta: &histogram.FloatHistogram{Sum: stale}, present: true}
			}
			return sample{float: stale, present: true}
		}
		recording, before = result.present, now
		return result
	}
}

// difference returns what was added to a histogram, all of it where it began anew.
func difference(now, before *histogram.Histogram) *histogram.FloatHistogram {
	added := now.ToFloat(nil)
	if now.Count >= before.Count {
		var err error
		if added, _, _, err = added.Sub(before.ToFloat(nil)); err != nil {
			panic(err) // the two have one schema
		}
		added.Compact(0)
	}
	added.CounterResetHint = histogram.GaugeType
	return added
}
