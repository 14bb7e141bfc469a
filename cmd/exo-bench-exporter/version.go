package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"

	"exo-bench-exporter/exporter"
)

func versionCommand() command {
	return command{
		name: "version", summary: "print the version",
		help: "Prints the version, as the build recorded it from version control, and the Go release.",
		flags: func(*flag.FlagSet) func(context.Context, invocation) int {
			return func(_ context.Context, inv invocation) int {
				fmt.Fprintf(inv.stdout, "exo-bench-exporter %s (%s, %s/%s)\n", exporter.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
				return exitOK
			}
		},
	}
}
