package replay

import (
	"context"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"exo-bench-exporter/exporter/rules"
)

// TestMirror holds what the mirror hands out against what Prometheus' storage has stored, after a run in
// which the clock is set back, scrapes come late, a model leaves and the exporter restarts.
func TestMirror(t *testing.T) {
	w := world(3, 150, 1)
	w.Late = true
	w.Clock = func(cycle int) time.Duration {
		if cycle >= 100 {
			return -2 * time.Hour
		}
		return 0
	}
	w.Removed = func(node, model, cycle int) bool { return node == model && cycle >= 120 && cycle < 130 }
	w.Restart = func(_, cycle int) bool { return cycle%40 == 0 }
	o := rules.DefaultOptions()
	o.Interval, o.Evaluation = w.Interval, 2*time.Minute
	file, err := rules.Generate(o)
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewEngine(t.TempDir(), file, throughput...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Run(context.Background(), e, o.Evaluation); err != nil {
		t.Fatal(err)
	}
	begin, end := Start.UnixMilli(), Start.Add(time.Duration(w.Cycles)*w.Interval).UnixMilli()
	windows := [][2]int64{{begin, end}, {begin + (end-begin)/3, begin + (end-begin)/2}, {end + 1, end + 1000}}
	if len(e.db.byName) < 20 {
		t.Errorf("only %d names mirrored", len(e.db.byName))
	}
	for name := range e.db.byName {
		named := labels.MustNewMatcher(labels.MatchEqual, model.MetricNameLabel, name)
		other := labels.MustNewMatcher(labels.MatchRegexp, "instance", "node-000[12].*")
		for _, window := range windows {
			for _, matchers := range [][]*labels.Matcher{{named}, {other, named}} {
				stored, mirrored := selected(t, e.db.DB, window, matchers), selected(t, e.db, window, matchers)
				if !maps.EqualFunc(stored, mirrored, slices.Equal) {
					t.Errorf("%s from %d to %d: stored %v, mirrored %v", name, window[0], window[1], stored, mirrored)
				}
				if name == "exobench:decode:ratio" && window == windows[0] && len(stored) == 0 {
					t.Error("nothing stored")
				}
			}
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// point is a sample; its value as bits, for there are several NaNs.
type point struct {
	t int64
	v uint64
}

func selected(t *testing.T, from storage.Queryable, window [2]int64, matchers []*labels.Matcher) map[string][]point {
	t.Helper()
	q, err := from.Querier(window[0], window[1])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = q.Close() }()
	all := map[string][]point{}
	set := q.Select(context.Background(), true, nil, matchers...)
	for set.Next() {
		key := set.At().Labels().String()
		it := set.At().Iterator(nil)
		for it.Next() != chunkenc.ValNone {
			at, v := it.At()
			all[key] = append(all[key], point{at, math.Float64bits(v)})
		}
		if it.Err() != nil {
			t.Fatal(it.Err())
		}
	}
	if set.Err() != nil {
		t.Fatal(set.Err())
	}
	return all
}
