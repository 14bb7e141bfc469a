// Package prometheus holds what Prometheus and Alertmanager are configured with, and the runbook
// that their alerts link to.
package prometheus

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
)

var (
	//go:embed RUNBOOK.md
	runbook string
	//go:embed runbook.html
	runbookHTML string
	//go:embed runbook.css
	runbookCSS string
)

// markdown renders what RUNBOOK.md is written in: GitHub's kind, with the anchors that GitHub gives headings. HTML in
// the text is left out.
var markdown = goldmark.New(
	goldmark.WithExtensions(extension.GFM),
	goldmark.WithParserOptions(parser.WithAutoHeadingID()),
)

// RunbookHandler serves RUNBOOK.md as a page on which every alert's section has the anchor that
// the alert's runbook_url names: its name in lower case. The page loads nothing and runs no script.
func RunbookHandler() http.Handler {
	page := runbookPage()
	sum := sha256.Sum256([]byte(runbookCSS))
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy)
		_, _ = w.Write(page)
	})
}

// runbookPage renders the runbook. What it is made of is compiled in, so that it cannot fail but in a build that no
// test has seen.
func runbookPage() []byte {
	var text, page bytes.Buffer
	if err := markdown.Convert([]byte(runbook), &text); err != nil {
		panic("prometheus: RUNBOOK.md cannot be rendered: " + err.Error())
	}
	html := template.New("runbook").Funcs(template.FuncMap{"lower": strings.ToLower})
	err := template.Must(html.Parse(runbookHTML)).Execute(&page, map[string]any{
		"Style":  template.CSS(runbookCSS),
		"Alerts": runbookAlerts(),
		"Text":   template.HTML(text.String()), // goldmark's, of a text that is compiled in
	})
	if err != nil {
		panic("prometheus: the page of the runbook cannot be made: " + err.Error())
	}
	return page.Bytes()
}

// runbookAlerts returns the names of the alerts that have a section, in its order.
func runbookAlerts() []string {
	var names []string
	for line := range strings.Lines(runbook) {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}
