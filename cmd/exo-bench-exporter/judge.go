package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"time"

	"exo-bench-exporter/workload/judge"
	"exo-bench-exporter/workload/judging"
)

func judgeCommand() command {
	return command{
		name: "judge", args: " [FILE…]", summary: "say what a judge makes of kept records of results",
		operands: true,
		help: `Replays records of results, as EXOBENCH_RESULTS keeps them, through the judge of speeds: what it
would have said when, on what grounds, and what it says at the end. Of a file the older ones beside it
(FILE.1 …) are read first. Without a FILE it reads that of EXOBENCH_RESULTS. Nothing is changed.

Exits 1 when a loss is there at the end, and when there was nothing to judge.`,
		flags: func(fs *flag.FlagSet) func(context.Context, invocation) int {
			return func(_ context.Context, inv invocation) int { return replay(inv, fs.Args()) }
		},
	}
}

func replay(inv invocation, files []string) int {
	if len(files) == 0 {
		file, err := keptFile(inv)
		if err != nil {
			return fail(inv.stderr, err)
		}
		files = []string{file}
	}
	status := exitOK
	for _, file := range files {
		if s := replayFile(inv, file); s > status {
			status = s
		}
	}
	return status
}

func replayFile(inv invocation, file string) int {
	fmt.Fprintf(inv.stdout, "%s\n", file)
	all, broken, err := judging.Replay(file, func(n judging.Node, at time.Time, news judge.News) {
		writeNews(inv.stdout, n, at, news)
	})
	if err != nil {
		fmt.Fprintln(inv.stderr, "exo-bench-exporter judge:", err)
		return exitUsage
	}
	if broken > 0 {
		fmt.Fprintf(inv.stderr, "exo-bench-exporter judge: %s: %d lines are no records\n", file, broken)
	}
	status := exitOK
	if len(all) == 0 {
		fmt.Fprintln(inv.stderr, "exo-bench-exporter judge: there is no turn with figures in", file)
		status = exitFailed
	}
	for _, r := range all {
		fmt.Fprintf(inv.stdout, "\n%s: %d turns from %s to %s; at the end:\n", name(r.Node), r.Turns, moments(r.From), moments(r.To))
		if err := writeSpeeds(inv.stdout, r.Verdicts, r.To); err != nil {
			return exitFailed
		}
		for _, v := range r.Verdicts {
			if a, found := v.Worst(); found && !a.Kind.Info() {
				status = exitFailed
			}
		}
	}
	return status
}

// writeNews prints what began or was over, and on what grounds.
func writeNews(w io.Writer, n judging.Node, at time.Time, news judge.News) {
	model := news.Verdict.Model
	if model == "" {
		model = "all models"
	}
	if news.Over {
		fmt.Fprintf(w, "%s  %s, %s: over or another now: %s of %s\n", moments(at), name(n), model, news.Alarm.Kind, news.Verdict.Quantity)
		return
	}
	fmt.Fprintf(w, "%s  %s, %s: %s: %s; %s\n", moments(at), name(n), model, news.Alarm.Kind, news.Words(at), news.Verdict.Grounds())
}

func name(n judging.Node) string {
	if n.Simulated {
		return n.Target + " (SIMULATED)"
	}
	return n.Target
}

func moments(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
