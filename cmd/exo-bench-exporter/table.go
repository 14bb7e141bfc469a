package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/foreign"
)

// writeTable prints a cycle for people: a line for each model in the order of models, then what
// there is to say about turns beside their figures. "-" stands for what is not known. prompts is
// the number of prompts in the suite, of which a turn that was stopped had not put all.
func writeTable(w io.Writer, c workload.Cycle, models []workload.Model, prompts int) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "MODEL\tTURN\tTTFT p50\tITL p50\tITL p99\tDECODE tok/s\tSERVER tok/s\tPREFILL tok/s\tLOAD\t"+
		"RSS p50\tRSS PEAK\tJ/token\tREQUESTS")
	for _, m := range models {
		i := slices.IndexFunc(c.Turns, func(t workload.Turn) bool { return t.Model == m.Name })
		if i < 0 {
			fmt.Fprintf(tw, "%s\tnot run\n", m.Name)
			continue
		}
		t := c.Turns[i]
		s := exporter.Summarize(t)
		if t.Outcome == workload.TurnCanceled {
			s.Requests = prompts
		}
		load := "-"
		if t.Load.Loaded && t.Load.Duration > 0 {
			load = fmt.Sprintf("%.1f s", t.Load.Duration.Seconds())
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d of %d ok\n",
			t.Model, t.Outcome, text(s.TTFT, milliseconds), text(s.ITLp50, milliseconds), text(s.ITLp99, milliseconds),
			text(s.Output, tenths), text(s.ServerOutput, tenths), text(s.Prefill, whole), load,
			text(s.RSSMedian, gibibytes), text(s.RSSPeak, gibibytes), text(s.PerToken, hundredths), s.OK, s.Requests)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, t := range c.Turns {
		writeRemarks(w, t)
	}
	_, err := fmt.Fprintf(w, "\ncycle %s after %s\n", c.Outcome, c.Duration.Round(100*time.Millisecond))
	return err
}

// writeRemarks prints why a turn did not go well, and what to know about its requests.
func writeRemarks(w io.Writer, t workload.Turn) {
	notes := exporter.Summarize(t).Notes
	switch {
	case t.Reason != "":
		fmt.Fprintf(w, "\n%s is %s: %s\n", t.Model, t.Outcome, foreign.Cut(t.Reason, maxNote))
	case len(notes) > 0:
		fmt.Fprintf(w, "\n%s is %s, but:\n", t.Model, t.Outcome)
	}
	for _, note := range notes {
		fmt.Fprintf(w, "  %s\n", note)
	}
}

func text[T any](v *T, format func(T) string) string {
	if v == nil {
		return "-"
	}
	return format(*v)
}

func milliseconds(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	if ms < 100 {
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.0f ms", ms)
}

func hundredths(v float64) string { return fmt.Sprintf("%.2f", v) }
func tenths(v float64) string     { return fmt.Sprintf("%.1f", v) }
func whole(v float64) string      { return fmt.Sprintf("%.0f", v) }

func gibibytes(b uint64) string { return fmt.Sprintf("%.2f GiB", float64(b)/(1<<30)) }
