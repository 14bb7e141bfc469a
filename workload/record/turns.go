package record

import (
	"slices"

	"exo-bench-exporter/workload"
)

// maxPending bounds the results of a model that wait for the record of their turn. A suite has far fewer
// prompts.
const maxPending = 1000

// EachTurn calls f with the record of every turn that is kept at path and beside it, oldest first, with
// its results, until f returns an error, which it returns. Of files it reads the newest, of about most
// bytes together. What else it passes over, and other errors, are those of Each.
func EachTurn(path string, most int64, f func(Record) error) (broken int, err error) {
	j := joiner{f: f, pending: map[string][]workload.Result{}}
	return newest(path, most, j.take)
}

// joiner puts the results of a turn into its record, which comes after them.
type joiner struct {
	f       func(Record) error
	pending map[string][]workload.Result // by model
}

func (j *joiner) take(r Record) error {
	if r.Result != nil {
		model := r.Result.Model
		if all := j.pending[model]; len(all) < maxPending {
			j.pending[model] = append(all, *r.Result)
		}
		return nil
	}
	turn := *r.Turn
	// Those of a turn that was cut off have none that takes them.
	turn.Results = slices.DeleteFunc(j.pending[turn.Model], func(r workload.Result) bool { return r.Start.Before(turn.Start) })
	delete(j.pending, turn.Model)
	r.Turn = &turn
	return j.f(r)
}
