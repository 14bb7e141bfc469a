package history

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/common/model"

	"exo-bench-exporter/workload/report"
)

// gaps returns the times between tokens of the range: of native histograms where Prometheus has them, else of classic ones. What
// is below the first bucket of those is taken to be in the half of it, what is beyond the last one within twice as much.
func (r *reader) gaps(ctx context.Context, last snapshot) (map[string]report.Distribution, error) {
	const family = "exobench_inter_token_latency_seconds"
	window := int(math.Ceil(last.at.Sub(r.o.From).Seconds()))
	if window <= 0 {
		return nil, nil
	}
	q := fmt.Sprintf("sum by (model) (increase(%s{instance=%q}[%ds]))", family, r.o.Instance, window)
	native, err := r.query(ctx, q, last.at)
	if err != nil {
		return nil, err
	}
	all := map[string]report.Distribution{}
	for _, s := range native {
		if s.Histogram != nil {
			all[string(s.Metric["model"])] = report.Binned(nativeBuckets(s.Histogram))
		}
	}
	if len(all) > 0 {
		return all, nil
	}
	q = fmt.Sprintf("sum by (model, le) (increase(%s_bucket{instance=%q}[%ds]))", family, r.o.Instance, window)
	return r.classic(ctx, q, last.at)
}

func nativeBuckets(h *model.SampleHistogram) (all []report.Bucket) {
	for _, b := range h.Buckets {
		all = append(all, report.Bucket{Low: float64(b.Lower), High: float64(b.Upper), Count: float64(b.Count)})
	}
	return all
}

func (r *reader) classic(ctx context.Context, q string, at time.Time) (map[string]report.Distribution, error) {
	v, err := r.query(ctx, q, at)
	if err != nil {
		return nil, err
	}
	below := map[string]map[float64]float64{} // by model and bound
	for _, s := range v {
		bound, err := strconv.ParseFloat(string(s.Metric["le"]), 64)
		if err != nil {
			continue
		}
		m := string(s.Metric["model"])
		if below[m] == nil {
			below[m] = map[float64]float64{}
		}
		below[m][bound] = float64(s.Value)
	}
	all := map[string]report.Distribution{}
	for m, counts := range below {
		var buckets []report.Bucket
		low, n := 0.0, 0.0
		for _, bound := range slices.Sorted(maps.Keys(counts)) {
			b := report.Bucket{Low: low, High: bound, Count: counts[bound] - n}
			switch {
			case low == 0:
				b.Low = bound / 2
			case math.IsInf(bound, 1):
				b.High = 2 * low
			}
			buckets = append(buckets, b)
			low, n = bound, counts[bound]
		}
		all[m] = report.Binned(buckets)
	}
	return all, nil
}
