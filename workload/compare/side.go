package compare

import (
	"fmt"
	"slices"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/record"
)

// Side is a set of turns that were measured under the same circumstances, as far as is known.
type Side struct {
	Name   string
	Turns  map[string][]workload.Turn // by model, of one method each, in the order in which they were run
	Models []string                   // in the order in which they are first met
	Source record.Source              // of the newest turn
	// Left counts turns that were left out because they were measured by another method, of another model under
	// the same name or from another node than the newest one.
	Left int
}

// Read reads the turns that are in files, each the records that EXOBENCH_RESULTS or once -o keeps, or what
// once -json printed, and took place from from on and before to; the zero time leaves either open. Of turns
// that cannot be put beside each other it keeps those that are like the newest. broken counts lines that are no
// records. The error names the file.
func Read(name string, files []string, from, to time.Time) (s Side, broken int, err error) {
	all, broken, err := record.Turns(files, from, to)
	if err != nil {
		return Side{}, broken, err
	}
	s, err = NewSide(name, all)
	return s, broken, err
}

// NewSide makes a Side of records of turns with their results, in any order. Those that are not good or without a clean result show
// nothing of a model. It is an error when there are no others.
func NewSide(name string, all []record.Record) (Side, error) {
	all = slices.DeleteFunc(slices.Clone(all), func(r record.Record) bool {
		return !r.Turn.Outcome.Good() || len(r.Turn.CleanResults()) == 0
	})
	if len(all) == 0 {
		return Side{}, fmt.Errorf("%s: there is no turn with figures", name)
	}
	slices.SortStableFunc(all, func(a, b record.Record) int { return a.Turn.Start.Compare(b.Turn.Start) })
	s := Side{Name: name, Turns: map[string][]workload.Turn{}, Source: all[len(all)-1].Source}
	newest := map[string]likeness{}
	for _, r := range slices.Backward(all) {
		if r.Target != s.Source.Target || r.Simulated != s.Source.Simulated || r.Suite.SHA256 != s.Source.Suite.SHA256 {
			continue
		}
		if _, ok := newest[r.Turn.Model]; !ok {
			newest[r.Turn.Model] = like(*r.Turn)
		}
	}
	for _, r := range all {
		m := r.Turn.Model
		if r.Target != s.Source.Target || r.Simulated != s.Source.Simulated || newest[m] != like(*r.Turn) {
			s.Left++
			continue
		}
		if s.Turns[m] == nil {
			s.Models = append(s.Models, m)
		}
		s.Turns[m] = append(s.Turns[m], *r.Turn)
	}
	return s, nil
}

// likeness is what turns of one model have to have in common to be put into one series.
type likeness struct {
	epoch, exoModel string
}

func like(t workload.Turn) likeness { return likeness{t.Epoch().ID(), t.ExoModel} }

// epoch returns the method of a model's turns.
func (s Side) epoch(model string) workload.Epoch {
	turns := s.Turns[model]
	return turns[len(turns)-1].Epoch()
}

func (s Side) exoModel(model string) string { return s.Turns[model][0].ExoModel }

// footprint returns of which kind the newest footprint of a model is; "" where none is known.
func (s Side) footprint(model string) workload.FootprintKind {
	for _, t := range slices.Backward(s.Turns[model]) {
		if len(footprint(t)) > 0 {
			return t.Memory.FootprintKind
		}
	}
	return ""
}
