package render

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
)

// narrowed is a dashboard of a tile and a table as wide as they are on the overview, of one column by which it is sorted.
const narrowed = `{"uid": "narrowed", "title": "narrowed", "time": {"from": "now-1h"}, "panels": [
	{
		"id": 1, "type": "stat", "title": %[1]q, "description": "What it is.", "gridPos": {"x": 0, "y": 0, "w": 3, "h": 3},
		"targets": [{"refId": "A", "expr": "vector(1)", "instant": true}]
	},
	{
		"id": 2, "type": "table", "title": "Table", "gridPos": {"x": 0, "y": 3, "w": 24, "h": 7},
		"targets": [{"refId": "A", "expr": "vector(1)", "instant": true, "format": "table"}],
		"options": {"sortBy": [{"displayName": %[2]q}]},
		"transformations": [{"id": "organize", "options": {"excludeByName": {"Time": true}, "renameByName": {"Value": %[2]q}}}],
		"fieldConfig": {"defaults": {}, "overrides": [
			{"matcher": {"id": "byName", "options": %[2]q}, "properties": [{"id": "custom.width", "value": 80}]}
		]}
	}
]}`

// TestDashboardsBesideTheMenu shows the newest components, beside Grafana's menu, titles and headings of which some are cut there.
func TestDashboardsBesideTheMenu(t *testing.T) {
	if testing.Short() || *again {
		t.Skip("it takes a browser")
	}
	prometheus := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [3600, "1"]}]}}`)
	}))
	t.Cleanup(prometheus.Close)
	dir := t.TempDir()
	cases := []struct {
		title, heading string
		want           []string
	}{
		{"Exporter", "Severity", []string{"narrowed / Exporter", "narrowed / Table"}},
		{"Down", "Level", nil},
	}
	var looks []look
	for _, c := range cases {
		path := filepath.Join(dir, c.title+".json")
		writeFile(t, path, fmt.Sprintf(narrowed, c.title, c.heading))
		looks = append(looks, look{Name: c.title, Prometheus: prometheus.URL, To: 3600, Width: docked, Dashboard: path, state: "narrowed"})
	}
	for i, l := range seen(t, grafanas[len(grafanas)-1], dir, looks) {
		s, err := readSight(l.Out + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range s.Panels {
			if len(hidden(s, p)) > 0 {
				got = append(got, s.UID+" / "+p.Title)
			}
		}
		if c := cases[i]; !slices.Equal(got, c.want) || len(s.Panels) != 2 || len(s.Complaints) > 0 {
			t.Errorf("%q and %q: of %d panels %q are cut, want %q: %q", c.title, c.heading, len(s.Panels), got, c.want, s.Complaints)
		}
	}
}
