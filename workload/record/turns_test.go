package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

// at returns a turn of two results that began so many minutes after the start.
func at(minutes int) workload.Turn {
	t := turn(result(60*minutes+1), result(60*minutes+2))
	t.Cycle, t.Start = minutes, start.Add(time.Duration(minutes)*time.Minute)
	return t
}

func lines(t *testing.T, records ...Record) string {
	t.Helper()
	var b strings.Builder
	for _, r := range records {
		line, err := json.Marshal(r)
		noError(t, err)
		b.Write(append(line, '\n'))
	}
	return b.String()
}

func TestTurnsAreWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.jsonl")
	old, cut, newer := at(0), at(1), at(2)
	write := func(name string, records ...Record) {
		noError(t, os.WriteFile(name, []byte(lines(t, records...)), 0o600))
	}
	all := func(turn workload.Turn) []Record {
		return Report{Schema: Schema, Source: source, Cycle: workload.Cycle{Number: turn.Cycle, Turns: []workload.Turn{turn}}}.Records()
	}
	write(path+".1", append(all(old), source.ofResult(1, cut.Results[0]))...) // and then the exporter was killed
	write(path, append([]Record{source.ofResult(1, cut.Results[1])}, all(newer)...)...)
	read := func(most int64) string {
		var got []string
		broken, err := EachTurn(path, most, func(r Record) error {
			got = append(got, fmt.Sprint(r.Turn.Cycle, " ", len(r.Turn.Results), " ", r.Turn.Results[0].Start.Equal(r.Turn.Start.Add(time.Second))))
			return nil
		})
		if noError(t, err); broken > 0 {
			t.Errorf("%d lines are broken", broken)
		}
		return strings.Join(got, ", ")
	}
	if got, want := read(math.MaxInt64), "0 2 true, 2 2 true"; got != want {
		t.Errorf("turns (cycle, results, its own) %s, want %s", got, want)
	}
	if got, want := read(100), "2 2 true"; got != want {
		t.Errorf("of the newest file %s, want %s", got, want)
	}
	enough := errors.New("enough")
	if _, err := EachTurn(path, math.MaxInt64, func(Record) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("the reader's own error: %v", err)
	}
	if _, err := EachTurn(path+".none", math.MaxInt64, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
