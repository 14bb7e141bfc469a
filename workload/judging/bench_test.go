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
	models := []string{"a", "b", "c", "d", "e"}
	turn := func(i int) {
		c.TurnDone(wide(models[i%len(models)], i/len(models)))
		if i%len(models) == len(models)-1 {
			c.CycleDone(workload.Cycle{})
			c.drain(b.Context())
			w.write()
		}
	}
	known := 0
	for ; known < 5*3000; known++ {
		c.TurnDone(wide(models[known%len(models)], known/len(models)))
		c.drain(b.Context())
	}
	b.ReportAllocs()
	for b.Loop() {
		turn(known)
		known++
	}
	content, err := c.sheet.encode()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(content)), "state-bytes")
}
