// Command gen writes docs/metrics.md from the declarations of the metric families and from the
// dashboards and rules that use them. The path of the file is its argument.
package main

import (
	"fmt"
	"os"

	"exo-bench-exporter/exporter"
)

//go:generate go run . ../metrics.md

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("want the path of the file to write, got %q", args)
	}
	page, err := page()
	if err != nil {
		return err
	}
	return os.WriteFile(args[0], page, 0o644)
}

// page returns the text of docs/metrics.md. It reads the rules from the repository, in whose
// docs/gen it has to run.
func page() ([]byte, error) {
	families := exporter.Families()
	uses, err := usesOf(families, os.DirFS("../../prometheus/rules"))
	if err != nil {
		return nil, err
	}
	return render(families, uses), nil
}
