package rules

import (
	"bytes"
	"embed"
	"fmt"
	"strings"
	"text/template"
	"time"
)

// Options say what the rules are for. Zero values stand for the defaults of DefaultOptions.
type Options struct {
	// Interval is the exporter's EXOBENCH_CYCLE_INTERVAL. Prometheus has to scrape more than once in it.
	Interval time.Duration
	// Evaluation is how often Prometheus evaluates the rules. Zero derives it from Interval.
	Evaluation time.Duration
	// Job is a regular expression of the exporter's job names in Prometheus' configuration.
	Job string
	// GrafanaURL is where Grafana is for the people who get the alerts.
	GrafanaURL string
	// RunbookURL is where RUNBOOK.md is for them; the anchor of the alert is appended. Where an exporter serves it,
	// under the path /runbook, the alert about a dead exporter links to Grafana instead.
	RunbookURL string
}

// DefaultOptions returns the options of the rules that the repository holds.
func DefaultOptions() Options {
	return Options{
		Interval:   15 * time.Minute,
		Job:        "exo-bench-exporter",
		GrafanaURL: "http://localhost:3000",
		RunbookURL: "http://localhost:9955/runbook",
	}
}

//go:embed templates/*.tmpl
var templates embed.FS

// Generate returns a rule file for Prometheus. The error names every option that cannot be used.
func Generate(o Options) ([]byte, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	t, err := template.New("exobench").Delims("[[", "]]").Funcs(template.FuncMap{
		"signal": func(o Options, name string) signal { return signal{o, name} },
	}).ParseFS(templates, "templates/*.tmpl")
	if err != nil {
		return nil, fmt.Errorf("parse the templates of the rules: %w", err)
	}
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, "exobench.yml.tmpl", o); err != nil {
		return nil, fmt.Errorf("fill in the templates of the rules: %w", err)
	}
	return out.Bytes(), nil
}

// fill puts defaults in the place of zero values.
func (o *Options) fill() error {
	d := DefaultOptions()
	setDefault(&o.Interval, d.Interval)
	setDefault(&o.Job, d.Job)
	setDefault(&o.GrafanaURL, d.GrafanaURL)
	setDefault(&o.RunbookURL, d.RunbookURL)
	o.GrafanaURL = strings.TrimRight(o.GrafanaURL, "/")

	if o.Evaluation == 0 {
		o.Evaluation = min(30*time.Second, max(time.Second, (o.Interval/10).Round(time.Second)))
	}
	return o.check()
}

func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}
