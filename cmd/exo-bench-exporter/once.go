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
	"exo-bench-exporter/exporter"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/instance"
)

func onceCommand() command {
	return command{
		name: "once", args: " [-demo] [-json]", summary: "run one cycle and print the models side by side",
		help: `Runs one cycle and prints a table of the models on standard output, with progress on standard
error. Exits 0 when every model's turn is ok, 1 otherwise.`,
		flags: func(fs *flag.FlagSet) func(context.Context, invocation) int {
			demo := demoFlag(fs)
			asJSON := fs.Bool("json", false, "print the full result as one JSON document instead of the table")
			return func(ctx context.Context, inv invocation) int { return once(ctx, inv, *demo, *asJSON) }
		},
	}
}

// onceReport is the document that once -json prints.
type onceReport struct {
	Version   string            `json:"version"`
	Target    string            `json:"target"`
	Simulated bool              `json:"simulated"`
	Dialect   workload.Dialect  `json:"dialect"`
	Endpoint  workload.Endpoint `json:"endpoint"`
	Suite     suiteRef          `json:"workload"`
	Cycle     workload.Cycle    `json:"cycle"`
}

type suiteRef struct {
	Version string `json:"version"`
	SHA256  string `json:"sha256"`
}

func once(ctx context.Context, inv invocation, demo, asJSON bool) int {
	shown := &progress{w: inv.stderr}
	p, err := open(quiet(inv, "warn"), demo, app.Seams{Observers: []workload.Observer{shown}, Loading: shown.loading})
	if err != nil {
		return fail(inv.stderr, err)
	}
	defer p.Close()
	b, ok := p.(*app.Bench)
	if !ok {
		return fail(inv.stderr, errors.New("once measures, and EXOBENCH_MODE=memory does not: run it where the driver runs, or unset EXOBENCH_MODE"))
	}
	shown.prompts = len(b.Suite.Prompts)
	c := b.Once(ctx)
	report := onceReport{
		Version: exporter.Version(), Target: b.Config.ExoURL, Simulated: b.Simulated(),
		Dialect: b.Client.Dialect(), Endpoint: b.Client.Endpoint(),
		Suite: suiteRef{b.Suite.Version, b.Suite.SHA256()}, Cycle: c,
	}
	if err := report.print(inv.stdout, b.Config.Models, asJSON); err != nil {
		fmt.Fprintln(inv.stderr, "exo-bench-exporter: cannot print the result:", err)
		return exitFailed
	}
	if c.Outcome != workload.TurnOK {
		return exitFailed
	}
	return exitOK
}

func (r onceReport) print(w io.Writer, models []workload.Model, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	if r.Simulated {
		fmt.Fprint(w, "SIMULATED: these figures come from the simulator, not from a real exo.\n\n")
	}
	return writeTable(w, r.Cycle, models)
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
