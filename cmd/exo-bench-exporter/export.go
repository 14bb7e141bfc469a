package main

import (
	"context"
	"errors"
	"flag"
	"regexp"
)

func exportCommand() command {
	return command{
		name: "export", args: " [flags] [FILE…]", summary: "print what was measured as one JSON document for a public table",
		operands: true,
		help: `Prints a summary of kept results as JSON: figures with their intervals, hardware, method, and why a figure is absent. It
names no node: no addresses, names or ids of nodes, no prompts, no answers. Names of models and of the
suite are as you gave them. Files are read as by report.

  exo-bench-exporter export -exo-version 1.0.71 results.jsonl > results-to-share.json

Exits 2 where there is nothing to export.`,
		flags: func(fs *flag.FlagSet) func(context.Context, invocation) int {
			r := reporting{}
			version := ""
			r.rangeFlags(fs)
			fs.Func("exo-version", "`version` of exo, which exo tells nowhere", func(v string) error {
				if !versionName.MatchString(v) {
					return errors.New("want a version, such as 1.0.71")
				}
				version = v
				return nil
			})
			return func(ctx context.Context, inv invocation) int {
				made, err := r.make(ctx, inv, fs.Args())
				if err != nil {
					return fail(inv.stderr, err)
				}
				if err := indented(inv.stdout, made.Export(version)); err != nil {
					return cannotPrint(inv, err)
				}
				return exitOK
			}
		},
	}
}

var versionName = regexp.MustCompile(`^[0-9A-Za-z.+_-]{1,40}$`)
