package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"exo-bench-exporter/workload/judge"
)

// writeSpeeds says how the speed of the node and of each model has changed against what is normal; nothing
// of no verdicts.
func writeSpeeds(w io.Writer, verdicts []judge.Verdict, now time.Time) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(verdicts) > 0 {
		fmt.Fprintln(tw, "\nMODEL\tSPEED AGAINST WHAT IS NORMAL")
	}
	for len(verdicts) > 0 {
		n := 1
		for n < len(verdicts) && verdicts[n].Model == verdicts[0].Model {
			n++
		}
		name := verdicts[0].Model
		if name == "" {
			name = "all together"
		}
		for _, r := range judge.Remarks(verdicts[:n], now) {
			fmt.Fprintf(tw, "%s\t%s\n", name, r.Text)
			name = ""
		}
		verdicts = verdicts[n:]
	}
	return tw.Flush()
}
