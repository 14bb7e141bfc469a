package drill

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"exo-bench-exporter/e2e/internal/stack"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/record"
)

// What the exporter remembers: so many cycles of a day and two hours ago, and so many until now. They scatter by
// scatter, so that cycles that others on this machine slow down by a tenth are no slow ones.
const (
	longAgo, lately = 30, 60
	age             = 26 * time.Hour
	scatter         = 0.025
	measured        = 3 // cycles that are really measured
)

// remember writes the records from which the exporter makes what it knows of the models' speed.
func (d *drill) remember(t *testing.T) {
	t.Helper()
	var reports []record.Report
	for range measured {
		out, status := stack.Run(t, d.settings(t), stack.Exporter, "once", "-json")
		var r record.Report
		if err := json.Unmarshal(out, &r); err != nil || status != 0 {
			t.Fatalf("once: status %d, %v: %s", status, err, out)
		}
		reports = append(reports, r)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	now := time.Now()
	for i := range longAgo + lately {
		begin := now.Add(time.Duration(i-longAgo-lately) * cycle)
		if i < longAgo {
			begin = begin.Add(-age)
		}
		for _, r := range again(reports[i%len(reports)], i, begin, rng).Records() {
			if err := enc.Encode(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(d.records, lines.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// again returns a report's cycle as if it had been measured once more, from begin on.
func again(r record.Report, number int, begin time.Time, rng *rand.Rand) record.Report {
	r.Cycle.Number = number
	turns := r.Cycle.Turns
	r.Cycle.Turns = nil
	for i, turn := range turns {
		turn.Cycle, turn.Start = number, begin.Add(time.Duration(i)*cycle/time.Duration(len(turns)))
		slower := math.Exp(scatter * rng.NormFloat64())
		results := turn.Results
		turn.Results = nil
		for j, result := range results {
			result.Start = turn.Start.Add(time.Duration(j) * 100 * time.Millisecond)
			turn.Results = append(turn.Results, scaled(result, slower))
		}
		r.Cycle.Turns = append(r.Cycle.Turns, turn)
	}
	return r
}

// scaled returns r as it would be if all had taken so many times as long.
func scaled(r workload.Result, slower float64) workload.Result {
	for _, d := range []*time.Duration{&r.TTFT, &r.Decode, &r.E2E} {
		*d = time.Duration(slower * float64(*d))
	}
	if r.Server != nil {
		s := *r.Server
		s.PromptTPS /= slower
		s.GenerationTPS /= slower
		r.Server = &s
	}
	return r
}
