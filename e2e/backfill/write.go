package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"exo-bench-exporter/workload"
)

// blockLength is what Prometheus compacts blocks to when it keeps them for long.
const blockLength = 54 * time.Hour

// write writes blocks that end now.
func write(dir string, length time.Duration) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	end := time.Now().Truncate(scrapeInterval)
	start := end.Add(-length)
	all := everything(start, end)
	for from := start; from.Before(end); {
		to := from.Truncate(blockLength).Add(blockLength)
		if to.After(end) {
			to = end
		}
		if err := writeBlock(dir, all, from.UnixMilli(), to.UnixMilli()); err != nil {
			return fmt.Errorf("block from %s to %s: %w", from, to, err)
		}
		fmt.Printf("%s to %s: %d series\n", from.Format(time.DateTime), to.Format(time.DateTime), len(all))
		from = to
	}
	return nil
}

// everything returns all series of a history.
func everything(start, end time.Time) []series {
	suite := workload.StandardSuite()

	var all []series
	var node []turn
	for i, m := range workload.DefaultModels() {
		h := newHistory(m, i, suite, start, end)
		for _, p := range suite.Prompts {
			all = append(all, ofPrompt(m.Name, p.ID, h.requests[p.ID])...)
			// Series remember where they are, so that the records need some of their own.
			all = append(all, records(ofPrompt(m.Name, p.ID, h.requests[p.ID]))...)
			all = append(all, ofRequests(m.Name, p.ID, h.requests[p.ID])...)
		}
		all = append(all, ofModel(m.Name, h.turns)...)
		all = append(all, records(ofModel(m.Name, h.turns))...)
		all = append(all, byModel(m.Name, h)...)
		node = h.turns
	}
	return append(all, ofNode(node)...)
}

// writeBlock writes one block of the half-open period from..to, series by series.
func writeBlock(dir string, all []series, from, to int64) error {
	ctx := context.Background()
	// Half of a writer's block size is how far back a sample may lie behind the newest one.
	w, err := tsdb.NewBlockWriter(slog.New(slog.DiscardHandler), dir, 2*blockLength.Milliseconds())
	if err != nil {
		return err
	}
	defer w.Close()
	for _, s := range all {
		app := w.Appender(ctx)
		var ref storage.SeriesRef
		for ms := from; ms < to; ms += scrapeInterval.Milliseconds() {
			v := s.at(ms)
			switch {
			case !v.present:
				continue
			case v.native != nil || v.delta != nil:
				ref, err = app.AppendHistogram(ref, s.labels, ms, v.native, v.delta)
			default:
				ref, err = app.Append(ref, s.labels, ms, v.float)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", s.labels, err)
			}
		}
		if err := app.Commit(); err != nil {
			return fmt.Errorf("%s: %w", s.labels, err)
		}
	}
	_, err = w.Flush(ctx)
	return err
}
