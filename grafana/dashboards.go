// Package grafana holds the dashboards and reads the queries out of them, so that tests can
// judge what Grafana will ask. The dashboards are generated: see src.
package grafana

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed dashboards/*.json
var files embed.FS

// Dashboard is the part of Grafana's dashboard model that the queries stand in. Panels holds those of collapsed rows too,
// each behind its row.
type Dashboard struct {
	UID         string   `json:"uid"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Tags        []string `json:"tags"`
	Editable    bool     `json:"editable"`
	Refresh     string   `json:"refresh"`
	Panels      []Panel  `json:"panels"`
	Links       []Link   `json:"links"`
	Templating  struct {
		List []Variable `json:"list"`
	} `json:"templating"`
	Annotations struct {
		List []Annotation `json:"list"`
	} `json:"annotations"`
}

// Panel is a panel or, when Type is "row", a heading.
type Panel struct {
	Row         int        `json:"-"`      // id of the collapsed row that it is in, or 0
	Panels      []Panel    `json:"panels"` // of a collapsed row
	ID          int        `json:"id"`
	Type        string     `json:"type"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Datasource  Datasource `json:"datasource"`
	Targets     []Target   `json:"targets"`
	FieldConfig struct {
		Defaults struct {
			Unit    string `json:"unit"`
			NoValue string `json:"noValue"`
		} `json:"defaults"`
	} `json:"fieldConfig"`
	Options struct {
		Content string `json:"content"` // of a text
	} `json:"options"`
	GridPos struct {
		X, Y, W, H int
	} `json:"gridPos"`
}

// Name returns the title, or what people call the line across the top, which has none.
func (p Panel) Name() string {
	if p.Title == "" {
		return "the line at the top"
	}
	return p.Title
}

// Datasource refers to a data source by uid.
type Datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// Target is one query of a panel.
type Target struct {
	RefID      string     `json:"refId"`
	Expr       string     `json:"expr"`
	Instant    bool       `json:"instant"`
	Format     string     `json:"format"`
	Datasource Datasource `json:"datasource"`
}

// Variable is a variable that the reader can set.
type Variable struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Query   any    `json:"query"`
	Current struct {
		Value any `json:"value"`
	} `json:"current"`
}

// Annotation is a query whose results are marked on every graph.
type Annotation struct {
	Name       string     `json:"name"`
	Datasource Datasource `json:"datasource"`
	Expr       string     `json:"expr"`
	Target     Target     `json:"target"`
}

// Link leads to other dashboards.
type Link struct {
	Type        string   `json:"type"`
	Tags        []string `json:"tags"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
}

// Query is a PromQL query with Grafana's variables still in it.
type Query struct {
	Dashboard string // uid
	Place     string // title of the panel, or name of the annotation or variable, with the query's letter
	Expr      string
	Instant   bool // asked once for the end of the period instead of along it
}

// Dashboards returns the dashboards in the order of their uids.
func Dashboards() ([]Dashboard, error) {
	names, err := fs.Glob(files, "dashboards/*.json")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var all []Dashboard
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var d Dashboard
		if err := json.Unmarshal(text, &d); err != nil {
			return nil, fmt.Errorf("dashboard %s: %w", path.Base(name), err)
		}
		d.Panels = flat(d.Panels)
		all = append(all, d)
	}
	return all, nil
}

// flat returns panels with those of collapsed rows behind their row.
func flat(panels []Panel) []Panel {
	var all []Panel
	for _, p := range panels {
		all = append(all, p)
		for _, inner := range p.Panels {
			inner.Row = p.ID
			all = append(all, inner)
		}
	}
	return all
}

// Queries returns the queries of all panels and annotations in the order in which they stand.
func (d Dashboard) Queries() []Query {
	var all []Query
	for _, p := range d.Panels {
		for _, t := range p.Targets {
			all = append(all, Query{Dashboard: d.UID, Place: p.Name() + " " + t.RefID, Expr: t.Expr, Instant: t.Instant})
		}
	}
	for _, a := range d.Annotations.List {
		all = append(all, Query{Dashboard: d.UID, Place: "annotation " + a.Name, Expr: a.Expr})
	}
	return all
}

// Defaults returns the values that the dashboard's variables of fixed choice begin with.
func (d Dashboard) Defaults() map[string]string {
	values := map[string]string{}
	for _, v := range d.Templating.List {
		if s, ok := v.Current.Value.(string); ok && v.Type == "custom" {
			values[v.Name] = s
		}
	}
	return values
}

// Expand returns the query with every variable ($name or ${name}) replaced by its value. A
// variable that values does not name stays, and so makes the query unparsable.
func (q Query) Expand(values map[string]string) string {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	// Longest first, so that $interval does not take the beginning of $interval_x.
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, name := range names {
		pairs = append(pairs, "${"+name+"}", values[name], "$"+name, values[name])
	}
	return strings.NewReplacer(pairs...).Replace(q.Expr)
}
