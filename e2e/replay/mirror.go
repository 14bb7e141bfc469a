package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/annotations"
)

// mirror is Prometheus' storage with an uncompressed copy that queries read. The storage decides, as
// ever, which samples it takes; to decode its chunks and look up its index for a window of a few
// cycles would take as long as all the rest.
type mirror struct {
	*tsdb.DB
	byRef  map[storage.SeriesRef]*promql.Series
	byName map[string][]*promql.Series
}

func newMirror(db *tsdb.DB) *mirror {
	return &mirror{DB: db, byRef: map[storage.SeriesRef]*promql.Series{}, byName: map[string][]*promql.Series{}}
}

// AppenderV2 implements storage.AppendableV2.
func (m *mirror) AppenderV2(ctx context.Context) storage.AppenderV2 {
	return &mirrorAppender{AppenderV2: m.DB.AppenderV2(ctx), mirror: m}
}

type mirrorAppender struct {
	storage.AppenderV2
	mirror *mirror
	taken  []taken
}

// taken is a sample that the storage took.
type taken struct {
	series *promql.Series
	promql.FPoint
}

func (a *mirrorAppender) Append(ref storage.SeriesRef, ls labels.Labels, st, t int64, v float64, h *histogram.Histogram,
	fh *histogram.FloatHistogram, opts storage.AppendV2Options,
) (storage.SeriesRef, error) {
	ref, err := a.AppenderV2.Append(ref, ls, st, t, v, h, fh, opts)
	if err != nil {
		return ref, err
	}
	if h != nil || fh != nil {
		return ref, fmt.Errorf("%s is a histogram, of which the mirror holds none", ls)
	}
	series := a.mirror.byRef[ref]
	if series == nil {
		series = &promql.Series{Metric: ls.Copy()}
		a.mirror.byRef[ref] = series
		name := ls.Get(model.MetricNameLabel)
		a.mirror.byName[name] = append(a.mirror.byName[name], series)
	}
	a.taken = append(a.taken, taken{series, promql.FPoint{T: t, F: v}})
	return ref, nil
}

func (a *mirrorAppender) Commit() error {
	if err := a.AppenderV2.Commit(); err != nil {
		return err
	}
	for _, s := range a.taken {
		// What another sample of the same commit has overtaken, the storage drops without a word.
		if n := len(s.series.Floats); n == 0 || s.series.Floats[n-1].T < s.T {
			s.series.Floats = append(s.series.Floats, s.FPoint)
		}
	}
	return nil
}

// Querier implements storage.Queryable.
func (m *mirror) Querier(mint, maxt int64) (storage.Querier, error) {
	return mirrorQuerier{m, mint, maxt}, nil
}

type mirrorQuerier struct {
	*mirror
	mint, maxt int64
}

func (mirrorQuerier) Close() error { return nil }

var errNotMirrored = errors.New("the mirror only selects series by name")

func (mirrorQuerier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations,
	error,
) {
	return nil, nil, errNotMirrored
}

func (mirrorQuerier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, errNotMirrored
}

// Select returns the series that have samples in the time of the query.
func (q mirrorQuerier) Select(_ context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	mint, maxt := q.mint, q.maxt
	if hints != nil {
		mint, maxt = hints.Start, hints.End
	}
	i := slices.IndexFunc(matchers, func(m *labels.Matcher) bool {
		return m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual
	})
	if i < 0 {
		return storage.ErrSeriesSet(errNotMirrored)
	}
	named := q.byName[matchers[i].Value]
	matchers = slices.Delete(slices.Clone(matchers), i, i+1)
	set := make([]promql.Series, 0, len(named))
	for _, s := range named {
		if slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(s.Metric.Get(m.Name)) }) {
			continue
		}
		from, to := firstFrom(s.Floats, mint), firstFrom(s.Floats, maxt+1)
		if from < to {
			set = append(set, promql.Series{Metric: s.Metric, Floats: s.Floats[from:to]})
		}
	}
	if sorted {
		slices.SortFunc(set, func(a, b promql.Series) int { return labels.Compare(a.Metric, b.Metric) })
	}
	return &mirrorSet{set, -1}
}

// firstFrom returns the index of the first of the points that is not before t. It is mostly near the end.
func firstFrom(points []promql.FPoint, t int64) int {
	const near = 16
	i := len(points)
	for i > 0 && points[i-1].T >= t {
		if len(points)-i == near {
			return sort.Search(i, func(i int) bool { return points[i].T >= t })
		}
		i--
	}
	return i
}

type mirrorSet struct {
	series []promql.Series
	i      int
}

func (s *mirrorSet) Next() bool                        { s.i++; return s.i < len(s.series) }
func (s *mirrorSet) At() storage.Series                { return promql.NewStorageSeries(s.series[s.i]) }
func (s *mirrorSet) Err() error                        { return nil }
func (s *mirrorSet) Warnings() annotations.Annotations { return nil }
