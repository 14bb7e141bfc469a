package record

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strconv"
	"time"

	"exo-bench-exporter/workload"
)

// Schema is the version of the form of Record and Report. It is raised when a reader of the old
// form would misunderstand the new one; fields may be added without.
const Schema = 1

// Source says who measured, what and by which program.
type Source struct {
	Version   string `json:"version"` // of the exporter
	Target    string `json:"target"`  // base URL of the node, without secrets
	Simulated bool   `json:"simulated"`
	Suite     Suite  `json:"workload"`
}

// Suite names a suite and the hash of what is in it.
type Suite struct {
	Version string `json:"version"`
	SHA256  string `json:"sha256"`
}

// Record is one Result or one Turn.
type Record struct {
	Schema int    `json:"schema"`
	ID     string `json:"id"`    // see ResultID and TurnID
	Cycle  int    `json:"cycle"` // number of the cycle
	Source
	// One of the two is set. A turn has no results here: they are records of their own.
	Result *workload.Result `json:"result,omitempty"`
	Turn   *workload.Turn   `json:"turn,omitempty"`
}

// Time returns when what the record tells of began.
func (r Record) Time() time.Time {
	if r.Result != nil {
		return r.Result.Start
	}
	return r.Turn.Start
}

// ResultID returns the id of the record of a result: the same wherever it is computed.
func ResultID(r workload.Result) string { return id(r.Start, r.Model, r.Prompt) }

// TurnID returns the id of the record of a turn.
func TurnID(t workload.Turn) string { return id(t.Start, t.Model, "") }

// id is the start in microseconds and a hash of what began then, in digits and letters.
func id(start time.Time, model, prompt string) string {
	h := fnv.New32a()
	_, _ = fmt.Fprintf(h, "%s\x00%s", model, prompt)
	return strconv.FormatInt(start.UnixMicro(), 36) + "-" + strconv.FormatUint(uint64(h.Sum32()), 36)
}

// ofResult returns the record of r.
func (s Source) ofResult(cycle int, r workload.Result) Record {
	return Record{Schema: Schema, ID: ResultID(r), Cycle: cycle, Source: s, Result: &r}
}

// ofTurn returns the record of t.
func (s Source) ofTurn(t workload.Turn) Record {
	t.Results = nil
	return Record{Schema: Schema, ID: TurnID(t), Cycle: t.Cycle, Source: s, Turn: &t}
}

// Report is the document that `once -json` prints.
type Report struct {
	Schema int `json:"schema"`
	Source
	Dialect  workload.Dialect  `json:"dialect"`
	Endpoint workload.Endpoint `json:"endpoint"`
	Cycle    workload.Cycle    `json:"cycle"`
}

// Records returns the cycle of r as it would have been kept: each turn after its results.
func (r Report) Records() []Record {
	var all []Record
	for _, t := range r.Cycle.Turns {
		for _, res := range t.Results {
			all = append(all, r.ofResult(r.Cycle.Number, res))
		}
		all = append(all, r.ofTurn(t))
	}
	return all
}

// Turns returns the turns of r with their results.
func (r Report) Turns() []Record {
	var all []Record
	for _, t := range r.Cycle.Turns {
		t.Cycle = r.Cycle.Number
		all = append(all, Record{Schema: r.Schema, ID: TurnID(t), Cycle: t.Cycle, Source: r.Source, Turn: &t})
	}
	return all
}

// decode reads one line. Of fields that it does not know it takes no notice.
func decode(line []byte) (Record, error) {
	var r Record
	if err := json.Unmarshal(line, &r); err != nil {
		return Record{}, err
	}
	switch {
	case r.Schema > Schema:
		return Record{}, &NewerError{r.Schema}
	case r.Schema < 1 || r.ID == "" || (r.Result == nil) == (r.Turn == nil):
		return Record{}, fmt.Errorf("not a record")
	}
	if r.Turn != nil {
		r.Turn.Cycle = r.Cycle
	}
	return r, nil
}

// NewerError says that something was written in a form that this program does not know.
type NewerError struct{ Schema int }

func (e *NewerError) Error() string {
	return fmt.Sprintf("this was written by a newer exporter: its schema is %d, and this one knows %d", e.Schema, Schema)
}
