package report

import (
	"errors"
	"slices"
	"time"

	"exo-bench-exporter/workload/compare"
	"exo-bench-exporter/workload/judge"
	"exo-bench-exporter/workload/record"
)

// Report is what there is to say of turns of one node and one suite. Times are UTC.
type Report struct {
	Program   string // version of the program that made the report
	Simulated bool
	From, To  time.Time // begin of the first turn, end of the last one
	Turns     int
	Requests  int      // that were not cut off by the exporter's own end
	OK        int      // of those, successful
	Summary   []string // sentences, each borne out by a test
	Models    []Model
	Kinds     []Kind
	Course    Course
	Method    Method
	Notes     []string // what makes figures uncertain
	Reproduce []string // commands
}

// Options say what is known beside the records.
type Options struct {
	Program string // version of the program that makes the report
	// Gaps are the times between tokens where they were counted in buckets and the records have none, by model.
	Gaps map[string]Distribution
	// Recalled is true of records that were made again of series, in which not everything is told.
	Recalled bool
	// Again are commands that make the report anew from where the records are.
	Again []string
	// Notes are what a reader has to know of where the records are from.
	Notes []string
}

// ErrEmpty says that there is nothing to report.
var ErrEmpty = errors.New("there is no turn in it")

// Of makes a Report of records of turns with their results, in any order. It is of the node and the suite of the newest turn;
// how many turns are of others is among the notes. The error is ErrEmpty.
func Of(all []record.Record, o Options) (Report, error) {
	kept, left := alike(all)
	if len(kept) == 0 {
		return Report{}, ErrEmpty
	}
	newest := kept[len(kept)-1]
	side, _ := compare.NewSide("", kept) // without figures it is empty, and every figure absent
	a := analysis{records: kept, side: side, options: o}
	r := Report{Program: o.Program, Simulated: newest.Simulated, From: kept[0].Turn.Start.UTC(), Turns: len(kept)}
	for _, k := range kept {
		if end := k.Turn.Start.Add(k.Turn.Duration).UTC(); end.After(r.To) {
			r.To = end
		}
	}
	a.models()
	r.Models = a.rows
	for _, m := range r.Models {
		r.Requests, r.OK = r.Requests+m.Asked, r.OK+m.OK
	}
	r.Kinds = a.kinds()
	a.judge()
	r.Course = a.course()
	r.Method = a.method()
	r.Summary = a.summary(r)
	r.Notes = a.notes(left)
	r.Reproduce = a.reproduce(r)
	return r, nil
}

// analysis is a Report in the making.
type analysis struct {
	records []record.Record // of one node and suite, oldest first
	side    compare.Side    // those of them with figures, of the newest method
	options Options
	rows    []Model

	verdicts []judge.Verdict // of the judge of speeds, at the end
	findings []Event         // what it would have said in the course of time
}

// alike returns the records that are of the node and the suite of the newest, oldest first, and how many are not.
func alike(all []record.Record) (kept []record.Record, left int) {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b record.Record) int { return a.Turn.Start.Compare(b.Turn.Start) })
	if len(all) == 0 {
		return nil, 0
	}
	newest := all[len(all)-1].Source
	for _, r := range all {
		if r.Target == newest.Target && r.Simulated == newest.Simulated && r.Suite.SHA256 == newest.Suite.SHA256 {
			kept = append(kept, r)
		} else {
			left++
		}
	}
	return kept, left
}
