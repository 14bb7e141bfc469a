package grafana_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/exporter/metric"
	"exo-bench-exporter/grafana"
)

func load(t *testing.T) []grafana.Dashboard {
	t.Helper()
	all, err := grafana.Dashboards()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// each runs a subtest for every dashboard.
func each(t *testing.T, check func(t *testing.T, d grafana.Dashboard)) {
	for _, d := range load(t) {
		t.Run(d.UID, func(t *testing.T) { check(t, d) })
	}
}

func TestUIDs(t *testing.T) {
	var uids []string
	for _, d := range load(t) {
		uids = append(uids, d.UID)
	}
	want := []string{"exobench-compare", "exobench-model", "exobench-node", "exobench-overview"}
	if !slices.Equal(uids, want) {
		t.Errorf("the dashboards are %q, want %q", uids, want)
	}
}

func TestDashboards(t *testing.T) {
	each(t, func(t *testing.T, d grafana.Dashboard) {
		if d.Title == "" || d.Description == "" {
			t.Errorf("title %q, description %q: want both", d.Title, d.Description)
		}
		var names []string
		for _, v := range d.Templating.List {
			names = append(names, v.Name)
		}
		for _, name := range []string{"datasource", "job", "instance"} {
			if !slices.Contains(names, name) {
				t.Errorf("there is no variable %s among %q", name, names)
			}
		}
		if !slices.ContainsFunc(d.Links, func(l grafana.Link) bool {
			return l.Type == "dashboards" && l.IncludeVars && l.KeepTime && slices.Equal(l.Tags, d.Tags)
		}) {
			t.Error("no link leads to the other dashboards with variables and period")
		}
	})
}

// core are the panel types that every Grafana from 10 to 13 has without a plugin.
var core = []string{"bargauge", "heatmap", "row", "stat", "state-timeline", "table", "text", "timeseries"}

func TestPanels(t *testing.T) {
	each(t, func(t *testing.T, d grafana.Dashboard) {
		ids := map[int]string{}
		for _, p := range d.Panels {
			if other, taken := ids[p.ID]; p.ID == 0 || taken {
				t.Errorf("panel %q has the id %d of %q; ids must be unique and not 0", p.Title, p.ID, other)
			}
			ids[p.ID] = p.Title
			if !slices.Contains(core, p.Type) {
				t.Errorf("panel %q is a %q, want one of %q", p.Title, p.Type, core)
			}
			if p.Title == "" && p.GridPos.Y > 0 { // the line across the top has no room for one
				t.Errorf("panel %d has no title", p.ID)
			}
			if p.Type == "row" {
				continue
			}
			if p.Type == "text" {
				if p.Options.Content == "" {
					t.Errorf("panel %q says nothing", p.Title)
				}
				continue
			}
			if p.Description == "" || p.FieldConfig.Defaults.Unit == "" || p.FieldConfig.Defaults.NoValue == "" {
				t.Errorf("panel %q: description %q, unit %q, text without data %q: want all three",
					p.Title, p.Description, p.FieldConfig.Defaults.Unit, p.FieldConfig.Defaults.NoValue)
			}
			if p.Datasource.UID != "${datasource}" {
				t.Errorf("panel %q asks data source %q, want the variable", p.Title, p.Datasource.UID)
			}
			if len(p.Targets) == 0 {
				t.Errorf("panel %q asks nothing", p.Title)
			}
			for _, target := range p.Targets {
				if target.Datasource.UID != "${datasource}" {
					t.Errorf("panel %q, query %s asks data source %q, want the variable", p.Title, target.RefID, target.Datasource.UID)
				}
			}
		}
	})
}

// TestPanelsFitTheGrid asserts that panels stay within 24 columns and cover none of each other.
func TestPanelsFitTheGrid(t *testing.T) {
	each(t, func(t *testing.T, d grafana.Dashboard) {
		for i, p := range d.Panels {
			a := p.GridPos
			if a.W < 1 || a.H < 1 || a.X < 0 || a.X+a.W > 24 {
				t.Errorf("panel %q is at %+v, outside the grid", p.Title, a)
			}
			for _, o := range d.Panels[:i] {
				b := o.GridPos
				// What is in collapsed rows lies below them when they are opened.
				if p.Row == o.Row && a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
					t.Errorf("panels %q and %q overlap", p.Title, o.Title)
				}
			}
		}
	})
}

