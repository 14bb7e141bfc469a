package main

import (
	"testing"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/instance"
)

// What a person sees of a cycle that goes on.
func TestProgress(t *testing.T) {
	var b buffer
	p := &progress{w: &b, prompts: 2}
	p.CycleStarted(0, make([]workload.Model, 3), time.Time{})
	p.TurnStarted("m", time.Time{})
	p.loading(instance.Progress{Model: "m", Stage: "downloading", Elapsed: 16*time.Second + 1, Done: 15e8, Total: 4e9, BytesPerSecond: 1e8})
	p.loading(instance.Progress{Model: "m", Stage: "loading", Elapsed: time.Minute, Done: 3, Total: 16})
	p.RequestDone(workload.Result{Prompt: "one", Outcome: workload.OutcomeOK})
	p.TurnDone(workload.Turn{Outcome: workload.TurnPartial, Duration: 1234 * time.Millisecond})
	const want = `[1/3] m: getting ready
      downloading for 16s 1.50 of 4.00 GB at 100.0 MB/s
      loading for 1m0s 3 of 16 layers
[1/3] m: 1/2 one: ok
[1/3] m: turn partial after 1.2s
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
