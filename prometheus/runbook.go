// Package prometheus holds what Prometheus and Alertmanager are configured with, and the runbook
// that their alerts link to.
package prometheus

import (
	_ "embed"
	"fmt"
	"html"
	"net/http"
	"strings"
)

//go:embed RUNBOOK.md
var runbook string

// RunbookHandler serves RUNBOOK.md as a page on which every alert's section has the anchor that
// the alert's runbook_url names: its name in lower case. The text stays as it is written.
func RunbookHandler() http.Handler {
	page := runbookPage()
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, page)
	})
}

func runbookPage() string {
	var b strings.Builder
	b.WriteString(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Runbook of exo-bench-exporter</title>
<pre style="white-space: pre-wrap; max-width: 130ch; margin: 1em auto">
`)
	for line := range strings.Lines(runbook) {
		text := html.EscapeString(strings.TrimRight(line, "\n"))
		if name, ok := strings.CutPrefix(text, "## "); ok {
			text = fmt.Sprintf(`<strong id="%s">%s</strong>`, strings.ToLower(name), text)
		}
		b.WriteString(text + "\n")
	}
	b.WriteString("</pre>\n</html>\n")
	return b.String()
}
