package main

import (
	"strings"
	"testing"

	"exo-bench-exporter/workload/exo"
)

// What a node says makes no line of its own, moves no cursor, and does not fill the screen.
func TestCheckPrintsForeignText(t *testing.T) {
	var b buffer
	l := &checklist{w: &b}
	l.node(exo.Report{URL: "http://a", Dialect: "openai", Endpoint: "v1", Models: []exo.ModelReport{
		{Model: "m", ID: "x\x1b[2J\nok    forged         all is well\x07", Servable: true, Note: strings.Repeat("long ", 1_000_000)},
	}}, false)
	out := b.String()
	if strings.ContainsAny(out, "\x1b\x07") || strings.Contains(out, "\nok    forged") || len(out) > 2000 || strings.Count(out, "\n") != 3 {
		t.Errorf("%d bytes: %.600q", len(out), out)
	}
}
