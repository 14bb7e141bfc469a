package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/judge"
)

// Course is how decoding went on over time.
type Course struct {
	From, To time.Time
	Lines    []Line
	Gaps     []Span // in which nothing was measured
	Events   []Event
}

// Line is the course of one model.
type Line struct {
	Model     string
	Points    []Point
	Low, High float64 // of what is drawn, in tokens per second; at least a tenth apart
}

// Point is a turn.
type Point struct {
	At      time.Time
	Value   float64 // tokens per second, valid when Known
	Known   bool
	Outcome workload.TurnOutcome
}

// Span is a part of the time.
type Span struct{ From, To time.Time }

// Event is something that happened.
type Event struct {
	At    time.Time
	Model string // empty for all
	What  string
	Loss  bool // something became worse
}

// leastRange is the relative height of what is drawn of a model: noise of a per cent is not to look like a mountain.
const leastRange = 0.1

// course draws every turn, whatever method it was measured by: a change of that is among the events.
func (a *analysis) course() Course {
	c := Course{From: a.records[0].Turn.Start.UTC(), To: a.records[len(a.records)-1].Turn.Start.UTC()}
	for _, row := range a.rows {
		c.Lines = append(c.Lines, a.line(row.Name))
	}
	c.Gaps = a.gaps()
	for _, g := range c.Gaps {
		c.Events = append(c.Events, Event{At: g.From, What: fmt.Sprintf("nothing was measured for %s", span(g.To.Sub(g.From)))})
	}
	c.Events = append(append(c.Events, a.methods()...), a.findings...)
	for _, row := range a.rows {
		c.Events = append(c.Events, row.Answers.events(row.Name)...)
	}
	slices.SortStableFunc(c.Events, func(a, b Event) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Model, b.Model)) })
	return c
}

func (a *analysis) line(model string) Line {
	l := Line{Model: model}
	for _, r := range a.records {
		if r.Turn.Model != model {
			continue
		}
		p := Point{At: r.Turn.Start.UTC(), Outcome: r.Turn.Outcome}
		if p.Value, p.Known = r.Turn.DecodeRate(); p.Known {
			if l.Low == 0 || p.Value < l.Low {
				l.Low = p.Value
			}
			l.High = max(l.High, p.Value)
		}
		l.Points = append(l.Points, p)
	}
	if middle := (l.Low + l.High) / 2; l.High-l.Low < leastRange*middle {
		l.Low, l.High = middle*(1-leastRange/2), middle*(1+leastRange/2)
	}
	return l
}

// gaps are the times of more than three usual distances between the turns of a model in which no model had one.
func (a *analysis) gaps() (all []Span) {
	last := map[string]time.Time{}
	var apart []time.Duration
	for _, r := range a.records {
		if before, ok := last[r.Turn.Model]; ok {
			apart = append(apart, r.Turn.Start.Sub(before))
		}
		last[r.Turn.Model] = r.Turn.Start
	}
	usual, ok := workload.Quantile(apart, 0.5)
	if !ok {
		return nil
	}
	for i := 1; i < len(a.records); i++ {
		from, to := a.records[i-1].Turn, a.records[i].Turn.Start.UTC()
		if end := from.Start.Add(from.Duration).UTC(); to.Sub(end) > 3*usual {
			all = append(all, Span{end, to})
		}
	}
	return all
}

// methods are the changes of the method by which, and of the program with which, was measured.
func (a *analysis) methods() (all []Event) {
	program := a.records[0].Version
	epochs := map[string]workload.Epoch{}
	for _, r := range a.records {
		at := r.Turn.Start.UTC()
		if r.Version != program {
			all = append(all, Event{At: at, What: fmt.Sprintf("exporter %s instead of %s", r.Version, program)})
			program = r.Version
		}
		now := r.Turn.Epoch()
		if now == (workload.Epoch{}) {
			continue
		}
		if before, ok := epochs[r.Turn.Model]; ok && before != now {
			what := "measured by another method from here on: another " + list(now.Changed(before))
			if now.Version != before.Version {
				what += fmt.Sprintf(" (%s instead of %s)", cmp.Or(now.Version, "unknown"), cmp.Or(before.Version, "unknown"))
			}
			all = append(all, Event{At: at, Model: r.Turn.Model, What: what})
		}
		epochs[r.Turn.Model] = now
	}
	return all
}

// judge puts every turn to the judge of speeds, as if it were measured now.
func (a *analysis) judge() {
	j := judge.New(judge.Options{})
	for _, r := range a.records {
		before := a.verdicts
		j.Add(judge.Of(*r.Turn))
		a.verdicts = j.Verdicts()
		for _, n := range judge.Compare(before, a.verdicts) {
			e := Event{At: n.Alarm.Since.UTC(), Model: n.Verdict.Model, What: n.Words(r.Turn.Start), Loss: !n.Alarm.Kind.Info()}
			if n.Over {
				e = Event{
					At: r.Turn.Start.UTC(), Model: n.Verdict.Model,
					What: fmt.Sprintf("over or another now: %s of %s", n.Alarm.Kind, n.Verdict.Quantity),
				}
			}
			a.findings = append(a.findings, e)
		}
	}
}

// span says how long a time is.
func span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%.0f days", d.Hours()/24)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%.0f hours", d.Hours())
	case d >= 2*time.Minute:
		return fmt.Sprintf("%.0f minutes", d.Minutes())
	}
	return fmt.Sprintf("%.0f seconds", d.Seconds())
}
