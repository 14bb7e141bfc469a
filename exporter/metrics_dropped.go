package exporter

import "exo-bench-exporter/exporter/metric"

// Things from outside are dropped beyond a bound, so that no node or driver can fill the memory
// of the exporter or of Prometheus. These are the kinds that are counted.
const (
	DroppedSeries  = "series"  // whole series: machines or models too many
	DroppedStrings = "strings" // texts that were cut
	DroppedRecords = "records" // records of results that could not be kept
)

// dropped is a number of things of one kind.
type dropped struct {
	what  string
	count int
}

func newDropped(set *metric.Set) *metric.Series[dropped] {
	return metric.Register(set, metric.Group[dropped]{
		Counters: []metric.Counter[dropped]{{
			Family: metric.Family{
				Name: "dropped_total", Unit: "things", Labels: []string{"what"},
				Help: "Things from outside that were beyond a bound: series (of machines or models too many), strings (texts that " +
					"were cut) and records (of results that could not be kept).",
			},
			Value:  func(d dropped) float64 { return float64(d.count) },
			Values: []string{DroppedSeries, DroppedStrings, DroppedRecords},
			Of:     func(d dropped) string { return d.what },
		}},
	}).With()
}
