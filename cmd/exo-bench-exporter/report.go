package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/exporter/history"
	"exo-bench-exporter/workload/compare"
	"exo-bench-exporter/workload/record"
	"exo-bench-exporter/workload/report"
	"exo-bench-exporter/workload/report/page"
	"exo-bench-exporter/workload/statefile"
)

func reportCommand() command {
	return command{
		name: "report", args: " [flags] [FILE…]", summary: "write what was measured as one page to read, to print and to pass on",
		operands: true,
		help: `Writes one HTML file, which needs nothing from outside, of kept results: records that EXOBENCH_RESULTS or once -o
keeps, or what once -json printed. Without a FILE it reads the one of EXOBENCH_RESULTS.

  exo-bench-exporter report results.jsonl
  exo-bench-exporter report -from 2026-01-24T00:00:00Z -o week.html
  exo-bench-exporter report -prometheus http://localhost:9090 -from 2026-01-24T00:00:00Z

It says which model is how much faster, what became slower and since when, where that is beyond doubt; it holds neither prompts
and answers nor the node's address, name or ids.

Exits 1 where it cannot be written, 2 where there is nothing to report.`,
		flags: func(fs *flag.FlagSet) func(context.Context, invocation) int {
			r := reporting{}
			fs.StringVar(&r.out, "o", "report.html", "`file` to write, in place of one that is there; - for standard output")
			r.rangeFlags(fs)
			return func(ctx context.Context, inv invocation) int { return r.run(ctx, inv, fs.Args()) }
		},
	}
}

// reporting is a call of report.
type reporting struct {
	out        string
	from, to   time.Time
	prometheus string
	instance   string
}

// rangeFlags declares the flags that choose turns.
func (r *reporting) rangeFlags(fs *flag.FlagSet) {
	fs.Func("from", "`time` from which on turns are taken, such as 2026-01-31T12:00:00Z (default: the first one)", moment(&r.from))
	fs.Func("to", "`time` before which turns are taken (default: the last one)", moment(&r.to))
	fs.StringVar(&r.prometheus, "prometheus", "", "`URL` of a Prometheus to read from instead of a FILE; the last day where there is no -from")
	fs.StringVar(&r.instance, "instance", "", "`label` of the exporter there, where it knows several")
}

func (r *reporting) run(ctx context.Context, inv invocation, files []string) int {
	made, err := r.make(ctx, inv, files)
	if err != nil {
		return fail(inv.stderr, err)
	}
	var b bytes.Buffer
	if err := page.Write(&b, made); err != nil {
		return cannotPrint(inv, err)
	}
	if r.out == "-" {
		return printed(inv, b.Bytes())
	}
	if err := statefile.Replace(r.out, b.Bytes(), 0o644); err != nil {
		return cannotPrint(inv, err)
	}
	fmt.Fprintf(inv.stdout, "%s: %s\n", r.out, strings.Join(made.Summary, "\n  "))
	return exitOK
}

// make reads what is named and makes the report of it.
func (r *reporting) make(ctx context.Context, inv invocation, files []string) (report.Report, error) {
	if r.prometheus != "" {
		return r.recall(ctx, files)
	}
	o := report.Options{Program: exporter.Version(), Again: []string{"exo-bench-exporter report results.jsonl"}}
	if len(files) == 0 {
		file, err := keptFile(inv)
		if err != nil {
			return report.Report{}, err
		}
		files = []string{file}
	}
	turns, broken, err := record.Turns(files, r.from, r.to)
	if err != nil {
		return report.Report{}, err
	}
	if broken > 0 {
		o.Notes = append(o.Notes, compare.Several(broken, "line")+" of the files are no records.")
	}
	made, err := report.Of(turns, o)
	if errors.Is(err, report.ErrEmpty) {
		err = fmt.Errorf("%s: %w", strings.Join(files, ", "), err)
	}
	return made, err
}

// recall makes the report of what Prometheus knows.
func (r *reporting) recall(ctx context.Context, files []string) (report.Report, error) {
	to := r.to
	if to.IsZero() {
		to = time.Now()
	}
	from := r.from
	if from.IsZero() {
		from = to.AddDate(0, 0, -1)
	}
	switch {
	case len(files) > 0:
		return report.Report{}, errors.New("name a FILE or -prometheus, not both")
	case !from.Before(to):
		return report.Report{}, errors.New("-from is not before -to")
	}
	h, err := history.Read(ctx, history.Options{URL: r.prometheus, Instance: r.instance, From: from, To: to})
	if err != nil {
		return report.Report{}, err
	}
	instance := ""
	if r.instance != "" { // an address, so in no report
		instance = " -instance HOST:PORT"
	}
	again := fmt.Sprintf("exo-bench-exporter report -prometheus http://localhost:9090%s -from %s -to %s",
		instance, from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
	made, err := report.Of(h.Turns, report.Options{
		Program: exporter.Version(), Recalled: true, Gaps: h.Gaps, Notes: h.Notes, Again: []string{again},
	})
	if errors.Is(err, report.ErrEmpty) {
		err = errors.New("in that time Prometheus saw no whole cycle: it takes two looks, before and after")
	}
	return made, err
}

// keptFile returns the file in which an exporter with this environment keeps its records.
func keptFile(inv invocation) (string, error) {
	cfg, err := exporter.LoadConfig(inv.env)
	if err == nil && cfg.ResultsFile == "" {
		err = errors.New("no records are kept here: EXOBENCH_RESULTS is off, or the mode is memory; name a FILE")
	}
	return cfg.ResultsFile, err
}
