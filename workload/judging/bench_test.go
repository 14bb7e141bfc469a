package judging

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

// wide returns a turn of ten prompts, of which the server says itself how fast it took them in.
func wide(model string, cycle int) workload.Turn {
	t := turnOf(model, cycle, 50)
	one := t.Results[0]
	t.Results = nil
	for i := range 10 {
		r := one
		r.Prompt, r.Start = fmt.Sprint("prompt-", i), t.Start.Add(time.Duration(i)*time.Second)
		r.Server = &workload.ServerStats{PromptTPS: 600 + float64((cycle*7+i)%5)}
		t.Results = append(t.Results, r)
	}
	return t
}

// BenchmarkTurn is what a turn costs beside its measurement, once a month is known: judging it, and its
// share of writing the file at the end of a cycle of five models.
func BenchmarkTurn(b *testing.B) {
	c := NewClerk(Options{Path: filepath.Join(b.TempDir(), File), What: func() What { return ours }})
	w := writer{clerk: c}
	var turns [5][]workload.Turn // by model; what they show comes round after some cycles
	for i := range turns {
		for cycle := range 20 {
			turns[i] = append(turns[i], wide(string(rune('a'+i)), cycle))
		}
	}
	known := 0
	next := func() {
		cycle, model := known/len(turns), known%len(turns)
		t := turns[model][cycle%len(turns[model])]
		t.Cycle, t.Start = cycle, monday.Add(time.Duration(cycle)*15*time.Minute)
		c.TurnDone(t)
		c.drain(b.Context())
		known++
	}
	for known < len(turns)*3000 {
		next()
	}
	b.ReportAllocs()
	for b.Loop() {
		next()
		if known%len(turns) == 0 {
			c.CycleDone(workload.Cycle{})
			c.drain(b.Context())
			w.write()
		}
	}
	b.ReportMetric(float64(w.content.Len()), "state-bytes")
}
