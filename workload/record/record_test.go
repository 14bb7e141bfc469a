package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 678_000, time.UTC)

var source = Source{Version: "v1", Target: "http://node.test", Simulated: true, Suite: Suite{"short-1", "abc"}}

func result(n int) workload.Result {
	return workload.Result{
		Model: "m", Prompt: "p", Kind: "chat", Start: start.Add(time.Duration(n) * time.Second), Outcome: workload.OutcomeOK,
		Timed: true, TTFT: 123456789, E2E: time.Second, Decode: 876543211, TokenEvents: 3, OutputTokens: 3,
		Gaps: []time.Duration{400 * time.Millisecond, 476543211}, Server: &workload.ServerStats{GenerationTPS: 2.5},
	}
}

func turn(results ...workload.Result) workload.Turn {
	return workload.Turn{
		Cycle: 7, Model: "m", Start: start, Duration: time.Minute, Outcome: workload.TurnPartial, Reason: "because",
		Memory: workload.Memory{Samples: 3, Median: 5, Peak: 6, PeakSource: "samples"}, Results: results,
	}
}

// What is kept of a cycle, what `once -json` prints of it, and the results themselves are one form.
func TestReportAndRecordsAreOneForm(t *testing.T) {
	report := Report{
		Schema: Schema, Source: source, Dialect: workload.DialectExo1, Endpoint: workload.EndpointBench,
		Cycle: workload.Cycle{Number: 7, Start: start, Outcome: workload.TurnPartial, Turns: []workload.Turn{turn(result(1), result(2))}},
	}
	b, err := json.MarshalIndent(report, "", "  ")
	noError(t, err)
	read, err := ReadReport(bytes.NewReader(b))
	if err != nil || !reflect.DeepEqual(read, report) {
		t.Fatalf("got %+v, %v, want %+v", read, err, report)
	}
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	for _, r := range read.Records() {
		noError(t, enc.Encode(r))
	}
	if strings.Contains(lines.String(), `"results"`) {
		t.Errorf("a turn repeats its results:\n%s", lines.String())
	}
	var got []Record
	broken, err := EachOf(&lines, func(r Record) error {
		got = append(got, r)
		return nil
	})
	if err != nil || broken != 0 || !reflect.DeepEqual(got, report.Records()) {
		t.Fatalf("got %+v, %d broken, %v, want %+v", got, broken, err, report.Records())
	}
	if len(got) != 3 || !reflect.DeepEqual(*got[1].Result, result(2)) || got[2].Turn.Reason != "because" || got[2].Turn.Cycle != 7 {
		t.Errorf("records %+v", got)
	}
	if ids := []string{
		ResultID(result(1)), ResultID(result(2)), TurnID(turn()),
	}; got[0].ID != ids[0] || got[1].ID != ids[1] || got[2].ID != ids[2] ||
		len(slices.Compact(slices.Sorted(slices.Values(ids)))) != 3 {
		t.Errorf("ids %v", ids)
	}
	if !got[1].Time().Equal(result(2).Start) || !got[2].Time().Equal(start) {
		t.Errorf("times %s, %s", got[1].Time(), got[2].Time())
	}
}

// Every field of a record is described.
func TestFieldsAreDescribed(t *testing.T) {
	doc, err := os.ReadFile("../../docs/results.md")
	noError(t, err)
	for _, typ := range []reflect.Type{reflect.TypeFor[Record](), reflect.TypeFor[Report]()} {
		for _, f := range reflect.VisibleFields(typ) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name != "" && !strings.Contains(string(doc), "`"+name+"`") {
				t.Errorf("docs/results.md does not describe %s", name)
			}
		}
	}
}

// The form of schema 1 is read for good.
func TestCommittedRecords(t *testing.T) {
	var got []string
	broken, err := Each(filepath.Join("testdata", "schema-1.jsonl"), func(r Record) error {
		switch {
		case r.Result != nil:
			got = append(got, string(r.Result.Outcome))
			if rate, ok := r.Result.DecodeRate(); r.Result.OK() && (!ok || rate < 1 || len(r.Result.Gaps) == 0 || r.Result.Epoch.SHA256 == "") {
				t.Errorf("a good result without figures: %+v", r.Result)
			}
		case r.Turn != nil:
			got = append(got, "turn "+string(r.Turn.Outcome))
		}
		return nil
	})
	want := []string{"ok", "http_error", "turn partial"}
	if err != nil || broken != 0 || !slices.Equal(got, want) {
		t.Errorf("got %v, %d broken, %v, want %v", got, broken, err, want)
	}
}

func TestReading(t *testing.T) {
	good, err := json.Marshal(source.ofResult(1, result(1)))
	noError(t, err)
	line := string(good) + "\n"
	for name, tt := range map[string]struct {
		lines        string
		kept, broken int
		err          string
	}{
		"nothing":               {"", 0, 0, ""},
		"no newline at the end": {line + string(good), 2, 0, ""},
		"broken off":            {line + line[:100] + "\n" + line, 2, 1, ""},
		"not ours":              {`{"a":1}` + "\n\n" + `[]` + "\n" + line, 1, 2, ""},
		"both":                  {strings.Replace(line, `"result":`, `"turn":{},"result":`, 1), 0, 1, ""},
		"too long":              {strings.Repeat("x", maxLine+100_000) + "\n" + line, 1, 1, ""},
		"a field more":          {strings.Replace(line, `{"schema"`, `{"new":[1],"schema"`, 1), 1, 0, ""},
		"newer":                 {line + strings.Replace(line, `"schema":1`, `"schema":2`, 1) + line, 1, 0, "newer exporter"},
	} {
		kept := 0
		broken, err := EachOf(strings.NewReader(tt.lines), func(Record) error { kept++; return nil })
		if kept != tt.kept || broken != tt.broken || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %d kept, %d broken, %v", name, kept, broken, err)
		}
	}
	enough := errors.New("enough")
	if _, err := EachOf(strings.NewReader(line), func(Record) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("the reader's own error: %v", err)
	}
	if _, err := Each(filepath.Join(t.TempDir(), "none"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	for doc, want := range map[string]string{"x": "once -json", "{}": "no schema", `{"schema":2}`: "newer exporter"} {
		if _, err := ReadReport(strings.NewReader(doc)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("report %s: %v", doc, err)
		}
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
