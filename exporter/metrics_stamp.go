package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/workload"
)

// stampBuckets reach from what a quiet machine needs to wake a process up to a stall.
var stampBuckets = []float64{1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, .001, .002, .005, .01, .05, .1, 1}

// stampLateness is the exporter's own part in the times that it takes. It tells of every request,
// starved ones before all.
func stampLateness() metric.Group[workload.Result] {
	return metric.Group[workload.Result]{
		Histograms: []metric.Histogram[workload.Result]{{
			Family: metric.Family{
				Name: "stamp_lateness_seconds", Unit: "seconds", Absent: "where the kernel does not tell when it received what was read",
				Help: "Time in seconds by which the exporter's stamp of a read is later than the kernel's own receive time, one sample a read " +
					"that carried tokens: the exporter's own part in the times that it takes.",
			},
			Buckets: stampBuckets,
			Samples: func(r workload.Result, o prometheus.Observer) {
				for _, late := range r.StampLateness {
					o.Observe(late.Seconds())
				}
			},
		}},
	}
}

// stamps has series from the first request on of which the kernel told.
type stamps struct {
	feed   *metric.Feed[workload.Result]
	series *metric.Series[workload.Result]
}

func (s *stamps) record(r workload.Result) {
	if len(r.StampLateness) == 0 {
		return
	}
	if s.series == nil {
		s.series = s.feed.With()
	}
	s.series.Record(r)
}
