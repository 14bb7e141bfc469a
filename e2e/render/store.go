package render

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// store is a Prometheus without its clock: storage, and rules that are evaluated when it is told to.
type store struct {
	db     *tsdb.DB
	groups []*rules.Group
	app    storage.AppenderV2
	calls  chan func() error
	done   chan error
}

// do has f called outside of the bubble that the caller may be in: what waits for one another in a storage must not be
// half of it inside. Virtual time stands still meanwhile.
func (s *store) do(f func() error) error {
	s.calls <- f
	return <-s.done
}

// openStore opens the storage in dir, which may hold blocks, with the rules of some files.
func openStore(dir string, ruleFiles ...string) (*store, error) {
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
	loaded, errs := m.LoadGroups(15*time.Second, labels.EmptyLabels(), "", nil, false, ruleFiles...)
	if len(errs) > 0 {
		return nil, errors.Join(append(errs, db.Close())...)
	}
	s := &store{db: db, calls: make(chan func() error), done: make(chan error)}
	go func() {
		for f := range s.calls {
			s.done <- f()
		}
	}()
	for _, file := range ruleFiles { // in the order of the files and of the groups in them
		for _, g := range loaded {
			if g.File() == file {
				s.groups = append(s.groups, g)
				restored(g)
			}
		}
	}
	return s, nil
}

// restored tells the alerts of a group that there is nothing to restore, before which they record nothing.
func restored(g *rules.Group) {
	for _, r := range g.Rules() {
		if a, ok := r.(*rules.AlertingRule); ok {
			a.SetRestored(true)
		}
	}
}

func (s *store) append(ref storage.SeriesRef, l labels.Labels, at time.Time, v float64, h *histogram.Histogram) (storage.SeriesRef, error) {
	if s.app == nil {
		s.app = s.db.AppenderV2(context.Background())
	}
	return s.app.Append(ref, l, 0, at.UnixMilli(), v, h, nil, storage.AppendV2Options{})
}

func (s *store) stale(ref storage.SeriesRef, l labels.Labels, at time.Time) error {
	_, err := s.append(ref, l, at, math.Float64frombits(value.StaleNaN), nil)
	return err
}

func (s *store) commit() error {
	if s.app == nil {
		return nil
	}
	err := s.app.Commit()
	s.app = nil
	return err
}

// eval evaluates the groups for which due holds, at a moment. Groups that look back by an offset, so as to wait for what
// is under way, are evaluated that much later: nothing is under way here.
func (s *store) eval(ctx context.Context, at time.Time, due func(*rules.Group) bool) error {
	for _, g := range s.groups {
		if !due(g) {
			continue
		}
		g.Eval(ctx, at.Add(g.QueryOffset()))
		for _, r := range g.Rules() {
			if err := r.LastError(); err != nil {
				return fmt.Errorf("rule %s at %s: %w", r.Name(), at, err)
			}
		}
	}
	return nil
}

// save writes all that is stored as blocks to dir and closes the store.
func (s *store) save(dir string) error {
	close(s.calls)
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = s.db.Snapshot(dir, true)
	}
	return errors.Join(err, s.db.Close())
}
