package replay

import (
	"bufio"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	prometheus "github.com/prometheus/prometheus/rules"
)

var (
	otherRules = flag.String("rules", "", "benchmark this rule file beside the generated one")
	nodeCount  = flag.Int("nodes", 100, "number of nodes")
)

const (
	scrapeEvery = 15 * time.Second
	// evaluations is how many times 30 seconds pass while the rules are evaluated: half an hour, in which every group is due.
	evaluations = 60
	// history is for how long the nodes have been scraped by then: longer than any rule looks back.
	history = 27 * time.Hour
)

// BenchmarkEvaluation is what Prometheus spends on the rules in 30 seconds, in processor time, all groups by how often they
// are due, for nodes that expose what the demo does and have been scraped for more than a day. It is the mean of half an hour.
//
//	go test -tags remove_all_sd -run - -bench Evaluation -benchtime 1x -args -rules FILE
func BenchmarkEvaluation(b *testing.B) {
	files := map[string]string{"generated": ruleFile(b)}
	if *otherRules != "" {
		files["other"] = *otherRules
	}
	reach := map[string]time.Duration{}
	for _, file := range files {
		lookBack(b, file, reach)
	}
	begin := start.Add(history)
	for name, file := range files {
		b.Run(name, func(b *testing.B) {
			e := engine(b, file)
			nodes := exposed(b, reach, *nodeCount)
			for at := start; at.Before(begin); at = at.Add(scrapeEvery) {
				scrapeAll(b, e, nodes, at, begin)
			}
			var total time.Duration
			byGroup := map[string]time.Duration{}
			for b.Loop() {
				for at := begin; at.Before(begin.Add(evaluations * 30 * time.Second)); at = at.Add(scrapeEvery) {
					scrapeAll(b, e, nodes, at, begin)
					if at.Second()%30 != 0 {
						continue
					}
					took, err := e.Eval(b.Context(), at)
					if err != nil {
						b.Fatal(err)
					}
					for group, d := range took {
						total += d
						byGroup[group] += d
					}
				}
			}
			e.Firing(func(a *prometheus.Alert) { b.Fatalf("%v fires", a.Labels) })
			each := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / evaluations }
			var costs strings.Builder
			for _, group := range slices.Sorted(maps.Keys(byGroup)) {
				fmt.Fprintf(&costs, "%s %.1f ms; ", group, each(byGroup[group]))
			}
			b.Log(costs.String())
			b.ReportMetric(each(total), "ms/30s")
			b.ReportMetric(float64(len(nodes)), "series")
		})
	}
}

// lookBack notes for every metric how far back the rules of a file ask for it.
func lookBack(b *testing.B, file string, reach map[string]time.Duration) {
	b.Helper()
	groups, errs := rulefmt.ParseFile(file, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		b.Fatal(errs[0])
	}
	p := parser.NewParser(parser.Options{})
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			expr, err := p.ParseExpr(r.Expr)
			if err != nil {
				b.Fatal(err)
			}
			parser.Inspect(expr, func(n parser.Node, path []parser.Node) error {
				v, ok := n.(*parser.VectorSelector)
				if !ok {
					return nil
				}
				back := v.OriginalOffset
				for _, around := range path {
					if m, ok := around.(*parser.MatrixSelector); ok {
						back += m.Range
					}
				}
				reach[v.Name] = max(reach[v.Name], back)
				return nil
			})
		}
	}
}

type exposedSeries struct {
	*Series
	value float64
	step  float64       // what a cycle adds
	reach time.Duration // how far back any rule asks for it
}

// scrapeAll adds what the rules will ask for when they are evaluated from begin on.
func scrapeAll(b *testing.B, e *Engine, all []*exposedSeries, at, begin time.Time) {
	b.Helper()
	const slack = 10 * time.Minute
	for _, s := range all {
		if at.Unix()%int64(interval.Seconds()) == 0 {
			s.value += s.step
		}
		if at.Before(begin.Add(-s.reach - slack)) {
			continue
		}
		if err := e.Scrape(s.Series, at, s.value); err != nil {
			b.Fatal(err)
		}
	}
}

// usual is what stands in the place of figures that differ from run to run, most of them bytes: those of a node on which no
// alert fires.
func usual(name string) float64 {
	if name == "exobench_model_unreleased_memory_bytes" {
		return 1 << 20
	}
	return 4 << 30
}

// exposed returns the series of the demo's exposition that rules read, and those of its verdicts once it has learnt, of so
// many nodes.
func exposed(b *testing.B, reach map[string]time.Duration, nodes int) []*exposedSeries {
	b.Helper()
	f, err := os.Open("../../app/testdata/demo.metrics")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var all []*exposedSeries
	p := parser.NewParser(parser.Options{})
	add := func(line string, value float64) {
		metric, err := p.ParseMetric(line)
		if err != nil {
			b.Fatalf("%s: %v", line, err)
		}
		name := metric.Get(model.MetricNameLabel)
		back, read := reach[name]
		if !read {
			return
		}
		for n := range nodes {
			ls := labels.NewBuilder(metric).Set("job", "exo-bench-exporter").Set("instance", fmt.Sprintf("node-%d:9955", n)).Labels()
			s := &exposedSeries{Series: &Series{labels: ls}, value: value, reach: back}
			switch {
			case math.IsNaN(value):
				s.value, s.step = usual(name), 1<<20
			case strings.HasSuffix(name, "_total") && value > 0:
				s.step = 1
			}
			all = append(all, s)
		}
	}
	known := []string{"exobench_judge_learning", "process_start_time_seconds"}
	notInName := func(r rune) bool { return r == '{' || r == ' ' }
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		i := strings.LastIndexByte(line, ' ')
		if i < 0 || line[0] == '#' || slices.Contains(known, strings.FieldsFunc(line, notInName)[0]) {
			continue
		}
		value, err := strconv.ParseFloat(line[i+1:], 64)
		switch {
		case line[i+1:] == "<measured>":
			value = math.NaN()
		case err != nil:
			b.Fatalf("%s: %v", line, err)
		}
		add(line[:i], value)
	}
	add("up", 1)
	add("process_start_time_seconds", float64(start.Unix()))
	quantities := []string{"decode", "prefill", "ttft"}
	kinds := []string{"collapse", "drop", "drift", "partial", "intermittent", "unstable", "gain"}
	for _, quantity := range quantities {
		for _, name := range []string{"llama-3.1-8b", "llama-3.2-1b", "mistral-7b", "qwen-1.5-7b", "deepseek-r1"} {
			add(fmt.Sprintf("exobench_judge_learning{model=%q,quantity=%q}", name, quantity), 0)
			for _, kind := range kinds {
				add(fmt.Sprintf("exobench_speed_alarm{model=%q,quantity=%q,kind=%q}", name, quantity, kind), 0)
			}
		}
		for _, kind := range kinds {
			add(fmt.Sprintf("exobench_node_speed_alarm{quantity=%q,kind=%q}", quantity, kind), 0)
		}
	}
	return slices.Clip(all)
}
