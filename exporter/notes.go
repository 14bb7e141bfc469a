package exporter

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/foreign"
)

// maxNoted bounds the prompts that one note names.
const maxNoted = 4

// maxSaid bounds in bytes what a note quotes of one request.
const maxSaid = 120

// markNotes says what the marks of a result mean, and what of the result tells it. Coalesced
// events are summed up instead, see clumpsNote.
var markNotes = []struct {
	mark   workload.Mark
	words  string
	detail func(workload.Result) string // nil: nothing beside the prompt
}{
	{workload.MarkContended, "contended (other people's work ran), so nothing is taken from", nil},
	{workload.MarkStarved, "starved (the exporter was kept from running), so nothing is taken from", func(r workload.Result) string {
		if r.Stalled == 0 {
			return ""
		}
		return r.Stalled.Round(time.Millisecond).String()
	}},
	{workload.MarkDisagreement, "client's and server's decode rate disagree in", func(r workload.Result) string {
		rate, ok := r.DecodeRate()
		if !ok || r.Server == nil {
			return ""
		}
		return fmt.Sprintf("%.1f and %.1f tok/s", rate, r.Server.GenerationTPS)
	}},
	{workload.MarkLate, "no decode rate, because the exporter was late to read one end of", func(r workload.Result) string {
		return "by " + r.DecodeOff.Abs().Round(100*time.Microsecond).String()
	}},
	{workload.MarkDisbelieved, "the server says what cannot be true, and was not believed, in", func(r workload.Result) string {
		return foreign.Cut(strings.Join(r.Disbelieved, ", "), maxSaid)
	}},
	{workload.MarkShort, "answers shorter than asked for", func(r workload.Result) string {
		return fmt.Sprintf("%d of %d tokens", r.OutputTokens, r.AskedTokens)
	}},
	{workload.MarkOverran, "answers longer than asked for, of which the rest was not measured", func(r workload.Result) string {
		return fmt.Sprintf("more than %d tokens", r.AskedTokens)
	}},
}

// notes says, a line each, what a reader has to know about the results of t beside its figures:
// which requests failed and how, and which marks the others have.
func notes(t workload.Turn) []string {
	var all []string
	add := func(words string, detail func(workload.Result) string, is func(workload.Result) bool) {
		if named := name(t.Results, detail, is); named != "" {
			all = append(all, words+": "+named)
		}
	}
	for _, o := range workload.Outcomes() {
		if o != workload.OutcomeOK {
			add(string(o), nil, func(r workload.Result) bool { return r.Outcome == o })
		}
	}
	for _, m := range markNotes {
		add(m.words, m.detail, func(r workload.Result) bool { return r.OK() && slices.Contains(r.Marks(), m.mark) })
	}
	all = append(all, answerNotes(t)...)
	if clumps := clumpsNote(t); clumps != "" {
		all = append(all, clumps)
	}
	return all
}

// few is the share of good answers below which it is worth a note, unless it is the usual one.
const few = 0.5

// poor reports whether a share of good answers of t is worth a note by a yardstick.
func poor(t workload.Turn, by workload.Yardstick, share float64) bool {
	for _, q := range t.Quality {
		if q.By == by {
			return q.Worse || share < few && (q.Learning || share < q.Usual)
		}
	}
	return share < few
}

// answerNotes says what is the matter with the answers of t, and why a model that can be asked was not.
func answerNotes(t workload.Turn) (all []string) {
	if a := t.Asked; a != nil {
		share, known := t.Correct()
		switch {
		case known && poor(t, workload.ByCanary, share):
			said := fmt.Sprintf("%d of %d questions with known answers were answered rightly", a.Right, a.Of)
			if len(a.Wrong) > 0 {
				said += "; wrongly: " + listed(a.Wrong)
			}
			all = append(all, said)
		case !known && !(workload.Model{Name: t.Model}).Facts().Thinks:
			all = append(all, "no verdict on its answers to questions: "+foreign.Cut(a.Reason, maxSaid))
		}
	}
	if share, _ := t.Degenerate(); share > 0 && poor(t, workload.BySigns, 1-share) {
		all = append(all, "answers look like nonsense: "+name(t.Results, func(r workload.Result) string {
			sign, _ := r.Sign()
			return string(sign)
		}, func(r workload.Result) bool { _, is := r.Sign(); return is }))
	}
	return all
}

// listed lists names, no more of them than a note holds.
func listed(names []string) string {
	shown := names[:min(len(names), maxNoted)]
	if more := len(names) - len(shown); more > 0 {
		shown = append(slices.Clip(shown), fmt.Sprintf("%d more", more))
	}
	return strings.Join(shown, ", ")
}

// minClumps is the part of a turn's token events from which on it is worth a note that they came
// in clumps. A few always do: some wait while the exporter is at another task.
const minClumps = 0.05

func clumpsNote(t workload.Turn) string {
	var coalesced, events int
	for _, r := range t.CleanResults() {
		coalesced += r.Coalesced
		events += r.TokenEvents
	}
	if float64(coalesced) < minClumps*float64(events) || coalesced == 0 {
		return ""
	}
	return fmt.Sprintf("token events came in clumps: %d of %d shared a read with the one before", coalesced, events)
}

// name lists the prompts of the results that are meant, each with its detail.
func name(results []workload.Result, detail func(workload.Result) string, is func(workload.Result) bool) string {
	var named []string
	for _, r := range results {
		if !is(r) {
			continue
		}
		text := foreign.ID(r.Prompt)
		if detail != nil {
			if d := detail(r); d != "" {
				text += " (" + d + ")"
			}
		}
		named = append(named, text)
	}
	return listed(named)
}
