package grafana_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"exo-bench-exporter/grafana"
)

var (
	dashboardName = regexp.MustCompile(`[dD]ashboard \*(\w+)\*`)
	panelLinks    = regexp.MustCompile(`\[\*([^*]+)\*\]\(([^)]*/d/[^)]+)\)`)
	panelNames    = regexp.MustCompile(`(?:panels?|,|and) \*([^*]+)\*`)
)

// TestPanelsThatTheRunbookNamesExist reads "dashboard *model*, panels *A* and *B*" in a paragraph of the runbook and
// looks for panels A and B on that dashboard. It follows links that are called by a panel's title.
func TestPanelsThatTheRunbookNamesExist(t *testing.T) {
	text, err := os.ReadFile("../prometheus/RUNBOOK.md")
	if err != nil {
		t.Fatal(err)
	}
	titles := map[string][]string{}
	for _, d := range load(t) {
		name := strings.TrimPrefix(d.UID, "exobench-")
		titles[name] = nil
		for _, p := range d.Panels {
			titles[name] = append(titles[name], p.Title)
		}
	}
	found := 0
	for paragraph := range strings.SplitSeq(string(text), "\n\n") {
		paragraph = strings.Join(strings.Fields(paragraph), " ")
		at := dashboardName.FindAllStringSubmatchIndex(paragraph, -1)
		for i, m := range at {
			name, end := paragraph[m[2]:m[3]], len(paragraph)
			if i+1 < len(at) {
				end = at[i+1][0]
			}
			panels, exists := titles[name]
			if !exists {
				t.Errorf("the runbook names a dashboard %s", name)
			}
			for _, p := range panelNames.FindAllStringSubmatch(paragraph[m[1]:end], -1) {
				found++
				if !slices.Contains(panels, p[1]) {
					t.Errorf("the runbook names a panel %q, which dashboard %s does not have", p[1], name)
				}
			}
		}
		if len(at) == 0 && strings.Contains(paragraph, "panel *") {
			t.Errorf("the runbook names a panel of no dashboard: %s", paragraph)
		}
	}
	for _, m := range panelLinks.FindAllStringSubmatch(string(text), -1) {
		found++
		if _, p, err := grafana.Follow(load(t), m[2]); err != nil || p.Title != m[1] {
			t.Errorf("the link %q leads to panel %q: %v", m[1], p.Title, err)
		}
	}
	if found < 30 {
		t.Errorf("only %d panels are named in the runbook", found)
	}
}

// TestReloadsAreNoRestarts holds the marks of a reload against the query that prometheus/tests/dashboards.yml tries
// on a reload and on a restart.
func TestReloadsAreNoRestarts(t *testing.T) {
	text, err := os.ReadFile("../prometheus/tests/dashboards.yml")
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, d grafana.Dashboard) {
		for _, a := range d.Annotations.List {
			if a.Name != "Configuration" {
				continue
			}
			q := grafana.Query{Expr: a.Expr}
			if expr := q.Expand(
				map[string]string{"job": "j", "instance": "i", "__rate_interval": "1m", "__interval": "15s", "__range": "5m"},
			); !strings.Contains(string(text), "- expr: "+expr+"\n") {
				t.Errorf("prometheus/tests/dashboards.yml does not try %s", expr)
			}
			return
		}
		t.Error("reloads are not marked")
	})
}

// TestGrowthIsTried holds the query of a counter that has no record against the one that prometheus/tests/dashboards.yml tries.
func TestGrowthIsTried(t *testing.T) {
	text, err := os.ReadFile("../prometheus/tests/dashboards.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range load(t) {
		for _, q := range d.Queries() {
			if d.UID != "exobench-model" || q.Place != "Requests beside other work A" {
				continue
			}
			expr := q.Expand(map[string]string{"job": "j", "instance": "i", "model": "m", "__interval": "1m"})
			if !strings.Contains(string(text), "- expr: "+expr+"\n") {
				t.Errorf("prometheus/tests/dashboards.yml does not try %s", expr)
			}
			return
		}
	}
	t.Error("contended requests are not shown")
}

// TestStatesAreTried holds the queries of the overview that tell states and verdicts against those that
// prometheus/tests/states.yml and judged.yml try on a node in trouble.
func TestStatesAreTried(t *testing.T) {
	var text []byte
	for _, file := range []string{"states", "judged"} {
		tests, err := os.ReadFile("../prometheus/tests/" + file + ".yml")
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, tests...)
	}
	values := map[string]string{"job": "j", "instance": "i", "__range": "1h"}
	tried := []string{
		"Decode, tokens per second, last turn A", "Models A", "Models B", "Down A", "Unreachable A", "Alerts firing A", "Firing alerts A",
	}
	for _, d := range load(t) {
		if d.UID != "exobench-overview" {
			continue
		}
		for _, q := range d.Queries() {
			if i := slices.Index(tried, q.Place); i >= 0 {
				tried = slices.Delete(tried, i, i+1)
				if expr := q.Expand(values); !strings.Contains(string(text), "\n          "+expr+"\n") {
					t.Errorf("%s: neither prometheus/tests/states.yml nor judged.yml tries %s", q.Place, expr)
				}
			}
		}
	}
	if len(tried) > 0 {
		t.Errorf("the overview has no queries %q", tried)
	}
}
