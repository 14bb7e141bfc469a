package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/grafana"
)

// use is what makes use of a family. The maps are sets.
type use struct {
	places  map[string]map[string]bool // by dashboard, what of it: panels, variables, annotations
	alerts  map[string]bool
	records map[string]bool // recording rules that read the family itself
}

func newUse() *use {
	return &use{places: map[string]map[string]bool{}, alerts: map[string]bool{}, records: map[string]bool{}}
}

func (u *use) panels() []string {
	var all []string
	for _, dashboard := range sorted(u.places) {
		all = append(all, dashboard+" ("+strings.Join(sorted(u.places[dashboard]), ", ")+")")
	}
	return all
}

func sorted[V any](set map[string]V) []string { return slices.Sorted(maps.Keys(set)) }

// rule is a recording rule or an alert, with every text in it that may hold a query.
type rule struct {
	record, alert string
	reads         []string // families and recorded series
}

var series = regexp.MustCompile(`\bexobench[_:][a-zA-Z0-9_:]+`)

// usesOf returns what of the dashboards and of the rules in dir uses each of families, by name.
func usesOf(families []metric.Declared, dir fs.FS) (map[string]*use, error) {
	uses := map[string]*use{}
	for _, f := range families {
		uses[f.FullName()] = newUse()
	}
	rules, err := readRules(dir)
	if err != nil {
		return nil, err
	}
	r := resolver{uses: uses, recorded: map[string][]string{}}
	for _, rule := range rules {
		if rule.record != "" {
			r.recorded[rule.record] = append(r.recorded[rule.record], rule.reads...)
		}
	}
	for _, rule := range rules {
		if rule.record == "" {
			r.each(rule.reads, func(u *use) { u.alerts[rule.alert] = true })
			continue
		}
		for _, name := range rule.reads {
			if u := uses[r.family(name)]; u != nil {
				u.records[rule.record] = true
			}
		}
	}
	dashboards, err := grafana.Dashboards()
	if err != nil {
		return nil, err
	}
	for _, d := range dashboards {
		for place, reads := range readDashboard(d) {
			r.each(reads, func(u *use) {
				if u.places[d.Title] == nil {
					u.places[d.Title] = map[string]bool{}
				}
				u.places[d.Title][place] = true
			})
		}
	}
	return uses, nil
}

// resolver finds the families behind the names in a query.
type resolver struct {
	uses     map[string]*use
	recorded map[string][]string // what a recorded series is made of
}

// family returns the family that a name in a query belongs to: histograms have three series.
func (r resolver) family(name string) string {
	if r.uses[name] != nil {
		return name
	}
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if base, ok := strings.CutSuffix(name, suffix); ok && r.uses[base] != nil {
			return base
		}
	}
	return name
}

// each calls do for every family that one of reads is, or is recorded from.
func (r resolver) each(reads []string, do func(*use)) {
	seen := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		if name = r.family(name); seen[name] {
			return
		}
		seen[name] = true
		if u := r.uses[name]; u != nil {
			do(u)
		}
		for _, name := range r.recorded[name] {
			visit(name)
		}
	}
	for _, name := range reads {
		visit(name)
	}
}

func readRules(dir fs.FS) ([]rule, error) {
	names, err := fs.Glob(dir, "*.yml")
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errors.New("there are no files of rules")
	}
	var all []rule
	for _, name := range names {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		var file struct {
			Groups []struct {
				Rules []struct {
					Record, Alert, Expr string
					Annotations         map[string]string
				}
			}
		}
		if err := yaml.Unmarshal(text, &file); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, g := range file.Groups {
			for _, r := range g.Rules {
				found := rule{record: r.Record, alert: r.Alert, reads: series.FindAllString(r.Expr, -1)}
				for _, text := range r.Annotations {
					found.reads = append(found.reads, series.FindAllString(text, -1)...)
				}
				all = append(all, found)
			}
		}
	}
	return all, nil
}

// readDashboard returns the names in the queries of d by the place of the query.
func readDashboard(d grafana.Dashboard) map[string][]string {
	places := map[string][]string{}
	add := func(place, query string) {
		places[place] = append(places[place], series.FindAllString(query, -1)...)
	}
	for _, p := range d.Panels {
		for _, t := range p.Targets {
			add(p.Name(), t.Expr)
		}
	}
	for _, a := range d.Annotations.List {
		add("annotation "+a.Name, a.Expr)
	}
	for _, v := range d.Templating.List {
		query, err := json.Marshal(v.Query)
		if err == nil {
			add("variable "+v.Name, string(query))
		}
	}
	return places
}
