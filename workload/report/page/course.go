package page

import (
	"fmt"
	"strings"
	"time"

	"exo-bench-exporter/workload/report"
)

// course is how decoding went on, a drawing a model.
type course struct {
	Rows  []courseRow
	Ticks []tick
	Gaps  []box
	Short bool // too short to be drawn
}

type courseRow struct {
	Model     string
	Line      string
	Dots      string // of turns, where they are few
	Failed    string // turns without a figure
	Failures  int
	Events    []mark
	Low, High string
}

type box struct{ X, Width float64 }

type mark struct {
	X    float64
	Loss bool
}

// fewDots is the number of turns up to which each has a dot.
const fewDots = 80

func drawCourse(c report.Course) (drawn course) {
	x := clock{c.From, c.To}
	if drawn.Short = !c.To.After(c.From); drawn.Short {
		return drawn
	}
	drawn.Short = true
	for _, g := range c.Gaps {
		drawn.Gaps = append(drawn.Gaps, box{x.of(g.From), x.of(g.To) - x.of(g.From)})
	}
	for _, l := range c.Lines {
		drawn.Short = drawn.Short && len(l.Points) < 2
		drawn.Rows = append(drawn.Rows, drawLine(l, c, x))
	}
	drawn.Ticks = x.ticks()
	return drawn
}

func drawLine(l report.Line, c report.Course, x clock) courseRow {
	row := courseRow{Model: l.Model}
	var line, dots, failed strings.Builder
	var before *report.Point
	for i, p := range l.Points {
		at := x.of(p.At)
		if !p.Known {
			fmt.Fprintf(&failed, "M%.1f %dv-14", at, high)
			row.Failures++
			before = nil
			continue
		}
		y := high - 4 - (high-8)*(p.Value-l.Low)/(l.High-l.Low)
		if before == nil || within(c.Gaps, before.At, p.At) {
			fmt.Fprintf(&line, "M%.1f %.1f", at, y)
		} else {
			fmt.Fprintf(&line, "L%.1f %.1f", at, y)
		}
		fmt.Fprintf(&dots, "M%.1f %.1fh0", at, y)
		before = &l.Points[i]
	}
	row.Line, row.Failed = line.String(), failed.String()
	if len(l.Points) <= fewDots {
		row.Dots = dots.String()
	}
	if l.High > 0 {
		row.Low, row.High = rate(l.Low), rate(l.High)
	}
	for _, e := range c.Events {
		if (e.Model == "" || e.Model == l.Model) && !e.At.Before(c.From) && !e.At.After(c.To) {
			row.Events = append(row.Events, mark{x.of(e.At), e.Loss})
		}
	}
	return row
}

// within reports whether a gap lies between two times.
func within(gaps []report.Span, from, to time.Time) bool {
	for _, g := range gaps {
		if !g.From.Before(from) && !g.To.After(to) {
			return true
		}
	}
	return false
}

// clock is an axis of time.
type clock struct{ from, to time.Time }

func (x clock) of(t time.Time) float64 {
	const margin = 12 // so that the first and the last dot are whole
	return margin + (wide-2*margin)*float64(t.Sub(x.from))/float64(x.to.Sub(x.from))
}

// ticks are round times, few enough for a phone.
func (x clock) ticks() (all []tick) {
	const most = 5
	const day = 24 * time.Hour
	step := time.Second
	for _, step = range []time.Duration{
		time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 7 * day, 14 * day, 28 * day, 91 * day, 365 * day,
	} {
		if x.to.Sub(x.from)/step < most {
			break
		}
	}
	form := "15:04"
	switch {
	case step < time.Minute:
		form = "15:04:05"
	case step >= day:
		form = "2 Jan"
	case x.to.Sub(x.from) > day:
		form = "2 Jan 15:04"
	}
	for t := x.from.Truncate(step).Add(step); !t.After(x.to); t = t.Add(step) {
		if at := x.of(t) / wide * 100; at <= 92 {
			all = append(all, tick{at, t.Format(form)})
		}
	}
	return all
}
