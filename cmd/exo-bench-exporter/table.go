package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/compare"
	"exo-bench-exporter/workload/exo/foreign"
)

// writeTable prints a cycle for people: a line for each model in the order of models, then what
// there is to say about turns beside their figures. "-" stands for what is not known. prompts is
// the number of prompts in the suite, of which a turn that was stopped had not put all.
func writeTable(w io.Writer, c workload.Cycle, models []workload.Model, prompts int) error {
	rows := [][]string{{
		"MODEL", "TURN", "TTFT p50", "ITL p50", "ITL p99", "DECODE tok/s", "SERVER tok/s", "PREFILL tok/s", "LOAD", "FOOTPRINT",
		"RSS p50", "RSS PEAK", "J/token", "MBU", "RIGHT", "REQUESTS",
	}}
	for _, m := range models {
		i := slices.IndexFunc(c.Turns, func(t workload.Turn) bool { return t.Model == m.Name })
		if i < 0 {
			rows = append(rows, []string{m.Name, "not run"})
			continue
		}
		rows = append(rows, turnRow(c.Turns[i], prompts))
	}
	if err := writeRows(w, rows, widthOf(w)); err != nil {
		return err
	}
	for _, t := range c.Turns {
		writeRemarks(w, t)
	}
	_, err := fmt.Fprintf(w, "\ncycle %s after %s\n", c.Outcome, c.Duration.Round(100*time.Millisecond))
	return err
}

func turnRow(t workload.Turn, prompts int) []string {
	s := exporter.Summarize(t)
	if t.Outcome == workload.TurnCanceled {
		s.Requests = prompts
	}
	load := "-"
	if t.Load.Loaded && t.Load.Duration > 0 {
		load = fmt.Sprintf("%.1f s", t.Load.Duration.Seconds())
	}
	return []string{
		t.Model, string(t.Outcome), text(s.TTFT, milliseconds), text(s.ITLp50, milliseconds), text(s.ITLp99, milliseconds),
		text(s.Output, tenths), text(s.ServerOutput, tenths), text(s.Prefill, whole), load,
		text(s.Footprint, gibibytes), text(s.RSSMedian, gibibytes), text(s.RSSPeak, gibibytes), text(s.PerToken, hundredths),
		text(s.MBU, perCent), text(s.Right, perCent), fmt.Sprintf("%d of %d ok", s.OK, s.Requests),
	}
}

// widthOf returns the columns of the terminal that w is, 0 where it is none.
func widthOf(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// writeRows prints rows below each other, the first of which has the names of the columns. Where they are wider
// than width, which 0 leaves open, they are folded: further columns come below, each row beginning with its first one again.
func writeRows(w io.Writer, rows [][]string, width int) error {
	const between = 2
	wide := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			wide[i] = max(wide[i], utf8.RuneCountInString(cell))
		}
	}
	for from := 1; from < len(wide); {
		to, total := from+1, wide[0]+between+wide[from]
		for to < len(wide) && (width <= 0 || total+between+wide[to] <= width) {
			total += between + wide[to]
			to++
		}
		if from > 1 {
			fmt.Fprintln(w)
		}
		tw := tabwriter.NewWriter(w, 0, 0, between, ' ', 0)
		for _, row := range rows {
			if len(row) > from {
				fmt.Fprintln(tw, strings.Join(append(row[:1:1], row[from:min(to, len(row))]...), "\t"))
			}
		}
		if err := tw.Flush(); err != nil {
			return err
		}
		from = to
	}
	return nil
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

func milliseconds(d time.Duration) string { return compare.Quantity{Unit: "s"}.Amount(d.Seconds()) }
func gibibytes(b uint64) string           { return compare.Quantity{Unit: "B"}.Amount(float64(b)) }

func hundredths(v float64) string { return fmt.Sprintf("%.2f", v) }
func tenths(v float64) string     { return fmt.Sprintf("%.1f", v) }
func whole(v float64) string      { return fmt.Sprintf("%.0f", v) }

func perCent(v float64) string { return fmt.Sprintf("%.0f %%", 100*v) }
