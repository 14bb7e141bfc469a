package e2e

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"testing"
	"time"

	promapi "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"exo-bench-exporter/e2e/internal/stack"
	"exo-bench-exporter/grafana"
)

// withoutData are the queries that find nothing in a demo that works, with the reason. One that
// does find something must not stand here.
var withoutData = map[string]string{
	"exobench-overview, Alerts, what fired and when A":  nothingFires,
	"exobench-overview, Firing alerts B":                nothingFires,
	"exobench-overview, Firing alerts C":                nothingFires,
	"exobench-model, Time to first token, p50 to p99 C": fewRequests,
	"exobench-model, Request duration, p50 to p99 C":    fewRequests,
	"exobench-model, Memory of the last turn E":         noPSS,
	"exobench-model, Are they answers A":                "deepseek-r1 thinks, and is not asked",
	"exobench-model, Are they answers C":                "deepseek-r1 thinks, and is not asked",
	"exobench-model, Are they answers D":                "what is usual is known after twelve turns",
	"exobench-model, The same answer each time A":       "whether a node repeats itself is known after six answers",
	"exobench-model, Memory of the last turn H":         "the simulator's machine has no NVIDIA GPU",
	"exobench-model, Memory through the turns B":        noPSS,
	"exobench-node, exo's resident memory B":            noPSS,
	"exobench-compare, Memory bandwidth used A":         outruns,
	"exobench-compare, Side by side L":                  outruns,
	"exobench-node, Agents A":                           "a demo is one machine",
}

// bySystem are the panels whose queries find something where the system that runs the demo tells it: Linux with PSI, an Intel
// processor that is no virtual one, cpufreq, macOS.
var bySystem = []string{
	"exobench-model, Waiting for the machine", "exobench-model, Pressure, as macOS calls it", "exobench-model, Slowed down for heat",
	"exobench-model, Limit of the processor's frequency",
	"exobench-node, Waiting for each machine", "exobench-node, Pressure of each Mac", "exobench-node, Each machine slowed down for heat",
	"exobench-node, Limit of each machine's frequency",
}

const (
	noBaseline   = "what is normal takes a day of cycles to be known"
	noWeek       = "a demo has no day of a week before"
	nothingFires = "nothing fires in a demo that works"
	fewRequests  = "two cycles have fewer than 100 requests"
	outruns      = "the simulator in fast motion outruns the memory of the chip that it names"
	noPSS        = "the simulator's processes have no PSS"
)

func init() {
	for _, judged := range []struct{ panel, queries, why string }{
		{"overview, Models", "D", noBaseline},
		{"overview, Decode speed against its baseline", "BC", noBaseline},
		{"overview, What has changed and holds", "BCDE", noBaseline},
		{"model, Speed against its baseline", "ACDEFGH", noBaseline},
		{"model, Speed under these conditions", "ACDEFGH", noBaseline},
		{"model, First token against its baseline", "ABCDEFG", noBaseline},
		{"model, Evidence of a change", "A", noBaseline},
		{"model, What the judge says", "BCDEFGHIJK", noBaseline},
		{"model, Speed against weeks before", "AB", noWeek},
	} {
		for _, q := range judged.queries {
			withoutData["exobench-"+judged.panel+" "+string(q)] = judged.why
		}
	}
	for _, d := range []string{"exobench-compare", "exobench-model", "exobench-node", "exobench-overview"} {
		withoutData[d+", the line at the top B"] = "the rules are loaded"
		withoutData[d+", the line at the top C"] = "the rules are loaded"
		withoutData[d+", annotation Alerts"] = nothingFires
		withoutData[d+", annotation Answers"] = "the simulator repeats itself"
		withoutData[d+", annotation exo came or went"] = "the simulator runs all the time"
		withoutData[d+", annotation Configuration"] = "nobody reloads the configuration"
	}
}

// dashboardValues are the readers' choices. A demo has no yesterday: a minute ago stands for it.
var dashboardValues = map[string]string{
	"job": ".+", "instance": "exo", "model": "deepseek-r1", "reference": "llama-3.1-8b",
	"yesterday": "1m", "offset": "1m", "window": "10m",
	"objective_ttft": "2", "objective_itl": "0.1", "objective_rate": "10",
	"__range": "10m", "__interval": "15s", "__rate_interval": "1m",
}

