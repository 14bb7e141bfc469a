package record

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

// A turn is there once, whole, however often and in whatever order the files that have it are named.
func TestTurnsOnce(t *testing.T) {
	dir := t.TempDir()
	name := func(f string) string { return filepath.Join(dir, f) }
	write := func(file, content string) { noError(t, os.WriteFile(name(file), []byte(content), 0o600)) }
	document := func(turns ...workload.Turn) Report {
		return Report{Schema: Schema, Source: source, Cycle: workload.Cycle{Number: turns[0].Cycle, Turns: turns}}
	}
	split := document(at(1)).Records() // its first result is in the file before
	write("log", "broken\n"+lines(t, append(split[1:], document(at(2)).Records()...)...))
	write("log.1", lines(t, append(document(at(0)).Records(), split[0])...))
	write("copy", lines(t, document(at(2)).Records()...))
	printed, err := json.MarshalIndent(document(at(1)), "", " ")
	noError(t, err)
	write("printed", string(printed))
	write("printed.1", lines(t, document(at(3)).Records()...))

	for _, c := range []struct {
		files    []string
		from, to int // minutes; 0 is open
		want     string
		broken   int
	}{
		{files: []string{"log"}, want: "0 2, 1 2, 2 2", broken: 1},
		{files: []string{"log", "log"}, want: "0 2, 1 2, 2 2", broken: 1},
		{files: []string{"log.1", "log"}, want: "0 2, 1 2, 2 2", broken: 1},
		{files: []string{"log", "./log.1", "copy"}, want: "0 2, 1 2, 2 2", broken: 1},
		{files: []string{"log.1", "printed"}, want: "0 2, 1 2"},
		{files: []string{"printed", "printed.1"}, want: "1 2, 3 2"},
		{files: []string{"log"}, from: 1, to: 2, want: "1 2", broken: 1},
	} {
		var files []string
		for _, f := range c.files {
			files = append(files, dir+"/"+f)
		}
		minute := func(n int) (at time.Time) {
			if n > 0 {
				at = start.Add(time.Duration(n) * time.Minute)
			}
			return at
		}
		all, broken, err := Turns(files, minute(c.from), minute(c.to))
		noError(t, err)
		var got []string
		for _, r := range all {
			got = append(got, fmt.Sprint(r.Turn.Cycle, " ", len(r.Turn.Results)))
		}
		if strings.Join(got, ", ") != c.want || broken != c.broken {
			t.Errorf("%v: turns (cycle, results) %s, %d broken; want %s, %d", c.files, strings.Join(got, ", "), broken, c.want, c.broken)
		}
	}
	// A turn of which one file has a part only is as whole as the other one has it.
	write("part", lines(t, split[1:]...))
	for _, files := range [][]string{{name("part"), name("log")}, {name("log"), name("part")}} {
		all, _, err := Turns(files, start.Add(time.Minute), start.Add(2*time.Minute))
		if noError(t, err); len(all) != 1 || len(all[0].Turn.Results) != 2 {
			t.Errorf("%v: %+v", files, all)
		}
	}
	if _, _, err := Turns([]string{name("none")}, time.Time{}, time.Time{}); err == nil || !strings.HasPrefix(err.Error(), name("none")+": ") {
		t.Errorf("no file: %v", err)
	}
}
