package history

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/common/model"

	"exo-bench-exporter/workload/report"
)

// gaps returns the times between tokens from the first look to the last one, by whatever method they were measured: of native
// histograms where Prometheus has them, else of classic ones.
func (r *reader) gaps(ctx context.Context, first, last time.Time) (map[string]report.Distribution, error) {
	const family = "exobench_inter_token_latency_seconds"
	window := int(last.Sub(first).Seconds()) + 1 // a range is open at its left
	q := fmt.Sprintf("sum by (model) (increase(%s{instance=%q}[%ds]))", family, r.o.Instance, window)
	native, err := r.query(ctx, q, last)
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
	return r.classic(ctx, q, last)
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
			buckets = append(buckets, report.Bucket{Low: low, High: bound, Count: counts[bound] - n})
			low, n = bound, counts[bound]
		}
		all[m] = report.Binned(buckets)
	}
	return all, nil
}