// twoCycles waits until every prompt is recorded twice for every model, with the times of twenty requests, and returns
// when that was: a p95 needs these, of ten prompts two cycles, or one more where a busy machine has spoilt a request's
// times; and so does a comparison with before.
func twoCycles(t *testing.T, p stack.Prometheus) (now time.Time) {
	t.Helper()
	stack.Eventually(t, 6*time.Minute, time.Second, "every prompt is recorded twice for every model", func() bool {
		now = time.Now()
		got := p.At(t, now, `min(sum by (model, prompt) (sum_over_time(exobench:requests:added{outcome="ok"}[10m])))
			and count(sum by (model, prompt) (sum_over_time(exobench:requests:added{outcome="ok"}[10m]))) == 50`)
		timed := p.At(t, now, `min(histogram_count(sum by (model) (sum_over_time(exobench:model_time_to_first_token_seconds:added[10m]))))`)
		return len(got) == 1 && got[0].Value >= 2 && len(timed) == 1 && timed[0].Value >= 20
	})
	return now
}

// checkDashboards has Prometheus answer everything that the dashboards ask.
func checkDashboards(t *testing.T, prometheus stack.Prometheus, now time.Time) {
	dashboards, err := grafana.Dashboards()
	if err != nil {
		t.Fatal(err)
	}
	unused := maps.Clone(withoutData)
	for _, panel := range bySystem {
		unused[panel] = ""
	}
	for _, d := range dashboards {
		t.Run(d.UID, func(t *testing.T) {
			for _, v := range d.Templating.List {
				if v.Type == "query" {
					checkVariable(t, prometheus, now, v)
				}
			}
			for _, q := range d.Queries() {
				key := q.Dashboard + ", " + q.Place
				reason, excepted := withoutData[key]
				delete(unused, key)
				panel := key[:len(key)-len(" A")]
				delete(unused, panel)
				switch found := answered(t, prometheus, now, q); {
				case slices.Contains(bySystem, panel):
				case !found && !excepted:
					t.Errorf("%s: no data for %s", q.Place, q.Expand(dashboardValues))
				case found && excepted:
					t.Errorf("%s: there is data, though %s: %s", q.Place, reason, q.Expand(dashboardValues))
				}
			}
		})
	}
	for key := range unused {
		t.Errorf("no dashboard has %q, which is expected to be without data", key)
	}
}

// answered has Prometheus parse a query and ask it as Grafana does; it reports whether there is
// something to show.
func answered(t *testing.T, p stack.Prometheus, now time.Time, q grafana.Query) bool {
	t.Helper()
	expr := q.Expand(dashboardValues)
	if _, err := p.API.FormatQuery(t.Context(), expr); err != nil {
		t.Errorf("%s: Prometheus' parser refuses %s: %v", q.Place, expr, err)
		return false
	}
	if q.Instant {
		return slices.ContainsFunc(p.At(t, now, "%s", expr), func(s *model.Sample) bool {
			return s.Histogram != nil || !math.IsNaN(float64(s.Value)) && !math.IsInf(float64(s.Value), 0)
		})
	}
	value, warnings, _, err := p.API.QueryRange(
		t.Context(), expr, promapi.Range{Start: now.Add(-10 * time.Minute), End: now, Step: 15 * time.Second},
	)
	if err != nil {
		t.Fatalf("%s: %s: %v", q.Place, expr, err)
	}
	if len(warnings) > 0 {
		t.Errorf("%s: Prometheus warns: %v", q.Place, warnings)
	}
	return slices.ContainsFunc(value.(model.Matrix), func(s *model.SampleStream) bool {
		return len(s.Histograms) > 0 || slices.ContainsFunc(s.Values, func(v model.SamplePair) bool {
			return !math.IsNaN(float64(v.Value)) && !math.IsInf(float64(v.Value), 0)
		})
	})
}

var labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)

// checkVariable asserts that the reader is offered the value that the tests choose.
func checkVariable(t *testing.T, p stack.Prometheus, now time.Time, v grafana.Variable) {
	t.Helper()
	parts := labelValues.FindStringSubmatch(fmt.Sprint(v.Query))
	if parts == nil {
		t.Errorf("variable %s: %v is no query of label values", v.Name, v.Query)
		return
	}
	selector := grafana.Query{Expr: parts[1]}.Expand(dashboardValues)
	values, _, _, err := p.API.LabelValues(t.Context(), parts[2], []string{selector}, now.Add(-10*time.Minute), now)
	if err != nil {
		t.Errorf("variable %s: %s: %v", v.Name, selector, err)
		return
	}
	want := regexp.MustCompile("^" + dashboardValues[v.Name] + "$")
	if !slices.ContainsFunc(values, func(value model.LabelValue) bool { return want.MatchString(string(value)) }) {
		t.Errorf("variable %s offers %q, want %s among them", v.Name, values, want)
	}
}
