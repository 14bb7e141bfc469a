package rules

import (
	"net/url"
	"strings"
)

// signal is what the templates that occur more than once are filled in with.
type signal struct {
	Options
	Name string // selector of series, or anchor of the alert in the runbook
}

// exporterDown is the anchor of the alert during which no exporter can serve the runbook.
const exporterDown = "exobenchexporterdown"

// Runbook returns the link to the section about the alert whose anchor Name is: one that can be followed while the
// alert fires.
func (s signal) Runbook() string {
	if s.Name == exporterDown && s.exporterServesRunbook() {
		return s.GrafanaURL + exporterDownPanel.path()
	}
	return s.RunbookURL + "#" + s.Name
}

func (o Options) exporterServesRunbook() bool {
	u, err := url.Parse(o.RunbookURL)
	return err == nil && strings.HasSuffix(u.Path, "/runbook")
}
