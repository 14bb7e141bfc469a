package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/prometheus/model/histogram"
)

// histogramsOf are the histograms of requests.
func histogramsOf(all []request, pairs ...string) []series {
	one := func(metric string, figure func(request) float64) series {
		return native(all, func(r request) []float64 { return []float64{figure(r)} }, metric, pairs...)
	}
	return []series{
		one("exobench_time_to_first_token_seconds", func(r request) float64 { return r.ttft }),
		one("exobench_time_per_output_token_seconds", func(r request) float64 { return r.decode / (r.outputTokens - 1) }),
		one("exobench_request_duration_seconds", func(r request) float64 { return r.ttft + r.decode }),
		native(all, func(r request) []float64 { return r.gaps }, "exobench_inter_token_latency_seconds", pairs...),
	}
}

// native is a native histogram as the exporter makes it and Prometheus stores it.
func native(events []request, samples func(request) []float64, metric string, pairs ...string) series {
	var h prometheus.Histogram
	fresh := func() {
		h = prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: metric, NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160, NativeHistogramMinResetDuration: time.Hour,
		})
	}
	fresh()
	next, current := 0, convert(h)
	return series{name(metric, pairs...), func(ms int64) sample {
		before := next
		for ; next < len(events) && events[next].end <= ms; next++ {
			if events[next].restarted {
				fresh()
			}
			if !events[next].ok {
				continue
			}
			for _, v := range samples(events[next]) {
				h.Observe(v)
			}
		}
		if next > before {
			current = convert(h)
		}
		return sample{native: current, present: true}
	}}
}

// convert turns an exposed native histogram into a stored one, as a scrape does.
func convert(h prometheus.Histogram) *histogram.Histogram {
	var m dto.Metric
	if err := h.Write(&m); err != nil {
		panic(err) // client_golang's own histogram can always be written
	}
	d := m.GetHistogram()
	stored := &histogram.Histogram{
		Schema: d.GetSchema(), ZeroThreshold: d.GetZeroThreshold(), ZeroCount: d.GetZeroCount(),
		Count: d.GetSampleCount(), Sum: d.GetSampleSum(), PositiveBuckets: d.GetPositiveDelta(),
	}
	for _, s := range d.GetPositiveSpan() {
		stored.PositiveSpans = append(stored.PositiveSpans, histogram.Span{Offset: s.GetOffset(), Length: s.GetLength()})
	}
	return stored
}
