package main

import (
	"bytes"
	"fmt"
	"strings"

	"exo-bench-exporter/exporter/metric"
)

const introduction = `# Metrics

<!-- Written by go generate ./docs/gen from the declarations in exporter/. Do not edit. -->

Every metric family that the exporter has under its own name. The families ` + "`go_*`, `process_*` and `promhttp_*`" + ` on
the same page are those of Prometheus' client library.

` + "`model`" + ` is the name of a model in the workload, never exo's id; ` + "`prompt`" + ` is the id of a prompt in the suite.
No label holds a process id, an id of a node or instance, a URL or the text of an error. Series of counters and histograms exist
from zero on as soon as a model is configured, and vanish with it. A gauge is absent, rather than old, where nothing
is known: below is when. "Panels" and "Alerts" are those that use a family, directly or by a recording rule.

`

// render returns the page.
func render(families []metric.Declared, uses map[string]*use) []byte {
	var b bytes.Buffer
	b.WriteString(introduction)
	b.WriteString("| family | type | labels | unit |\n| --- | --- | --- | --- |\n")
	for _, f := range families {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s | %s |\n", f.FullName(), f.FullName(), f.Kind, code(f.Labels), f.Unit)
	}
	for _, f := range families {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", f.FullName(), f.Help)
		item := func(name, value string) {
			if value != "" {
				fmt.Fprintf(&b, "- %s: %s\n", name, value)
			}
		}
		kind := string(f.Kind)
		if f.Kind == metric.KindHistogram {
			kind += " with classic and native buckets"
		}
		item("Type", kind)
		item("Unit", f.Unit)
		item("Labels", code(f.Labels))
		item("Absent", f.Absent)
		u := uses[f.FullName()]
		item("Panels", strings.Join(u.panels(), "; "))
		item("Alerts", code(sorted(u.alerts)))
		item("Recorded as", code(sorted(u.records)))
	}
	return b.Bytes()
}

// code returns names as a list in the font of code.
func code(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "`" + strings.Join(names, "`, `") + "`"
}
