package main

import (
	"context"
	"flag"
	"fmt"
	"strings"

	"exo-bench-exporter/exporter/rules"
)

func rulesCommand() command {
	return command{
		name: "rules", args: " [-interval D] [flags]", summary: "print recording and alerting rules for a cycle interval",
		help: `Prints rules for Prometheus, as one file on standard output. Their windows follow from the cycle
interval, because the evidence for an alert is the cycle and not the scrape: rules for another
interval than EXOBENCH_CYCLE_INTERVAL judge too early or too late, and an alert says so.`,
		flags: func(fs *flag.FlagSet) func(context.Context, invocation) int {
			o := rules.DefaultOptions()
			fs.DurationVar(&o.Interval, "interval", o.Interval, "cycle interval that the rules are for")
			fs.StringVar(&o.Job, "job", o.Job, "regular expression of the exporter's `job` in Prometheus' configuration")
			fs.StringVar(&o.GrafanaURL, "grafana", o.GrafanaURL, "`URL` of Grafana, for the links in alerts")
			fs.StringVar(&o.RunbookURL, "runbook", o.RunbookURL, "`URL` of the runbook, for the links in alerts")
			fs.Func("accept", "take the present speed of a model as its new baseline: `model=tag`, with a tag not used before, for example the "+
				"date; may be repeated", func(v string) error {
				model, tag, ok := strings.Cut(v, "=")
				if !ok {
					return fmt.Errorf("want model=tag, for example llama-3.1-8b=2026-01-31")
				}
				if o.Accepted == nil {
					o.Accepted = map[string]string{}
				}
				o.Accepted[model] = tag
				return nil
			})
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
		if v := f.Value.String(); f.Name != "accept" && (v == "" || v == "0s") {
			name = f.Name
		}
	})
	return name
}
