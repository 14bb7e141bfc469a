package exo

import (
	"context"
	"slices"
	"strings"
	"time"

	"exo-bench-exporter/workload"
)

// Report is what can be found out about a node without putting a prompt to it.
type Report struct {
	URL      string
	Err      error // the node cannot be reached or driven; then nothing below is known
	Dialect  workload.Dialect
	RTT      time.Duration
	Endpoint string // route for prompts, in words
	Models   []ModelReport
}

// OK reports whether the node can be driven and serves every model.
func (r Report) OK() bool {
	return r.Err == nil && !slices.ContainsFunc(r.Models, func(m ModelReport) bool { return !m.Servable })
}

// ModelReport says whether a node can serve a model.
type ModelReport struct {
	Model    string // name in the workload
	ID       string // id on the node; empty when it has none
	Servable bool   // as far as the node's lists tell
	Loaded   bool   // it is loaded, as far as the node says
	Note     string // why it is not servable and what to do, or what to mind; may be empty
	Fix      string // the command that makes it servable, as it is to be typed; empty where there is none
}

// Check asks the node what it is and which of the models it can serve. It loads nothing and
// changes nothing.
func (c *Client) Check(ctx context.Context, models []workload.Model) Report {
	r := c.check(ctx, models)
	r.Err = c.private.hideError(r.Err)
	for i := range r.Models {
		m := &r.Models[i]
		m.ID, m.Note, m.Fix = c.private.hide(m.ID), c.private.hide(m.Note), c.private.hide(m.Fix)
	}
	return r
}

func (c *Client) check(ctx context.Context, models []workload.Model) Report {
	r := Report{URL: c.api.BaseURL().String()}
	r.Dialect, r.RTT, r.Err = c.ping(ctx)
	if r.Err != nil {
		return r
	}
	d := c.current()
	report, err := d.survey(ctx, c)
	if err != nil {
		r.Err = err
		return r
	}
	r.Endpoint = routeWords(c.routes(d))
	for _, m := range models {
		r.Models = append(r.Models, report(m))
	}
	return r
}

// routeWords says by which route prompts will be put.
func routeWords(routes []route) string {
	words := make([]string, 0, len(routes))
	for _, r := range routes {
		words = append(words, r.words)
	}
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words, " if it streams, else ") + "; the first request finds out"
}
