package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"exo-bench-exporter/app"
	"exo-bench-exporter/exporter"
	"exo-bench-exporter/exporter/cluster"
	"exo-bench-exporter/exporter/memory"
	"exo-bench-exporter/workload/compare"
	"exo-bench-exporter/workload/exo"
	"exo-bench-exporter/workload/exo/foreign"
)

// checkTimeout bounds the questions to the node.
const checkTimeout = 30 * time.Second

func checkCommand() command {
	return command{
		name: "check", args: " [-demo] [-json]", summary: "say whether everything is in place, and what to do where it is not",
		help: `Checks the configuration, whether the state directory can be written, whether the node answers and
which API it speaks, which of the models it can serve and under which id, and whether exo's
processes can be seen; with EXOBENCH_MODE=memory whether the driver answers and exo's processes can
be seen. Says what this machine tells of pressure and heat. Prints one line for each, first what is
wrong, with what to do about it and, where there is one, the command that mends it. Loads nothing
and changes nothing. Exits 0 when all is well, 1 when not.`,
		flags: func(fs *flag.FlagSet) func(context.Context, invocation) int {
			demo := demoFlag(fs)
			asJSON := fs.Bool("json", false, "print what was found as one JSON document")
			return func(ctx context.Context, inv invocation) int { return check(ctx, inv, *demo, *asJSON) }
		},
	}
}

func check(ctx context.Context, inv invocation, demo, asJSON bool) int {
	p, err := open(quiet(inv, "error"), demo, app.Seams{}) // the lines say it all
	if err != nil {
		return fail(inv.stderr, err)
	}
	defer p.Close()
	ctx, stop := inv.untilHangup(ctx)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	l := &checklist{}
	line := newLiveLine(inv, inv.stderr)
	if line != nil {
		line.show("asking", 0, 0)
	}
	switch p := p.(type) {
	case *app.Bench:
		rig := p.Rig()
		models, prompts := compare.Several(len(rig.Config.Models), "model"), compare.Several(len(rig.Suite.Prompts), "prompt")
		l.ok("configuration", fmt.Sprintf("%s, suite %s with %s, a cycle every %s",
			models, rig.Suite.Version, prompts, rig.Config.CycleInterval))
		l.state(rig.Config)
		report := rig.Client.Check(ctx, rig.Config.Models)
		l.node(report, p.Simulated())
		l.memory(rig.Sampler.Look())
		l.ok("machine", rig.Machine.Look(ctx))
	case *app.Agent:
		l.ok("configuration", "memory agent of "+p.Post().Config.DriverURL)
		l.driver(ctx, p)
		l.memory(p.Post().Sampler.Look())
		l.ok("machine", p.Post().Machine.Look(ctx))
	}
	if line != nil {
		line.stop()
	}
	if err := l.print(inv.stdout, asJSON); err != nil {
		return cannotPrint(inv, err)
	}
	if l.failed() {
		return exitFailed
	}
	return exitOK
}

// checklist is what was checked.
type checklist struct{ found []finding }

// finding is one thing that was checked.
type finding struct {
	OK   bool   `json:"ok"`
	What string `json:"what"`
	Note string `json:"note"`
	Fix  string `json:"fix,omitempty"` // command that mends it, as it is to be typed
}

func (l *checklist) ok(what, note string) { l.add(finding{OK: true, What: what, Note: note}) }

func (l *checklist) bad(what, note string) { l.add(finding{What: what, Note: note}) }

// maxNote bounds a note in bytes; much of it comes from the node.
const maxNote = 1000

func (l *checklist) add(f finding) {
	f.What, f.Note = foreign.ID(f.What), foreign.Cut(f.Note, maxNote)
	if f.Fix != foreign.Cut(f.Fix, maxNote) { // half a command mends nothing
		f.Fix = ""
	}
	l.found = append(l.found, f)
}

func (l *checklist) failed() bool {
	return slices.ContainsFunc(l.found, func(f finding) bool { return !f.OK })
}

// print says what was found, what is wrong before all else.
func (l *checklist) print(w io.Writer, asJSON bool) error {
	slices.SortStableFunc(l.found, func(a, b finding) int {
		switch {
		case a.OK == b.OK:
			return 0
		case b.OK:
			return -1
		}
		return 1
	})
	if asJSON {
		return indented(w, struct {
			Version string    `json:"version"`
			OK      bool      `json:"ok"`
			Found   []finding `json:"found"`
		}{exporter.Version(), !l.failed(), l.found})
	}
	for _, f := range l.found {
		verdict := "ok"
		if !f.OK {
			verdict = "FAIL"
		}
		if _, err := fmt.Fprintf(w, "%-5s %-14s %s\n", verdict, f.What, f.Note); err != nil {
			return err
		}
		if f.Fix != "" {
			fmt.Fprintf(w, "%21s%s\n", "", f.Fix)
		}
	}
	return nil
}

// state says whether what has to be kept can be.
func (l *checklist) state(c exporter.Config) {
	if err := exporter.Writable(c.StateDir); err != nil {
		l.bad("state", err.Error()+"; nothing is loaded on exo 1.x without a record of it, so let this user write there, "+
			"or set EXOBENCH_STATE_DIR to a directory that it may write to")
	} else {
		l.ok("state", "kept in "+c.StateDir)
	}
	if c.ResultsFile == "" || filepath.Dir(c.ResultsFile) == filepath.Clean(c.StateDir) {
		return
	}
	if err := exporter.Writable(filepath.Dir(c.ResultsFile)); err != nil {
		l.bad("records", err.Error()+"; set EXOBENCH_RESULTS to a file that this user may write, or to off")
	} else {
		l.ok("records", "kept in "+c.ResultsFile)
	}
}

func (l *checklist) memory(v memory.Visibility) {
	if v.Visible {
		l.ok("memory", v.String())
	} else {
		l.bad("memory", v.String())
	}
}

func (l *checklist) node(r exo.Report, simulated bool) {
	if r.Err != nil {
		l.bad("exo", r.Err.Error()+"; start exo, or set EXOBENCH_EXO_URL to where it listens")
		return
	}
	l.ok("exo", fmt.Sprintf("answers at %s in %s", r.URL, r.RTT.Round(10*time.Microsecond)))
	if simulated {
		l.ok("simulated", "this is the simulator, not a real exo")
	}
	l.ok("dialect", fmt.Sprintf("%s; prompts go to %s", r.Dialect, r.Endpoint))
	for _, m := range r.Models {
		note := "as " + m.ID
		if m.ID == "" {
			note = "no id"
		}
		if m.Loaded {
			note += ", loaded already"
		}
		if m.Note != "" {
			note += "; " + m.Note
		}
		l.add(finding{OK: m.Servable, What: m.Model, Note: note, Fix: m.Fix})
	}
}

func (l *checklist) driver(ctx context.Context, a *app.Agent) {
	start := time.Now()
	s, err := a.Post().Driver.State(ctx, cluster.State{}, 0)
	if err != nil {
		l.bad("driver", err.Error())
		return
	}
	now := "between turns"
	if s.Turn != nil {
		now = "in the turn of " + s.Turn.Model
	}
	l.ok("driver", fmt.Sprintf("answers at %s in %s; version %s, %s",
		a.Post().Config.DriverURL, time.Since(start).Round(10*time.Microsecond), s.Version, now))
	if s.Simulated {
		l.ok("simulated", "the driver measures the simulator, not a real exo")
	}
}
