// Package replay runs the generated alerting rules on Prometheus' own rule engine and storage, without waiting: how soon
// failures are told, whether anything else is told beside them, and what it costs to evaluate the rules.
//
// Many nodes share one replay. The rules keep job and instance, so that each node is a run by itself.
package replay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"syscall"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// Engine is a Prometheus without its clock: storage, query engine and rule groups.
type Engine struct {
	db     *tsdb.DB
	groups []*rules.Group
	app    storage.AppenderV2
}

// NewEngine loads a rule file, with storage in dir.
func NewEngine(dir, ruleFile string) (*Engine, error) {
	const forever = int64(10 * 365 * 24 * time.Hour / time.Millisecond)
	opts := tsdb.DefaultOptions()
	opts.WALSegmentSize = -1
	opts.MinBlockDuration, opts.MaxBlockDuration, opts.RetentionDuration = forever, forever, 0
	logger := slog.New(slog.DiscardHandler)
	db, err := tsdb.Open(dir, logger, nil, opts, nil)
	if err != nil {
		return nil, fmt.Errorf("open storage: %w", err)
	}
	p := parser.NewParser(parser.Options{})
	engine := promql.NewEngine(promql.EngineOpts{
		Logger: logger, MaxSamples: 50_000_000, Timeout: time.Hour, LookbackDelta: 5 * time.Minute,
		EnableAtModifier: true, EnableNegativeOffset: true, Parser: p,
	})
	m := rules.NewManager(&rules.ManagerOptions{
		QueryFunc: rules.EngineQueryFunc(engine, db), AppendableV2: db, Queryable: db,
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {}, Logger: logger, Parser: p,
	})
	loaded, errs := m.LoadGroups(time.Minute, labels.EmptyLabels(), "", nil, false, ruleFile)
	if len(errs) > 0 {
		return nil, errors.Join(fmt.Errorf("load rules: %w", errs[0]), db.Close())
	}
	e := &Engine{db: db}
	for _, g := range loaded {
		e.groups = append(e.groups, g)
	}
	slices.SortFunc(e.groups, func(a, b *rules.Group) int { return int(a.Interval() - b.Interval()) })
	return e, nil
}

// Close gives the storage back.
func (e *Engine) Close() error { return e.db.Close() }

// Series is one series that samples are scraped into.
type Series struct {
	labels labels.Labels
	ref    storage.SeriesRef
	live   bool // it was in the last scrape
}

// NewSeries returns the series with the given name and label pairs.
func NewSeries(name string, pairs ...string) *Series {
	return &Series{labels: labels.FromStrings(append([]string{"__name__", name}, pairs...)...)}
}

// Scrape adds a sample to s; Eval makes it visible. NaN is a scrape that did not have s any more.
func (e *Engine) Scrape(s *Series, at time.Time, v float64) error {
	if math.IsNaN(v) {
		if !s.live {
			return nil
		}
		v = math.Float64frombits(value.StaleNaN)
	}
	if e.app == nil {
		e.app = e.db.AppenderV2(context.Background())
	}
	ref, err := e.app.Append(s.ref, s.labels, 0, at.UnixMilli(), v, nil, nil, storage.AppendV2Options{})
	s.ref, s.live = ref, !value.IsStaleNaN(v)
	return err
}

// Eval commits what was scraped and evaluates every group that is due at that time. It returns the processor time that
// each took.
func (e *Engine) Eval(ctx context.Context, at time.Time) (map[string]time.Duration, error) {
	if e.app != nil {
		if err := e.app.Commit(); err != nil {
			return nil, err
		}
		e.app = nil
	}
	took := map[string]time.Duration{}
	for _, g := range e.groups {
		if at.UnixMilli()%g.Interval().Milliseconds() != 0 {
			continue
		}
		begin := processorTime()
		g.Eval(ctx, at)
		took[g.Name()] = processorTime() - begin
		for _, r := range g.Rules() {
			if err := r.LastError(); err != nil {
				return nil, fmt.Errorf("rule %s at %s: %w", r.Name(), at, err)
			}
		}
	}
	return took, nil
}

// processorTime returns what this process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Firing calls f for every alert that fires.
func (e *Engine) Firing(f func(*rules.Alert)) {
	for _, g := range e.groups {
		for _, r := range g.Rules() {
			if a, ok := r.(*rules.AlertingRule); ok {
				a.ForEachActiveAlert(func(alert *rules.Alert) {
					if alert.State == rules.StateFiring {
						f(alert)
					}
				})
			}
		}
	}
}
