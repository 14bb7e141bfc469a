package rules

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
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
	// Accepted names models whose present speed is to be their new baseline, each with a tag
	// that was not used for it before, for example the date. Their history begins anew when the
	// rules with the tag are loaded.
	Accepted map[string]string
	// Tuning holds the thresholds.
	Tuning Tuning
}

// DefaultOptions returns the options of the rules that the repository holds.
func DefaultOptions() Options {
	return Options{
		Interval:   15 * time.Minute,
		Job:        "exo-bench-exporter",
		GrafanaURL: "http://localhost:3000",
		RunbookURL: "http://localhost:9955/runbook",
		Tuning:     DefaultTuning(),
	}
}

// MinInterval is the shortest cycle interval that rules can be made for: Prometheus has to see
// every cycle apart.
const MinInterval = 2 * time.Second

//go:embed templates/*.tmpl
var templates embed.FS

var label = regexp.MustCompile(`^[A-Za-z0-9._:-]+$`)

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

func (o *Options) fill() error {
	d := DefaultOptions()
	setDefault(&o.Interval, d.Interval)
	setDefault(&o.Job, d.Job)
	setDefault(&o.GrafanaURL, d.GrafanaURL)
	setDefault(&o.RunbookURL, d.RunbookURL)
	setDefault(&o.Tuning, d.Tuning)
	o.GrafanaURL = strings.TrimRight(o.GrafanaURL, "/")

	var errs []error
	if o.Interval < MinInterval {
		errs = append(errs, fmt.Errorf("cycle interval %v is too short for rules: at least %v", o.Interval, MinInterval))
	}
	if o.Interval%time.Second != 0 {
		errs = append(errs, fmt.Errorf("cycle interval %v is not a whole number of seconds", o.Interval))
	}
	if o.Evaluation == 0 {
		o.Evaluation = min(30*time.Second, max(time.Second, (o.Interval/10).Round(time.Second)))
	}
	if o.Evaluation < time.Second || o.Evaluation > o.Interval {
		errs = append(errs, fmt.Errorf("evaluation interval %v is not between 1s and the cycle interval %v", o.Evaluation, o.Interval))
	}
	if _, err := regexp.Compile(o.Job); err != nil {
		errs = append(errs, fmt.Errorf("job %q is not a regular expression: %w", o.Job, err))
	}
	for _, u := range []string{o.GrafanaURL, o.RunbookURL} {
		if _, err := url.Parse(u); err != nil {
			errs = append(errs, fmt.Errorf("%q is not a URL: %w", u, err))
		}
	}
	for _, model := range slices.Sorted(maps.Keys(o.Accepted)) {
		if tag := o.Accepted[model]; !label.MatchString(model) || !label.MatchString(tag) {
			errs = append(errs, fmt.Errorf("accepted %q=%q: model and tag may hold letters, digits and any of ._:-", model, tag))
		}
	}
	return errors.Join(errs...)
}

func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}
