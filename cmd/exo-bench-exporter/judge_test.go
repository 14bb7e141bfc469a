package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/judging"
	"exo-bench-exporter/workload/record"
)

const judgedCycles = 130

// judgedTurn is a turn of a model that loses a tenth of its speed ten cycles before the end, one each quarter
// of an hour.
func judgedTurn(cycle int) workload.Turn {
	start := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC).Add(time.Duration(cycle) * 15 * time.Minute)
	rate := 50 * (1 + 0.002*float64(cycle*7%5-2))
	if cycle >= judgedCycles-10 {
		rate *= 0.9
	}
	return workload.Turn{
		Cycle: cycle, Model: "m", Start: start, Outcome: workload.TurnOK,
		Results: []workload.Result{{
			Model: "m", Prompt: "p", Start: start, Outcome: workload.OutcomeOK, Timed: true, TTFT: time.Second,
			Decode: time.Duration(100 / rate * float64(time.Second)), OutputTokens: 101, AskedTokens: 101, Epoch: workload.Epoch{Engine: "exo"},
		}},
	}
}

func TestJudgeReplaysRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	enc := json.NewEncoder(f)
	for c := range judgedCycles {
		report := record.Report{
			Schema: record.Schema, Source: record.Source{Target: "http://node.test", Simulated: true},
			Cycle: workload.Cycle{Number: c, Turns: []workload.Turn{judgedTurn(c)}},
		}
		for _, r := range report.Records() {
			if err := enc.Encode(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		args []string
		env  map[string]string
	}{
		"a file": {[]string{"judge", path}, env(t)}, "that of the configuration": {[]string{"judge"}, env(t, "RESULTS", path)},
	} {
		var out, errs buffer
		if got := run(t.Context(), tt.args, tt.env, &out, &errs); got != exitFailed || errs.String() != "" {
			t.Errorf("%s: status %d, %s", name, got, errs.String())
		}
		for _, want := range []string{
			"http://node.test (SIMULATED), m: drop: 10.", "% slower since 06:00 UTC (", "evidence ",
			"; against 50.0 tokens/s, where a cycle scatters by ",
			"http://node.test (SIMULATED): 130 turns from 2026-01-05 00:00 UTC to 2026-01-06 08:15 UTC; at the end:\n",
		} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: it does not say %q:\n%s", name, want, out.String())
			}
		}
	}
	for want, args := range map[string][]string{"no records are kept at": {path + ".none"}, "a directory": {t.TempDir()}} {
		var out, errs buffer
		if got := run(t.Context(), append([]string{"judge"}, args...), env(t), &out, &errs); got != exitUsage ||
			!strings.Contains(errs.String(), want) {
			t.Errorf("%v: status %d, %s", args, got, errs.String())
		}
	}
}

// keptSpeeds writes what an exporter with this state directory has learnt, and runs on until stop.
func keptSpeeds(t *testing.T, dir string) (stop func()) {
	c := judging.NewClerk(judging.Options{
		Path: filepath.Join(dir, judging.File), What: func() judging.What { return judging.What{Models: []string{"m"}} },
	})
	c.Load()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { c.Run(ctx) })
	for i := range judgedCycles {
		c.TurnDone(judgedTurn(i))
	}
	return func() {
		cancel()
		wg.Wait()
	}
}

func TestAccept(t *testing.T) {
	dir := t.TempDir()
	accept := func(address string, args ...string) (int, string) {
		var out, errs buffer
		e := env(t, "STATE_DIR", dir, "LISTEN_ADDRESS", address)
		return run(t.Context(), append([]string{"accept"}, args...), e, &out, &errs), out.String() + errs.String()
	}
	expect := func(status int, said string, address string, args ...string) {
		t.Helper()
		if got, text := accept(address, args...); got != status || !strings.Contains(text, said) {
			t.Errorf("accept %v: status %d, %s, want %d, %s", args, got, text, status, said)
		}
	}
	expect(exitUsage, "want -model", "localhost:1")
	expect(exitFailed, "nothing is known", "localhost:1", "-model", "m")

	stop := keptSpeeds(t, dir)
	for { // until the exporter has its lock
		if _, text := accept("localhost:1", "-model", "x"); strings.Contains(text, "does not answer") {
			break
		}
	}
	answer := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/-/accept" || r.URL.Query().Get("model") != "m&n" {
			t.Errorf("asked with %s %s", r.Method, r.URL)
		}
		w.WriteHeader(answer)
		if answer == http.StatusOK {
			fmt.Fprintln(w, "The present speed is the normal one from now on; of the answers nothing is known.")
			return
		}
		fmt.Fprintln(w, "Accepting a speed by HTTP is off.")
	}))
	address := strings.TrimPrefix(server.URL, "http://")
	expect(exitOK, "m&n: The present speed is the normal one from now on; of the answers", address, "-model", "m&n")
	answer = http.StatusForbidden
	expect(exitFailed, "is off", address, "-model", "m&n")
	answer = http.StatusUnauthorized
	expect(exitFailed, "curl -u USER", address, "-model", "m&n")
	server.Close()
	stop()

	expect(exitFailed, "nothing is known", "localhost:1", "-model", "x")
	expect(exitOK, "m: The present speed is the normal one from now on; of the answers nothing is known.", "localhost:1", "-model", "m")
}
