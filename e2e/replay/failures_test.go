package replay

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	prometheus "github.com/prometheus/prometheus/rules"

	"exo-bench-exporter/exporter/rules"
)

// ruleFile returns the path of the rules for the interval.
func ruleFile(t testing.TB) string {
	t.Helper()
	text, err := rules.Generate(rules.Options{Interval: interval})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "exobench.yml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func engine(t testing.TB, ruleFile string) *Engine {
	t.Helper()
	e, err := NewEngine(t.TempDir(), ruleFile)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// failure is one kind of failure and the alert that tells of it.
type failure struct {
	trouble         Trouble
	alert, severity string
	within          float64 // cycles after the onset
}

// Whatever fails, at whatever point of a cycle: the alert of that name comes within two cycles (two and a tenth after the
// last one that ended, where cycles are stuck; after the third failure of a prompt among others that succeed), and none about
// speed beside it or afterwards.
func TestFailures(t *testing.T) {
	failures := []failure{
		{ExoDead, "ExoBenchExoDown", "critical", 2},
		{ModelFailing, "ExoBenchModelFailing", "critical", 2},
		{PromptFailing, "ExoBenchModelFailing", "warning", 4},
		{ExporterGone, "ExoBenchExporterDown", "critical", 2},
		{CyclesStuck, "ExoBenchStale", "warning", 2.15},
	}
	const points, lasts, cycles = 10, 6, 16
	onset := func(point int) float64 { return 6 + float64(point)/points }
	e := engine(t, ruleFile(t))
	var nodes []*node
	since := map[string]float64{}    // by instance
	expected := map[string]failure{} // by instance
	for i, f := range failures {
		for point := range points {
			from, instance := onset(point), fmt.Sprintf("%s-%d-%d", f.alert, i, point)
			since[instance], expected[instance] = from, f
			nodes = append(nodes, newNode(instance, func(now float64) Trouble {
				if now >= from && now < from+lasts {
					return f.trouble
				}
				return Well
			}))
		}
	}
	told := map[string]float64{} // by instance, when, in cycles after the onset
	for at := start; at.Before(start.Add(cycles * interval)); at = at.Add(30 * time.Second) {
		for _, n := range nodes {
			if err := n.scrape(e, at); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := e.Eval(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		now := float64(at.Sub(start)) / float64(interval)
		e.Firing(func(a *prometheus.Alert) {
			alert, severity, instance := a.Labels.Get("alertname"), a.Labels.Get("severity"), a.Labels.Get("instance")
			f := expected[instance]
			if _, before := told[instance]; !before && alert == f.alert && severity == f.severity {
				told[instance] = now - since[instance]
			}
			if strings.HasPrefix(alert, "ExoBenchThroughput") || alert == "ExoBenchAllModelsSlow" || alert == "ExoBenchLatencyRegression" {
				t.Fatalf("%.2f cycles after the onset: %v", now-since[instance], a.Labels)
			}
		})
	}
	for _, f := range failures {
		worst := 0.0
		for instance, after := range told {
			if expected[instance] != f {
				continue
			}
			worst = max(worst, after)
			if after <= 0 || after > f.within {
				t.Errorf("%s is told %.2f cycles after the onset", instance, after)
			}
		}
		t.Logf("%s (%s) within %.2f cycles", f.alert, f.severity, worst)
	}
	if len(told) != len(nodes) {
		t.Errorf("%d of %d failures are told of", len(told), len(nodes))
	}
}
