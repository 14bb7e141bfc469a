package judging

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"exo-bench-exporter/workload/judge"
)

const (
	// schema is the version of the file's form. A file of another one is set aside.
	schema = 1
	// maxFile bounds the file, in bytes; five models with ten prompts make less than a megabyte.
	maxFile = 32 << 20
)

// Node names what a Judge knows: figures of different nodes never meet.
type Node struct {
	Target    string `json:"target"` // base URL
	Simulated bool   `json:"simulated"`
}

// What names what is measured now.
type What struct {
	Node
	SHA256 string   // of the suite
	Models []string // names
}

// sheet is all that is known of a node.
type sheet struct {
	node   Node
	judge  *judge.Judge
	suites map[string]string // by model: hash of the suite that its newest turn put
}

func newSheet(n Node) *sheet {
	return &sheet{node: n, judge: judge.New(judge.Options{}), suites: map[string]string{}}
}

// add takes a turn that put the suite with that hash.
func (s *sheet) add(t judge.Turn, sha256 string) {
	s.judge.Add(t)
	s.suites[t.Model] = sha256
}

// document is the file's form: head, and what the judge knows.
type document struct {
	head
	Judge json.RawMessage `json:"judge"`
}

type head struct {
	Schema int `json:"schema"`
	Node
	Suites map[string]string `json:"suites"`
}

// encode writes s as a document to w. What the judge knows is most of it, and goes there at once.
func (s *sheet) encode(w *bytes.Buffer) error {
	for model := range s.suites {
		if !s.judge.Knows(model) {
			delete(s.suites, model)
		}
	}
	begin, err := json.Marshal(head{schema, s.node, s.suites})
	if err != nil {
		return err
	}
	w.Write(bytes.TrimSuffix(begin, []byte("}")))
	w.WriteString(`,"judge":`)
	if err := s.judge.Encode(w); err != nil {
		return err
	}
	w.WriteString("}\n")
	return nil
}

// decode reads what encode wrote.
func decode(content []byte) (*sheet, error) {
	var d document
	if err := json.Unmarshal(content, &d); err != nil {
		return nil, err
	}
	if d.Schema != schema {
		return nil, fmt.Errorf("its schema is %d, and this exporter knows %d", d.Schema, schema)
	}
	s := newSheet(d.Node)
	var err error
	if s.judge, err = judge.Restore(d.Judge, judge.Options{}); err != nil {
		return nil, err
	}
	if d.Suites != nil {
		s.suites = d.Suites
	}
	return s, nil
}

// shown returns those of verdicts that are of what is measured now: of the node, if of any model.
func (s *sheet) shown(verdicts []judge.Verdict, now What) []judge.Verdict {
	if s.node != now.Node {
		return nil
	}
	of := func(model string) bool { return slices.Contains(now.Models, model) && s.suites[model] == now.SHA256 }
	if !slices.ContainsFunc(verdicts, func(v judge.Verdict) bool { return of(v.Model) }) {
		return nil
	}
	var shown []judge.Verdict
	for _, v := range verdicts {
		if v.Model == "" || of(v.Model) {
			shown = append(shown, v)
		}
	}
	return shown
}
