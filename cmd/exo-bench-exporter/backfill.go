package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/exporter/backfill"
	"exo-bench-exporter/exporter/rules"
)

func backfillCommand() command {
	return command{
		name: "backfill", args: " -from T [-to T] -instance I [flags]",
		summary: "print what Prometheus has missed, for promtool to take in",
		help: `Prints, as OpenMetrics, the figures of models that Prometheus would have scraped from this exporter
while it was away, out of the records in EXOBENCH_RESULTS:

  exo-bench-exporter backfill -from 2026-01-31T12:00:00Z -instance localhost:9955 >gap.txt
  promtool tsdb create-blocks-from openmetrics gap.txt /path/of/prometheus/data

Choose a time in which Prometheus has nothing, and the labels that it has elsewhere. Counters and
histograms are left out: they lose nothing by a gap.`,
		flags: func(fs *flag.FlagSet) func(context.Context, invocation) int {
			o := backfill.Options{Step: 15 * time.Second, Job: rules.DefaultOptions().Job, To: time.Now().Truncate(time.Second)}
			file := ""
			fs.Func("from", "`time` of the first sample, such as 2026-01-31T12:00:00Z", moment(&o.From))
			fs.Func("to", "`time` of the last sample (default now)", moment(&o.To))
			fs.DurationVar(&o.Step, "step", o.Step, "time between samples: Prometheus' scrape interval")
			fs.StringVar(&o.Job, "job", o.Job, "label `job` of the exporter in Prometheus")
			fs.StringVar(&o.Instance, "instance", "", "label `instance` of the exporter in Prometheus")
			fs.StringVar(&file, "file", "", "`file` of the records (default that of EXOBENCH_RESULTS)")
			return func(_ context.Context, inv invocation) int { return writeBackfill(inv, o, file) }
		},
	}
}

func moment(t *time.Time) func(string) error {
	return func(v string) error {
		parsed, err := time.Parse(time.RFC3339, v)
		if err != nil {
			return fmt.Errorf("want a time such as 2026-01-31T12:00:00Z")
		}
		*t = parsed
		return nil
	}
}

func writeBackfill(inv invocation, o backfill.Options, file string) int {
	cfg, err := exporter.LoadConfig(inv.env)
	if err != nil {
		return fail(inv.stderr, err)
	}
	if file == "" {
		file = cfg.ResultsFile
	}
	if file == "" {
		return fail(inv.stderr, fmt.Errorf("no records are kept here: EXOBENCH_RESULTS is off, or the mode is memory"))
	}
	o.MaxAge = 2 * cfg.CycleInterval
	n, err := backfill.Write(inv.stdout, file, o)
	if err != nil {
		return fail(inv.stderr, err)
	}
	fmt.Fprintf(inv.stderr, "exo-bench-exporter: %d samples\n", n)
	if n == 0 {
		return exitFailed
	}
	return exitOK
}
