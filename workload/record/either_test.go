package record

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"exo-bench-exporter/workload"
)

// Turns are read alike from records and from documents of once -json, one or several, on one line or many.
func TestEachTurnIn(t *testing.T) {
	report := func(cycle int) Report {
		one := turn(result(100*cycle), result(100*cycle+1))
		one.Cycle = cycle
		return Report{Schema: Schema, Source: source, Cycle: workload.Cycle{Number: cycle, Start: one.Start, Turns: []workload.Turn{one}}}
	}
	var lines, documents, compact bytes.Buffer
	for cycle := range 3 {
		r := report(cycle)
		for _, record := range r.Records() {
			noError(t, json.NewEncoder(&lines).Encode(record))
		}
		enc := json.NewEncoder(&documents)
		enc.SetIndent("", "  ")
		noError(t, enc.Encode(r))
		noError(t, json.NewEncoder(&compact).Encode(r))
	}
	read := func(content []byte) (all []Record, broken int, err error) {
		path := filepath.Join(t.TempDir(), "f")
		noError(t, os.WriteFile(path, content, 0o600))
		broken, err = EachTurnIn(path, func(r Record) error { all = append(all, r); return nil })
		return all, broken, err
	}
	want, _, err := read(lines.Bytes())
	if err != nil || len(want) != 3 || len(want[2].Turn.Results) != 2 || want[2].Cycle != 2 || want[2].Turn.Cycle != 2 {
		t.Fatalf("%v: %+v", err, want)
	}
	for name, content := range map[string][]byte{
		"documents": documents.Bytes(), "on a line each": compact.Bytes(), "after empty lines": append([]byte("\n \n"), documents.Bytes()...),
	} {
		got, broken, err := read(content)
		if err != nil || broken != 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %d broken\n%+v, want\n%+v", name, err, broken, got, want)
		}
	}

	for name, c := range map[string]struct{ content, err string }{
		"document broken off": {documents.String()[:documents.Len()-20], "once -json"},
		"newer document":      {strings.Replace(documents.String(), `"schema": 1`, `"schema": 99`, 1), "newer exporter"},
		"newer records":       {strings.Replace(lines.String(), `"schema":1`, `"schema":99`, 1), "newer exporter"},
	} {
		if _, _, err := read([]byte(c.content)); err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if got, broken, err := read([]byte("what is this\n" + lines.String())); err != nil || broken != 1 || len(got) != 3 {
		t.Errorf("a line that is no record: %v, %d broken, %d turns", err, broken, len(got))
	}
	if _, err := EachTurnIn(filepath.Join(t.TempDir(), "none"), nil); !os.IsNotExist(err) && !strings.Contains(err.Error(), "no records") {
		t.Errorf("no file: %v", err)
	}
}
