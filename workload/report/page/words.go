package page

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"

	"exo-bench-exporter/workload/compare"
	"exo-bench-exporter/workload/report"
)

var funcs = template.FuncMap{
	"amount": amount, "basis": basis, "moment": report.Date, "day": day, "short": short, "thousands": compare.Thousands,
	"side": side, "memory": memoryColumns, "power": powerColumns, "kinds": kindTables,
	"first": firstTokens, "gaps": gaps, "join": strings.Join,
	"gib":      func(b uint64) string { return fmt.Sprintf("%.0f GiB", float64(b)/(1<<30)) },
	"troubled": troubled, "several": compare.Several, "last": func(all []time.Time) time.Time { return all[len(all)-1] },
	"percent": func(v float64) string { return compare.Quantity{Unit: "ratio"}.Amount(v) },
}

// amount is the value of a figure with its unit.
func amount(f report.Figure) string {
	if f.Quantity.Unit == "s" && f.Value >= 1 {
		return fmt.Sprintf("%.2f s", f.Value)
	}
	return f.Quantity.Amount(f.Value)
}

// troubled returns the models of which not everything went well.
func troubled(r report.Report) (all []report.Model) {
	for _, m := range r.Models {
		if m.Failed() > 0 || len(m.Turns) != 1 || m.Turns[0].Name != "ok" || len(m.Marks) > 0 {
			all = append(all, m)
		}
	}
	return all
}

// basis says on what a figure rests.
func basis(f report.Figure) string {
	n := compare.Thousands(f.N) + " " + f.Of
	if f.N == 1 {
		n = "1 " + strings.TrimSuffix(f.Of, "s")
	}
	if !f.Sure {
		return n
	}
	low, high := f, f
	low.Value, high.Value = f.Range.Low, f.Range.High
	one, other := amount(low), amount(high)
	if one == other {
		return n
	}
	if v, unit, ok := strings.Cut(one, " "); ok && strings.HasSuffix(other, " "+unit) {
		one = v
	}
	return one + " to " + other + ", " + n
}

func day(t time.Time) string { return t.Format("2 January 2006") }
func short(s string) string  { return s[:min(len(s), 12)] }

// column is a figure of every model.
type column struct {
	Head string
	of   func(report.Model) report.Figure
}

// Of returns the figure of a model.
func (c column) Of(m report.Model) report.Figure { return c.of(m) }

func side() []column {
	return []column{
		{"TTFT p50", func(m report.Model) report.Figure { return m.TTFT50 }},
		{"TTFT p99", func(m report.Model) report.Figure { return m.TTFT99 }},
		{"ITL p50", func(m report.Model) report.Figure { return m.Gap50 }},
		{"ITL p99", func(m report.Model) report.Figure { return m.Gap99 }},
		{"Decode, client", func(m report.Model) report.Figure { return m.Decode }},
		{"Decode, server", func(m report.Model) report.Figure { return m.ServerDecode }},
		{"Prefill", func(m report.Model) report.Figure { return m.Prefill }},
		{"Whole request", func(m report.Model) report.Figure { return m.Whole }},
		{"Memory", func(m report.Model) report.Figure {
			if m.Footprint.Known {
				return m.Footprint
			}
			return m.Memory
		}},
		{"Energy a token", func(m report.Model) report.Figure { return m.Energy }},
		{"MBU", func(m report.Model) report.Figure { return m.BandwidthUtilization }},
	}
}

func memoryColumns() []column {
	return []column{
		{"Footprint", func(m report.Model) report.Figure { return m.Footprint }},
		{"Footprint, peak", func(m report.Model) report.Figure { return m.FootprintPeak }},
		{"Resident (RSS), median", func(m report.Model) report.Figure { return m.Memory }},
		{"Resident, peak", func(m report.Model) report.Figure { return m.Peak }},
		{"Proportional (PSS)", func(m report.Model) report.Figure { return m.Proportional }},
		{"On GPUs (NVIDIA)", func(m report.Model) report.Figure { return m.GPU }},
		{"Peak as exo reports it", func(m report.Model) report.Figure { return m.Reported }},
		{"Weights", func(m report.Model) report.Figure { return m.Weights }},
		{"Not given back", func(m report.Model) report.Figure { return m.Unreleased }},
		{"Load", func(m report.Model) report.Figure { return m.Load }},
	}
}

func powerColumns() []column {
	return []column{
		{"Energy a token", func(m report.Model) report.Figure { return m.Energy }},
		{"Power before the turn", func(m report.Model) report.Figure { return m.Idle }},
		{"Use of the memory's bandwidth (MBU)", func(m report.Model) report.Figure { return m.BandwidthUtilization }},
	}
}

// kindTable is a quantity by kind of prompt and model.
type kindTable struct {
	Title string
	Kinds []string
	Rows  []kindRow
}

type kindRow struct {
	Model string
	Cells []report.Figure
}

func kindTables(r report.Report) (all []kindTable) {
	for _, t := range []struct {
		title string
		of    func(report.KindFigures) report.Figure
	}{
		{"Decode", func(k report.KindFigures) report.Figure { return k.Decode }},
		{"Prefill", func(k report.KindFigures) report.Figure { return k.Prefill }},
		{"Time to first token", func(k report.KindFigures) report.Figure { return k.TTFT }},
	} {
		table := kindTable{Title: t.title}
		for i, m := range r.Models {
			row := kindRow{Model: m.Name}
			for _, k := range r.Kinds {
				if i == 0 {
					table.Kinds = append(table.Kinds, k.Name)
				}
				row.Cells = append(row.Cells, t.of(k.Models[i]))
			}
			table.Rows = append(table.Rows, row)
		}
		all = append(all, table)
	}
	return all
}

// seconds writes a tick of an axis.
func seconds(v float64) string {
	if v < 1 {
		return fmt.Sprintf("%g ms", rounded(1000*v))
	}
	return fmt.Sprintf("%g s", rounded(v))
}

// rounded leaves two digits.
func rounded(v float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 2, 64), 64)
	return r
}

// rate writes a bound of an axis.
func rate(v float64) string { return compare.Quantity{Unit: "tok/s"}.Amount(v) }