// TestSimulatedIsSaid asserts that no reader can miss that figures are simulated: the first
// panel, across the whole width, and a mark over every graph.
func TestSimulatedIsSaid(t *testing.T) {
	each(t, func(t *testing.T, d grafana.Dashboard) {
		first := d.Panels[0]
		if first.GridPos.Y != 0 || first.GridPos.W != 24 || !strings.Contains(first.Targets[0].Expr, "exobench_simulated") {
			t.Errorf("the first panel is %q at %+v, want exobench_simulated across the top", first.Title, first.GridPos)
		}
		if !slices.ContainsFunc(d.Annotations.List, func(a grafana.Annotation) bool {
			return strings.Contains(a.Expr, "exobench_simulated") && a.Expr == a.Target.Expr
		}) {
			t.Error("graphs are not marked where exobench_simulated is 1")
		}
	})
}

var (
	quoted     = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	clauses    = regexp.MustCompile(`\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)`)
	selector   = regexp.MustCompile(`\{[^}]*\}`)
	windows    = regexp.MustCompile(`\[([^\]]*)\]`)
	durations  = regexp.MustCompile(`\[\s*\d|offset\s+\d`)
	identifier = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*`)
	// counterUse finds counters with the nearest function before them.
	counterUse = regexp.MustCompile(`(\w+)\s*\(\s*(\w+_total)\b`)
	counter    = regexp.MustCompile(`\b\w+_total\b`)
	// growth finds what a counter has grown by since the point before: that of one, four times.
	growth = regexp.MustCompile(strings.NewReplacer("X", `(\w+\{[^}]*\})`, "$", `\$`).
		Replace("X - X offset $__interval >= 0 or X < X offset $__interval"))
)

// words are the functions, operators and keywords that the queries use, clauses aside.
var words = strings.Fields(`
	absent and avg changes clamp_max clamp_min count count_over_time end group histogram_count histogram_fraction histogram_quantile increase
	label_replace last_over_time max max_over_time min offset or quantile_over_time rate round sum sum_over_time time unless`)

// metricNames returns the identifiers of a query that are neither words of PromQL, nor labels,
// nor Grafana's variables.
func metricNames(expr string) []string {
	for _, strip := range []*regexp.Regexp{quoted, clauses, selector, windows} {
		expr = strip.ReplaceAllString(expr, " ")
	}
	expr = regexp.MustCompile(`\$\w+|\b\d[\w.]*`).ReplaceAllString(expr, " ")
	var names []string
	for _, name := range identifier.FindAllString(expr, -1) {
		if !slices.Contains(words, name) {
			names = append(names, name)
		}
	}
	return names
}

// recorded returns the names that the recording rules give.
func recorded(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("../prometheus/rules/*.yml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("there are no rules: %v", err)
	}
	var names []string
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Groups []struct {
				Rules []struct{ Record string }
			}
		}
		if err := yaml.Unmarshal(text, &file); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, group := range file.Groups {
			for _, rule := range group.Rules {
				names = append(names, rule.Record)
			}
		}
	}
	return names
}

// TestMetricsExist asserts that every metric is one that the exporter declares, one that a rule records, or one that
// Prometheus or client_golang adds.
func TestMetricsExist(t *testing.T) {
	known := map[string]bool{
		"ALERTS": true, "ALERTS_FOR_STATE": true, "up": true, "scrape_duration_seconds": true, "scrape_samples_scraped": true,
		"go_goroutines": true, "process_cpu_seconds_total": true, "process_resident_memory_bytes": true, "process_start_time_seconds": true,
	}
	for _, f := range exporter.Families() {
		known[f.FullName()] = true
		if f.Kind == metric.KindHistogram {
			known[f.FullName()+"_sum"], known[f.FullName()+"_count"] = true, true
		}
	}
	for _, name := range recorded(t) {
		known[name] = true
	}
	each(t, func(t *testing.T, d grafana.Dashboard) {
		for _, q := range d.Queries() {
			names := metricNames(q.Expr)
			if len(names) == 0 {
				t.Errorf("%s: no metric in %s", q.Place, q.Expr)
			}
			for _, name := range names {
				if !known[name] {
					t.Errorf("%s: neither the exporter nor a rule has a metric %s", q.Place, name)
				}
			}
		}
	})
}

func TestQueriesNameNoDuration(t *testing.T) {
	// The panel whose title names days of the calendar.
	const calendar = "Speed against weeks before "
	each(t, func(t *testing.T, d grafana.Dashboard) {
		for _, q := range d.Queries() {
			if strings.HasPrefix(q.Place, calendar) {
				continue
			}
			expr := quoted.ReplaceAllString(q.Expr, `""`)
			if found := durations.FindString(expr); found != "" {
				t.Errorf("%s: %q is a fixed duration in %s", q.Place, found, q.Expr)
			}
			for _, w := range windows.FindAllStringSubmatch(expr, -1) {
				switch w[1] {
				case "$__rate_interval", "$__interval", "$__range", "$window",
					"$__range:$__interval", "$window:$__interval", "$yesterday:$__interval",
					"$window:15s": // records of single requests last for one evaluation of their rules
				default:
					t.Errorf("%s: window [%s] in %s", q.Place, w[1], q.Expr)
				}
			}
		}
	})
}

// TestCountersAreRated asserts that no counter is shown as it stands.
func TestCountersAreRated(t *testing.T) {
	each(t, func(t *testing.T, d grafana.Dashboard) {
		for _, q := range d.Queries() {
			expr := quoted.ReplaceAllString(q.Expr, `""`)
			rated := 0
			for _, use := range counterUse.FindAllStringSubmatch(expr, -1) {
				if use[1] == "rate" || use[1] == "increase" {
					rated++
				}
			}
			for _, one := range growth.FindAllStringSubmatch(q.Expr, -1) {
				if uses := one[1:]; len(slices.Compact(slices.Clone(uses))) == 1 {
					rated += len(uses)
				}
			}
			if all := len(counter.FindAllString(expr, -1)); rated != all {
				t.Errorf("%s: %d of %d counters are under rate or increase, or a difference, in %s", q.Place, rated, all, q.Expr)
			}
		}
	})
}

// ofNoNode are series of rules, ofTheJob those of all its machines: memory agents are instances of their own.
var (
	ofNoNode = []string{"exobench:alert:info", "exobench:dashboard_rules:info"}
	ofTheJob = regexp.MustCompile(`^exobench_(agent_driver_up|node_((cpu|pressure)_\w+|(thermal|memory)_pressure))$`)
)

// TestEveryQueryIsOfTheChosenNode asserts that every selector of the exporter's own series
// keeps to the node that the reader chose, or where it is about all machines to its job.
func TestEveryQueryIsOfTheChosenNode(t *testing.T) {
	own := regexp.MustCompile(`(exobench[_:][\w:]+)(\{[^}]*\})?`)
	each(t, func(t *testing.T, d grafana.Dashboard) {
		for _, q := range d.Queries() {
			for _, s := range own.FindAllStringSubmatch(q.Expr, -1) {
				switch name, matchers := s[1], s[2]; {
				case slices.Contains(ofNoNode, name):
				case ofTheJob.MatchString(name):
					if matchers != `{job=~"$job"}` {
						t.Errorf("%s: %s is not of all machines of the job", q.Place, s[0])
					}
				case !strings.Contains(matchers, `job=~"$job"`) || !strings.Contains(matchers, `instance=~"$instance"`):
					t.Errorf("%s: %s is not limited to $job and $instance", q.Place, s[0])
				}
			}
		}
	})
}

func TestExpandLeavesNoVariable(t *testing.T) {
	values := map[string]string{
		"job": "exo-bench-exporter", "instance": "exo", "model": "llama-3.1-8b", "reference": "llama-3.1-8b",
		"__rate_interval": "1m", "__range": "6h", "__interval": "15s",
	}
	each(t, func(t *testing.T, d grafana.Dashboard) {
		all := d.Defaults()
		for name, value := range values {
			all[name] = value
		}
		left := regexp.MustCompile(`\$[a-z_{]`)
		for _, q := range d.Queries() {
			if expanded := q.Expand(all); left.MatchString(expanded) {
				t.Errorf("%s: variables are left in %s", q.Place, expanded)
			}
		}
	})
}

func TestExpandPrefersTheLongerName(t *testing.T) {
	q := grafana.Query{Expr: "a[$range_x] + b[${range}] + c[$range]"}
	if got, want := q.Expand(map[string]string{"range": "1h", "range_x": "2h"}), "a[2h] + b[1h] + c[1h]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What only Prometheus answers says so, because it keeps native histograms as such and others do not.
func TestWhatNeedsPrometheusSaysSo(t *testing.T) {
	const mark = "Needs native histograms, as Prometheus has them."
	native := regexp.MustCompile(`histogram_\w+\(|(first_token|inter_token_latency|per_output_token|request_duration)_seconds:added|` +
		`first_token_seconds:request|request_duration_seconds_sum:added`)
	marked := 0
	each(t, func(t *testing.T, d grafana.Dashboard) {
		for _, p := range d.Panels {
			needs := slices.ContainsFunc(p.Targets, func(q grafana.Target) bool { return native.MatchString(q.Expr) })
			if says := strings.Contains(p.Description, mark); says != needs {
				t.Errorf("panel %q: needs Prometheus: %v, says so: %v", p.Title, needs, says)
			}
			if needs {
				marked++
			}
		}
	})
	if marked == 0 {
		t.Error("no panel is of histograms")
	}
}
