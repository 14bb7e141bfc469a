// Package page writes a report as one HTML file that needs nothing else: no script, no font and no picture from outside. It is
// to be read on a desk, on a phone and on paper, in light and in dark.
package page

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"

	"exo-bench-exporter/workload/report"
)

var (
	//go:embed page.html
	text string
	//go:embed page.css
	style string

	page = template.Must(template.New("report").Funcs(funcs).Parse(text))
)

// Write writes r. The same report makes the same bytes. Errors are those of w.
func Write(w io.Writer, r report.Report) error {
	var b bytes.Buffer
	css := template.CSS(style) //nolint:gosec // our own
	if err := page.Execute(&b, map[string]any{"Report": r, "Style": css, "Course": drawCourse(r.Course)}); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}
