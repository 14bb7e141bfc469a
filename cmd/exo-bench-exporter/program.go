package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"exo-bench-exporter/app"
	"exo-bench-exporter/exporter"
	"exo-bench-exporter/workload/exo/foreign"
	"exo-bench-exporter/workload/stall"
)

// open builds the program that inv's environment asks for; its log goes to inv's stderr.
func open(inv invocation, demo bool, seams app.Seams) (app.Program, error) {
	seams.Log, seams.Watcher = inv.stderr, stall.New()
	return app.Open(inv.env, demo, seams)
}

// fail prints an error of open and returns the exit status.
func fail(w io.Writer, err error) int {
	for line := range strings.Lines("exo-bench-exporter: " + err.Error()) { // a file may be called anything
		text := strings.TrimRight(line, "\n")
		indent := len(text) - len(strings.TrimLeft(text, " "))
		fmt.Fprintln(w, text[:indent]+foreign.Cut(text[indent:], 2*maxNote))
	}
	if errors.Is(err, app.ErrDemo) {
		return exitFailed
	}
	return exitUsage
}

// quiet returns inv with a log that says nothing below level, unless the user has chosen one.
func quiet(inv invocation, level string) invocation {
	const name = exporter.EnvPrefix + "LOG_LEVEL"
	if inv.env[name] == "" {
		inv.env = maps.Clone(inv.env)
		inv.env[name] = level
	}
	return inv
}
