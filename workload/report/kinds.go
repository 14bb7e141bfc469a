package report

import (
	"slices"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/compare"
)

// Kind is what the models show on one kind of prompt.
type Kind struct {
	Name   string
	Models []KindFigures // in the order of the report
}

// KindFigures are those of one model.
type KindFigures struct {
	Model                 string
	Decode, Prefill, TTFT Figure
}

// kinds takes the prompts of each kind by themselves, in the order of the suite.
func (a *analysis) kinds() (all []Kind) {
	var names []string
	for _, m := range a.side.Models {
		for _, t := range a.side.Turns[m] {
			for _, r := range t.Results {
				if !slices.Contains(names, r.Kind) {
					names = append(names, r.Kind)
				}
			}
		}
	}
	for _, name := range names {
		k := Kind{Name: name}
		for _, row := range a.rows {
			turns := only(a.side.Turns[row.Name], name)
			of := func(q compare.Quantity) Figure { return level(q, turns, noRequest) }
			k.Models = append(k.Models, KindFigures{row.Name, of(decode), of(prefill), of(ttft)})
		}
		all = append(all, k)
	}
	return all
}

// only returns the turns with their results of one kind alone.
func only(turns []workload.Turn, kind string) (all []workload.Turn) {
	for _, t := range turns {
		t.Results = slices.DeleteFunc(slices.Clone(t.Results), func(r workload.Result) bool { return r.Kind != kind })
		all = append(all, t)
	}
	return all
}
