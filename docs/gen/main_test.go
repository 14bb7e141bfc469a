package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"exo-bench-exporter/exporter/metric"
)

func TestPageIsUpToDate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.md")
	if err := run([]string{path}); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/metrics.md is not what the declarations, dashboards and rules say: run go generate ./docs/gen")
	}
}

// Uses are found through recorded series of recorded series, and by a histogram's own series.
func TestUses(t *testing.T) {
	families := []metric.Declared{
		{Family: metric.Family{Name: "a"}, Kind: metric.KindGauge},
		{Family: metric.Family{Name: "h"}, Kind: metric.KindHistogram},
		{Family: metric.Family{Name: "exo_up"}, Kind: metric.KindGauge},
	}
	uses, err := usesOf(families, fstest.MapFS{"x.yml": {Data: []byte(`
groups:
  - name: g
    rules:
      - record: exobench:first
        expr: rate(exobench_h_sum[5m]) / rate(exobench_h_count[5m])
      - record: exobench:second
        expr: avg(exobench:first) > exobench_ab
      - alert: Slow
        expr: exobench:second > 3
        annotations: {description: '{{ query "exobench_a" }}'}
`)}})
	if err != nil {
		t.Fatal(err)
	}
	if got := sorted(uses["exobench_h"].alerts); !slices.Equal(got, []string{"Slow"}) {
		t.Errorf("alerts of h: %q", got)
	}
	if got := sorted(uses["exobench_h"].records); !slices.Equal(got, []string{"exobench:first"}) {
		t.Errorf("records of h: %q", got)
	}
	if got := sorted(uses["exobench_a"].alerts); !slices.Equal(got, []string{"Slow"}) {
		t.Errorf("alerts of a: %q", got)
	}
	if got := strings.Join(uses["exobench_exo_up"].panels(), "; "); !strings.Contains(got, "annotation exo came or went") {
		t.Errorf("panels of exo_up, from the real dashboards: %s", got)
	}
}

func TestWrongUse(t *testing.T) {
	for _, args := range [][]string{nil, {"a", "b"}, {filepath.Join(t.TempDir(), "none", "metrics.md")}} {
		if err := run(args); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
	if _, err := usesOf(nil, fstest.MapFS{}); err == nil {
		t.Error("no error without rules")
	}
}
