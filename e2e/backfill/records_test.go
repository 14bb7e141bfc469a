package main

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// TestRecords asserts that the history has the records that the rules make, and no others.
func TestRecords(t *testing.T) {
	text, err := os.ReadFile("../../prometheus/rules/dashboards.yml")
	if err != nil {
		t.Fatal(err)
	}
	var rules struct {
		Groups []struct{ Rules []struct{ Record string } }
	}
	if err := yaml.Unmarshal(text, &rules); err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			want = append(want, rule.Record)
		}
	}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, s := range everything(start, start.Add(time.Hour)) {
		// Those of the alerts' rules are of another file.
		if record := s.labels.Get("__name__"); strings.Contains(record, ":") && !strings.HasPrefix(record, "exobench:alert:") {
			got = append(got, record)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Errorf("the history has the records\n%q\nwant those of the rules\n%q", got, want)
	}
}
