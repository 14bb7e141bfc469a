package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"exo-bench-exporter/app"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/instance"
	"exo-bench-exporter/workload/record"
)

func onceCommand() command {
	return command{
		name: "once", args: " [-demo] [-json]", summary: "run one cycle and print the models side by side",
		help: `Runs one cycle and prints a table of the models on standard output, with progress on standard
error. Exits 0 when every model's turn is ok, 1 otherwise. Ctrl-C prints what was measured until then,
gives back what was loaded, and exits 130.`,
		flags: func(fs *flag.FlagSet) func(context.Context, invocation) int {
			demo := demoFlag(fs)
			asJSON := fs.Bool("json", false, "print the full result as one JSON document instead of the table")
			return func(ctx context.Context, inv invocation) int { return once(ctx, inv, *demo, *asJSON) }
		},
	}
}

func once(ctx context.Context, inv invocation, demo, asJSON bool) int {
	ctx, stop := inv.untilHangup(ctx)
	defer stop()
	words := newBackground(inv.stderr)
	defer words.Close()
	inv.stderr = words
	shown := &progress{w: inv.stderr}
	p, err := open(quiet(inv, "warn"), demo, app.Seams{Observers: []workload.Observer{shown}, Loading: shown.loading})
	if err != nil {
		return fail(inv.stderr, err)
	}
	defer p.Close()
	b, ok := p.(*app.Bench)
	if !ok {
		return fail(inv.stderr, errors.New("once measures, and EXOBENCH_MODE=memory does not: "+
			"run it where the driver runs, or unset EXOBENCH_MODE"))
	}
	shown.prompts = len(b.Rig().Suite.Prompts)
	c := b.Once(ctx)
	if err := printReport(inv.stdout, b.Report(c), b, asJSON); err != nil {
		fmt.Fprintln(inv.stderr, "exo-bench-exporter: cannot print the result:", err)
		return exitFailed
	}
	switch c.Outcome {
	case workload.TurnOK:
		return exitOK
	case workload.TurnCanceled:
		return exitStopped
	}
	return exitFailed
}

func printReport(w io.Writer, r record.Report, b *app.Bench, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	if r.Simulated {
		fmt.Fprint(w, "SIMULATED: these figures come from the simulator, not from a real exo.\n\n")
	}
	if err := writeTable(w, r.Cycle, b.Rig().Config.Models, len(b.Rig().Suite.Prompts)); err != nil {
		return err
	}
	return writeSpeeds(w, b.Speeds(), time.Now())
}

// progress tells a person how a cycle goes on.
type progress struct {
	w       io.Writer
	prompts int
	models  int
	turn    int
	done    int
	model   string
}

func (p *progress) CycleStarted(_ int, order []workload.Model, _ time.Time) { p.models = len(order) }

func (p *progress) TurnStarted(model string, _ time.Time) {
	p.turn++
	p.model, p.done = model, 0
	p.printf("getting ready")
}

func (p *progress) RequestDone(r workload.Result) {
	p.done++
	p.printf("%d/%d %s: %s", p.done, p.prompts, r.Prompt, r.Outcome)
}

func (p *progress) TurnDone(t workload.Turn) {
	p.printf("turn %s after %s", t.Outcome, t.Duration.Round(100*time.Millisecond))
}

func (p *progress) CycleDone(workload.Cycle) {}

// loading tells how a load goes on.
func (p *progress) loading(l instance.Progress) {
	fmt.Fprintf(p.w, "      %s for %s %s\n", l.Stage, l.Elapsed.Round(time.Second), app.LoadAmount(l))
}

func (p *progress) printf(format string, args ...any) {
	fmt.Fprintf(p.w, "[%d/%d] %s: %s\n", p.turn, p.models, p.model, fmt.Sprintf(format, args...))
}
