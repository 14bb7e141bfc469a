package main

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/instance"
	"exo-bench-exporter/workload/record"
)

// onMatch cancels as soon as what is written holds a text.
type onMatch struct {
	buffer
	text   string
	cancel func()
}

func (o *onMatch) Write(p []byte) (int, error) {
	n, err := o.buffer.Write(p)
	if strings.Contains(o.String(), o.text) {
		o.cancel()
	}
	return n, err
}

// Told to stop, once prints what it has measured until then.
func TestOnceStopped(t *testing.T) {
	for _, args := range [][]string{{"once", "-demo"}, {"once", "-demo", "-json"}} {
		ctx, cancel := context.WithCancel(t.Context())
		stderr := &onMatch{text: "1/2 one: ok", cancel: cancel}
		var stdout buffer
		e := env(t, "SUITE", writeSuite(t), "MODELS", "llama-3.2-1b,llama-3.1-8b")
		if got := run(ctx, args, e, &stdout, stderr); got != exitStopped {
			t.Errorf("exit status %d, want %d; %s", got, exitStopped, stderr)
		}
		if len(args) == 3 {
			r, err := record.ReadReport(strings.NewReader(stdout.String()))
			if err != nil || len(r.Cycle.Turns) != 1 || r.Cycle.Outcome != workload.TurnCanceled || len(r.Cycle.Turns[0].Results) != 1 {
				t.Errorf("report %+v, %v", r, err)
			}
			continue
		}
		// Its figures are there unless the machine was too busy for them to be the model's.
		line := regexp.MustCompile(`(?m)^llama-3\.2-1b +canceled +(-|[0-9.]+ ms) .* 1 of 2 ok$`)
		if out := stdout.String(); !line.MatchString(out) || !strings.Contains(out, "llama-3.1-8b  not run") ||
			!strings.Contains(out, "cycle canceled") {
			t.Errorf("table:\n%s", out)
		}
	}
}

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
