package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/record"
)

// writeRecords keeps turns of two models, one of which has its speed multiplied, and returns the file.
func writeRecords(t *testing.T, name string, start time.Time, turns int, factor float64) string {
	t.Helper()
	epoch := workload.Epoch{SHA256: "5", Dialect: workload.DialectExo1, Endpoint: workload.EndpointBench}
	var cycles []workload.Cycle
	for i := range turns {
		c := workload.Cycle{Number: i, Start: start.Add(time.Duration(i) * 15 * time.Minute)}
		for _, m := range []string{"a", "b"} {
			speed := 50 * (1 + float64(i%5-2)/500) // some noise
			if m == "a" {
				speed *= factor
			}
			turn := workload.Turn{Cycle: i, Model: m, ExoModel: m, Start: c.Start, Outcome: workload.TurnOK}
			for _, p := range []string{"one", "two"} {
				turn.Results = append(turn.Results, workload.Result{
					Model: m, ExoModel: m, Prompt: p, Start: c.Start, Outcome: workload.OutcomeOK, Timed: true, TTFT: 100 * time.Millisecond,
					Decode: time.Duration(200 / speed * float64(time.Second)), OutputTokens: 201, TokenEvents: 201, AskedTokens: 300, Epoch: epoch,
				})
			}
			c.Turns = append(c.Turns, turn)
		}
		cycles = append(cycles, c)
	}
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, c := range cycles {
		r := record.Report{
			Schema: record.Schema, Cycle: c,
			Source: record.Source{Version: "1", Target: "http://localhost:52415", Suite: record.Suite{Version: "s", SHA256: "5"}},
		}
		if err := keep(f, r); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

var compareStart = time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)

func TestCompare(t *testing.T) {
	before := writeRecords(t, "before.json", compareStart, 10, 1)
	after := writeRecords(t, "after.json", compareStart.Add(24*time.Hour), 10, 0.9)
	call := func(args ...string) (int, string, string) {
		var stdout, stderr buffer
		status := run(t.Context(), append([]string{"compare"}, args...), nil, &stdout, &stderr)
		return status, stdout.String(), stderr.String()
	}
	has := func(name, text string, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("%s: %q is not in\n%s", name, part, text)
			}
		}
	}
	const slower = "slower by 10.0 % ± 0."
	status, out, _ := call(before, after)
	has("text", out, "Decode", "a       50.0 tok/s  45.0 tok/s  "+slower, "b       50.0 tok/s  50.0 tok/s  no change (+0.0 % ± 0.", "10, 10")
	if status != exitOK {
		t.Errorf("status %d", status)
	}
	_, out, _ = call("-format", "markdown", before, after)
	has(
		"markdown", out, "| Decode | before | after | change | turns |\n| --- | --- | --- | --- | --- |\n| a | 50.0 tok/s | 45.0 tok/s | "+slower,
	)

	_, out, _ = call("-format", "csv", before, after)
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) != 5 || rows[1][0] != "a" || rows[1][1] != "decode" || rows[1][8] != "lower" {
		t.Errorf("csv: %v\n%s", err, out)
	}
	_, out, _ = call("-format", "json", before, after)
	var doc struct{ Changes []changeJSON }
	if err := json.Unmarshal([]byte(out), &doc); err != nil || len(doc.Changes) != 4 || doc.Changes[0].Low == nil ||
		*doc.Changes[0].High > -0.09 {
		t.Errorf("json: %v\n%s", err, out)
	}

	// Several files a side, and one that is divided by a time.
	earlier := writeRecords(t, "earlier.json", compareStart.AddDate(0, 0, -1), 10, 1)
	_, out, _ = call(earlier, before, before, "--", after) // a turn counts once
	has("several", out, slower, "20, 10")
	both := filepath.Join(t.TempDir(), "both.jsonl")
	b, _ := os.ReadFile(before)
	a, _ := os.ReadFile(after)
	if err := os.WriteFile(both, append(b, a...), 0o600); err != nil {
		t.Fatal(err)
	}
	_, out, _ = call("-at", "2026-01-31T18:00:00Z", both)
	has("at", out, slower, "10, 10")

	// One file: the models against each other.
	_, out, _ = call(after)
	has("models", out, "against the one above", "b       50.0 tok/s", "a       45.0 tok/s  "+slower)
	for _, form := range []string{"markdown", "csv", "json"} {
		status, out, _ = call("-format", form, after)
		if status != exitOK || !strings.Contains(out, "decode") && !strings.Contains(out, "Decode") {
			t.Errorf("%s of models: %d\n%s", form, status, out)
		}
	}

	// For scripts.
	for fail, want := range map[string]int{"slower=3%": exitFailed, "decode=11": exitOK, "ttft=1%": exitOK} {
		status, _, words := call("-fail-on", fail, before, after)
		if status != want || (want == exitFailed) != strings.Contains(words, "a: decode is slower by 10.0 %") {
			t.Errorf("-fail-on %s: %d, %q", fail, status, words)
		}
	}
	// What is wrong is said, and is no comparison.
	simulated := filepath.Join(t.TempDir(), "sim.json")
	if err := os.WriteFile(simulated, []byte(strings.ReplaceAll(string(b), `"simulated":false`, `"simulated":true`)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args  []string
		words string
	}{
		"nothing":      {nil, "want two files"},
		"three":        {[]string{before, after, after}, "want two files"},
		"no after":     {[]string{before, "--"}, "want two files"},
		"no file":      {[]string{before, "none.json"}, "none.json"},
		"simulator":    {[]string{before, simulated}, "simulator"},
		"form":         {[]string{"-format", "xml", before, after}, "want text, markdown, csv or json"},
		"bound":        {[]string{"-fail-on", "speed=3%", before, after}, "want slower=3%"},
		"margin":       {[]string{"-margin", "0", before, after}, "want per cent"},
		"nothing left": {[]string{"-at", "2020-01-31T18:00:00Z", both}, "before: there is no turn"},
	} {
		status, out, words := call(c.args...)
		if status != exitUsage || !strings.Contains(words, c.words) || out != "" {
			t.Errorf("%s: status %d, %q, prints %q", name, status, words, out)
		}
	}
}

