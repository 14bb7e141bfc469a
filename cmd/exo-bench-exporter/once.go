package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"exo-bench-exporter/app"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/compare"
	"exo-bench-exporter/workload/exo/instance"
	"exo-bench-exporter/workload/record"
)

func onceCommand() command {
	return command{
		name: "once", args: " [-demo] [-json] [-repeat N] [-o FILE]", summary: "run one cycle and print the models side by side",
		help: `Runs one cycle, or several, and prints a table of the models on standard output, with progress on standard
error. Exits 0 when every model's turn is ok, 1 otherwise. Ctrl-C prints what was measured until then,
gives back what was loaded, and exits 130. What -o keeps, compare, report and export read.`,
		flags: func(fs *flag.FlagSet) func(context.Context, invocation) int {
			demo := demoFlag(fs)
			var o repeating
			fs.BoolVar(&o.json, "json", false, "print the full result as one JSON document a cycle instead of the table")
			o.repeat = 1
			fs.Func("repeat", "run `N` cycles, one after the other (default 1)", o.setRepeat)
			fs.StringVar(&o.file, "o", "", "new `file` that keeps every result and turn, as EXOBENCH_RESULTS does")
			return func(ctx context.Context, inv invocation) int { return once(ctx, inv, *demo, o) }
		},
	}
}

// repeating says how often once runs a cycle and what becomes of it.
type repeating struct {
	json   bool
	repeat int
	file   string
}

func (o *repeating) setRepeat(v string) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		return errors.New("want a number of cycles, 1 or more")
	}
	o.repeat = n
	return nil
}

func once(ctx context.Context, inv invocation, demo bool, o repeating) int {
	ctx, stop := inv.untilHangup(ctx)
	defer stop()
	words := newBackground(inv.stderr)
	defer words.Close()
	line := newLiveLine(inv, words)
	inv.stderr = words
	if line != nil {
		defer line.stop()
		inv.stderr = line
	}
	shown := &progress{w: inv.stderr, cycles: o.repeat}
	followed := follow(shown, line)
	p, err := open(quiet(inv, "warn"), demo, app.Seams{Observers: []workload.Observer{followed}, Loading: followed.loading})
	if err != nil {
		return fail(inv.stderr, err)
	}
	defer p.Close()
	b, ok := p.(*app.Bench)
	if !ok {
		return fail(inv.stderr, errors.New("once measures, and EXOBENCH_MODE=memory does not: "+
			"run it where the driver runs, or unset EXOBENCH_MODE"))
	}
	kept, err := o.open()
	if err != nil {
		return fail(inv.stderr, err)
	}
	shown.prompts = len(b.Rig().Suite.Prompts)
	status := o.cycles(ctx, inv, b, kept)
	if err := kept.Close(); err != nil {
		fmt.Fprintln(inv.stderr, "exo-bench-exporter: not all is kept:", err)
		status = max(status, exitFailed)
	}
	return status
}

// open creates the file that results go to, before anything is measured for it: one that is there is somebody's.
func (o repeating) open() (io.WriteCloser, error) {
	if o.file == "" {
		return nothing{io.Discard}, nil
	}
	f, err := os.OpenFile(o.file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("-o %s: there is such a file already; name a new one: compare takes several", o.file)
	}
	return f, err
}

type nothing struct{ io.Writer }

func (nothing) Close() error { return nil }

// cycles runs them, and returns the exit status.
func (o repeating) cycles(ctx context.Context, inv invocation, b *app.Bench, kept io.Writer) int {
	status := exitOK
	var turns []record.Record
	b.Repeat(ctx, o.repeat, func(c workload.Cycle, last bool) {
		report := b.Report(c)
		turns = append(turns, report.Turns()...)
		switch c.Outcome {
		case workload.TurnOK:
		case workload.TurnCanceled:
			status = exitStopped
		default:
			status = max(status, exitFailed)
		}
		if err := keep(kept, report); err != nil {
			fmt.Fprintln(inv.stderr, "exo-bench-exporter: not all is kept:", err)
			status = max(status, exitFailed)
		}
		if !o.json && !last {
			return
		}
		if err := printReport(inv.stdout, report, b, o.json); err != nil {
			status = max(status, cannotPrint(inv, err))
		}
	})
	if o.repeat > 1 && !o.json {
		if err := printRanking(inv.stdout, turns); err != nil {
			status = max(status, cannotPrint(inv, err))
		}
	}
	return status
}

func cannotPrint(inv invocation, err error) int {
	fmt.Fprintln(inv.stderr, "exo-bench-exporter: cannot print the result:", err)
	return exitFailed
}

// keep writes the records of a cycle.
func keep(w io.Writer, r record.Report) error {
	enc := json.NewEncoder(w)
	for _, line := range r.Records() {
		if err := enc.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

// printRanking prints the order of the models over all cycles.
func printRanking(w io.Writer, turns []record.Record) error {
	turns = slices.DeleteFunc(turns, func(r record.Record) bool { return !r.Turn.Outcome.Good() })
	s, err := compare.NewSide("", turns)
	if err != nil {
		return nil //nolint:nilerr // there is nothing to put in order, as the table says
	}
	fmt.Fprintln(w)
	return grid(plainRows).models(w, s, compare.Models(s, compare.Margin))
}

func printReport(w io.Writer, r record.Report, b *app.Bench, asJSON bool) error {
	if asJSON {
		return indented(w, r)
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
	cycles  int // in all; the number is shown where there are several
	cycle   int
	prompts int
	models  int
	turn    int
	done    int
	model   string
}

func (p *progress) CycleStarted(_ int, order []workload.Model, _ time.Time) {
	p.cycle++
	p.turn, p.models = 0, len(order)
	if p.cycles > 1 {
		fmt.Fprintf(p.w, "cycle %d of %d\n", p.cycle, p.cycles)
	}
}

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
