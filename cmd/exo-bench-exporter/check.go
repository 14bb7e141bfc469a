package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"time"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/exporter/memory"
	"exo-bench-exporter/workload/exo"
)

// checkTimeout bounds the questions to the node.
const checkTimeout = 30 * time.Second

func checkCommand() command {
	return command{
		name: "check", args: " [-demo]", summary: "say whether everything is in place, and what to do where it is not",
		help: `Checks the configuration, whether the node answers and which API it speaks, which of the models it
can serve and under which id, and whether exo's processes can be seen; with EXOBENCH_MODE=memory
whether the driver answers and exo's processes can be seen. Prints one line for each with what to
do about it. Loads nothing and changes nothing. Exits 0 when all is well, 1 when not.`,
		flags: func(fs *flag.FlagSet) func(context.Context, invocation) int {
			demo := demoFlag(fs)
			return func(ctx context.Context, inv invocation) int { return check(ctx, inv, *demo) }
		},
	}
}

func check(ctx context.Context, inv invocation, simulated bool) int {
	if inv.env[exporter.EnvPrefix+"LOG_LEVEL"] == "" {
		inv.env = withEnv(inv.env, exporter.EnvPrefix+"LOG_LEVEL", "error") // the lines say it all
	}
	cfg, err := exporter.LoadConfig(inv.env)
	if err != nil {
		return fail(inv.stderr, err)
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	l := &checklist{w: inv.stdout}
	if cfg.Mode == exporter.ModeMemory {
		return checkAgent(ctx, inv, cfg, simulated, l)
	}
	a, err := newApp(inv, cfg, simulated)
	if err != nil {
		return fail(inv.stderr, err)
	}
	defer a.close()
	l.ok("configuration", fmt.Sprintf("%d models, suite %s with %d prompts, a cycle every %s",
		len(a.cfg.Models), a.suite.Version, len(a.suite.Prompts), a.cfg.CycleInterval))
	report := a.client.Check(ctx, a.cfg.Models)
	l.node(report, simulated || a.client.Simulated())
	l.memory(a.sampler.Look())
	return l.status()
}

// checklist prints one line for each thing that was checked.
type checklist struct {
	w      io.Writer
	failed bool
}

func (l *checklist) ok(what, note string) { l.line("ok", what, note) }

func (l *checklist) bad(what, note string) {
	l.failed = true
	l.line("FAIL", what, note)
}

func (l *checklist) line(verdict, what, note string) {
	fmt.Fprintf(l.w, "%-5s %-14s %s\n", verdict, what, note)
}

// status returns the exit status of what was checked.
func (l *checklist) status() int {
	if l.failed {
		return exitFailed
	}
	return exitOK
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
		if m.Servable {
			l.ok(m.Model, note)
		} else {
			l.bad(m.Model, note)
		}
	}
}
