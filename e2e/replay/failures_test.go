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

// Whatever fails, at whatever point of a cycle: the alert of that name comes within two cycles (two and a tenth after the
// last one that ended, where cycles are stuck), and none about speed beside it or afterwards.
func TestFailures(t *testing.T) {
	kinds := []struct {
		trouble Trouble
		alert   string
		within  float64 // cycles
	}{
		{ExoDead, "ExoBenchExoDown", 2},
		{ModelFailing, "ExoBenchModelFailing", 2},
		{ExporterGone, "ExoBenchExporterDown", 2},
		{CyclesStuck, "ExoBenchStale", 2.15},
	}
	const points, lasts, cycles = 10, 6, 16
	onset := func(point int) float64 { return 6 + float64(point)/points }
	e := engine(t, ruleFile(t))
	var nodes []*node
	since := map[string]float64{} // by instance
	alerts := map[string]string{}
	for _, k := range kinds {
		for point := range points {
			from, instance := onset(point), fmt.Sprintf("%s-%d", k.alert, point)
			since[instance], alerts[instance] = from, k.alert
			nodes = append(nodes, newNode(instance, func(now float64) Trouble {
				if now >= from && now < from+lasts {
					return k.trouble
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
			alert, instance := a.Labels.Get("alertname"), a.Labels.Get("instance")
			if _, before := told[instance]; !before && alert == alerts[instance] {
				told[instance] = now - since[instance]
			}
			if strings.HasPrefix(alert, "ExoBenchThroughput") || alert == "ExoBenchAllModelsSlow" || alert == "ExoBenchLatencyRegression" {
				t.Fatalf("%.2f cycles after the onset: %v", now-since[instance], a.Labels)
			}
		})
	}
	for _, k := range kinds {
		worst := 0.0
		for instance, after := range told {
			if alerts[instance] != k.alert {
				continue
			}
			worst = max(worst, after)
			if after <= 0 || after > k.within {
				t.Errorf("%s is told %.2f cycles after the onset", instance, after)
			}
		}
		t.Logf("%s within %.2f cycles", k.alert, worst)
	}
	if len(told) != len(nodes) {
		t.Errorf("%d of %d failures are told of", len(told), len(nodes))
	}
}
