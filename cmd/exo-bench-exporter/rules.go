package main

import (
	"context"
	"flag"
	"fmt"

	"exo-bench-exporter/exporter/rules"
)

func rulesCommand() command {
	return command{
		name: "rules", args: " [-interval D] [flags]", summary: "print recording and alerting rules for a cycle interval",
		help: `Prints rules for Prometheus, as one file on standard output. The alerts on speed tell what the exporter
has judged and hold for every cycle interval. Those on failures, old figures and memory look back over a
number of cycles: rules for another interval than EXOBENCH_CYCLE_INTERVAL do so too early or too late,
and an alert says so. What is normal of a model's speed is changed by exo-bench-exporter accept.`,
		flags: func(fs *flag.FlagSet) func(context.Context, invocation) int {
			o := rules.DefaultOptions()
			fs.DurationVar(&o.Interval, "interval", o.Interval, "cycle interval that the rules are for")
			fs.StringVar(&o.Job, "job", o.Job, "regular expression of the exporter's `job` in Prometheus' configuration")
			fs.StringVar(&o.GrafanaURL, "grafana", o.GrafanaURL, "`URL` of Grafana, for the links in alerts")
			fs.StringVar(&o.RunbookURL, "runbook", o.RunbookURL, "`URL` of the runbook, for the links in alerts")
			return func(_ context.Context, inv invocation) int {
				if name := emptyFlag(fs); name != "" {
					fmt.Fprintf(inv.stderr, "exo-bench-exporter rules: -%s: want a value, or leave it out for the default\n", name)
					return exitUsage
				}
				b, err := rules.Generate(o)
				if err != nil {
					fmt.Fprintln(inv.stderr, "exo-bench-exporter rules:", err)
					return exitUsage
				}
				if _, err := inv.stdout.Write(b); err != nil {
					fmt.Fprintln(inv.stderr, "exo-bench-exporter rules:", err)
					return exitFailed
				}
				return exitOK
			}
		},
	}
}

// emptyFlag returns the name of a flag that was given the zero value, which in rules.Options stands
// for the default and is not what was asked for; empty when there is none.
func emptyFlag(fs *flag.FlagSet) (name string) {
	fs.Visit(func(f *flag.Flag) {
		if v := f.Value.String(); v == "" || v == "0s" {
			name = f.Name
		}
	})
	return name
}