// What once -o keeps, compare reads.
func TestOnceKeepsResults(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "kept.json")
	e := env(t, "SUITE", writeSuite(t), "MODELS", "llama-3.2-1b,llama-3.1-8b")
	var stdout, stderr buffer
	if got := run(t.Context(), []string{"once", "-demo", "-repeat", "2", "-o", file}, e, &stdout, &stderr); got != exitOK {
		t.Fatalf("exit status %d; %s", got, stderr.String())
	}
	if out := stdout.String(); !strings.Contains(stderr.String(), "cycle 2 of 2") || !strings.Contains(out, "against the one above") {
		t.Errorf("%s\n%s", stderr.String(), out)
	}
	turns := map[string]int{}
	broken, err := record.EachTurnIn(file, func(r record.Record) error {
		if !r.Simulated || len(r.Turn.Results) != 2 {
			t.Errorf("%+v", r)
		}
		turns[r.Turn.Model]++
		return nil
	})
	if err != nil || broken != 0 || turns["llama-3.2-1b"] != 2 || turns["llama-3.1-8b"] != 2 {
		t.Errorf("%v, %d broken, %v", err, broken, turns)
	}
	// It is not written over, and nothing is measured for nothing.
	stderr = buffer{}
	if got := run(t.Context(), []string{"once", "-demo", "-o", file}, e, &stdout, &stderr); got != exitUsage ||
		!strings.Contains(stderr.String(), "such a file already") || strings.Contains(stderr.String(), "getting ready") {
		t.Errorf("exit status %d; %s", got, stderr.String())
	}
	for _, n := range []string{"0", "-1", "many"} {
		if got := run(t.Context(), []string{"once", "-repeat", n}, e, &stdout, &stderr); got != exitUsage {
			t.Errorf("-repeat %s: exit status %d", n, got)
		}
	}
}
