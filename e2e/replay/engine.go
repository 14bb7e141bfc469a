// Package replay runs the generated alerting rules over months of simulated series on
// Prometheus' own rule engine and storage, without waiting, and measures how good the alarms
// are: detection delay, power and false alarms.
//
// Many nodes share one replay. The rules keep job and instance, so that each node with its
// models is an independent run of the scenario.
package replay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
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
	// HistoryEvery makes the group of what changes slowly that many times rarer than its
	// interval says: a baseline of a week does not move in half a day, and it costs most.
	HistoryEvery int64
	db           *mirror
	groups       []*rules.Group
	app          storage.AppenderV2
}

// NewEngine loads what the given alerts rest on from a rule file, with storage in dir.
func NewEngine(dir string, ruleFile []byte, alerts ...string) (*Engine, error) {
	const forever = int64(10 * 365 * 24 * time.Hour / time.Millisecond)
	opts := tsdb.DefaultOptions()
	opts.WALSegmentSize = -1
	opts.MinBlockDuration, opts.MaxBlockDuration, opts.RetentionDuration = forever, forever, 0
	opts.IsolationDisabled = true
	logger := slog.New(slog.DiscardHandler)
	db, err := tsdb.Open(dir, logger, nil, opts, nil)
	if err != nil {
		return nil, fmt.Errorf("open storage: %w", err)
	}
	stored := newMirror(db)
	p := parser.NewParser(parser.Options{})
	engine := promql.NewEngine(promql.EngineOpts{
		Logger: logger, MaxSamples: 500_000_000, Timeout: time.Hour, LookbackDelta: 5 * time.Minute,
		EnableAtModifier: true, EnableNegativeOffset: true, Parser: p,
	})
	m := rules.NewManager(&rules.ManagerOptions{
		QueryFunc: rules.EngineQueryFunc(engine, stored), AppendableV2: stored, Queryable: stored,
		NotifyFunc:  func(context.Context, string, ...*rules.Alert) {},
		GroupLoader: loader{Parser: p, file: ruleFile, alerts: alerts}, Logger: logger, Parser: p,
	})
	loaded, errs := m.LoadGroups(time.Minute, labels.EmptyLabels(), "", nil, false, "rules.yml")
	if len(errs) > 0 {
		return nil, fmt.Errorf("load rules: %w", errs[0])
	}
	e := &Engine{db: stored}
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

// Scrape adds a sample to s; Eval makes it visible. What is older than the newest sample is dropped,
// as Prometheus does after its clock was set back.
func (e *Engine) Scrape(s *Series, at time.Time, v float64) error {
	if e.app == nil {
		e.app = e.db.AppenderV2(context.Background())
	}
	ref, err := e.app.Append(s.ref, s.labels, 0, at.UnixMilli(), v, nil, nil, storage.AppendV2Options{})
	switch {
	case clockSetBack(err):
		return nil
	case err != nil:
		return err
	}
	s.ref, s.live = ref, !value.IsStaleNaN(v)
	return nil
}

// Gone marks s as stale, once: a scrape did not have it any more.
func (e *Engine) Gone(s *Series, at time.Time) error {
	if !s.live {
		return nil
	}
	return e.Scrape(s, at, math.Float64frombits(value.StaleNaN))
}

func clockSetBack(err error) bool {
	return errors.Is(err, storage.ErrOutOfOrderSample) || errors.Is(err, storage.ErrDuplicateSampleForTimestamp) ||
		errors.Is(err, storage.ErrTooOldSample) || errors.Is(err, storage.ErrOutOfBounds)
}

// Eval commits what was scraped and evaluates every group that is due at that time, the quick
// ones first.
func (e *Engine) Eval(ctx context.Context, at time.Time) error {
	if e.app != nil {
		if err := e.app.Commit(); err != nil {
			return err
		}
		e.app = nil
	}
	for _, g := range e.groups {
		every := g.Interval().Milliseconds()
		if g.Name() == "exobench-history" && e.HistoryEvery > 1 {
			every *= e.HistoryEvery
		}
		if at.UnixMilli()%every != 0 {
			continue
		}
		g.Eval(ctx, at)
		for _, r := range g.Rules() {
			if err := r.LastError(); err != nil && !clockSetBack(err) {
				return fmt.Errorf("rule %s at %s: %w", r.Name(), at, err)
			}
		}
	}
	return nil
}

// Firing calls f for every alert that fires.
func (e *Engine) Firing(f func(*rules.Alert)) {
	for _, g := range e.groups {
		for _, r := range g.Rules() {
			if a, ok := r.(*rules.AlertingRule); ok && a.State() == rules.StateFiring {
				a.ForEachActiveAlert(func(alert *rules.Alert) {
					if alert.State == rules.StateFiring {
						f(alert)
					}
				})
			}
		}
	}
}
