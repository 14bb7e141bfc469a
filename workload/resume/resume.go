// Package resume carries the state of a cycling exporter over a restart, so that a restart is
// neither a hole in what is shown nor a cycle ahead of its time.
//
//	Runner → Saver → file → Load → RunnerOptions.First, Last; figures of the last turns
package resume

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/statefile"
)

// schema is the version of the file's form. A file of another one is set aside.
const schema = 1

// maxFile bounds the file, in bytes. Reading one takes ten times that of memory, for the gaps in it;
// the standard workload makes a fifth of a megabyte.
const maxFile = 8 << 20

// What names what is measured. Figures of other models, prompts or nodes are not carried over.
type What struct {
	Target string           `json:"target"` // base URL of the node
	SHA256 string           `json:"sha256"` // of the suite
	Models []workload.Model `json:"models"`
}

func (w What) equal(other What) bool {
	return w.Target == other.Target && w.SHA256 == other.SHA256 && slices.Equal(w.Models, other.Models)
}

// State is what a restart carries over.
type State struct {
	// First is the number of the next cycle, so that the order of the models goes on.
	First int
	// Last is when the last cycle started; zero where the next is due at once, because that one
	// was not completed, was of something else, or is long ago.
	Last time.Time
	// Turns are the last turns of models, as far as what they say would still be shown had the
	// exporter not been restarted.
	Turns []workload.Turn
}

type document struct {
	Schema int `json:"schema"`
	What
	Next    int             `json:"next_cycle"`
	Started time.Time       `json:"last_cycle_started"` // zero when it was not completed
	Turns   []workload.Turn `json:"turns"`
}

// Load reads the state that was saved at path, for a program that measures what every interval.
// Where there is none it is zero. A file that cannot be used is set aside, and the error, beside a
// zero State, says so.
func Load(path string, what What, interval time.Duration) (State, error) {
	var state State
	err := statefile.Load(path, maxFile, func(content []byte) error {
		var d document
		if err := json.Unmarshal(content, &d); err != nil {
			return err
		}
		if d.Schema != schema || d.Next < 0 {
			return fmt.Errorf("its schema is %d, and this exporter knows %d", d.Schema, schema)
		}
		state = d.state(what, interval)
		return nil
	})
	if err != nil {
		return State{}, fmt.Errorf("the state of the last run: %w", err)
	}
	return state, nil
}

// state returns what of d holds for a program that measures what. Times are those of the wall
// clock, which may have been set meanwhile: what is not from the last interval is not trusted.
func (d document) state(what What, interval time.Duration) State {
	s := State{First: d.Next}
	if !d.What.equal(what) {
		return s
	}
	now := time.Now()
	if ago := now.Sub(d.Started); ago >= 0 && ago < interval {
		s.Last = now.Add(-ago) // with a monotonic reading
	}
	for _, t := range d.Turns {
		if ago := now.Sub(t.Start); ago >= 0 && ago < 2*interval {
			s.Turns = append(s.Turns, t)
		}
	}
	return s
}

// write puts d in the place of the file at path, whole or not at all. Turns that make it too long are
// left out: what is due is kept all the same.
func (d document) write(path string) error {
	content, err := json.Marshal(d)
	if len(content) > maxFile {
		d.Turns = nil
		content, err = json.Marshal(d)
	}
	if err != nil {
		return err
	}
	return statefile.Write(path, content)
}
