package replay

import (
	"bufio"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

var (
	otherRules = flag.String("rules", "", "benchmark this rule file beside the generated one")
	nodeCount  = flag.Int("nodes", 100, "number of nodes")
)

// BenchmarkEvaluation is what Prometheus spends on the rules in 30 seconds, in processor time, all groups by how often they
// are due, for 100 nodes that expose what the demo does, scraped every 15 seconds for more than two hours. Half an hour of
// it passes while the rules are evaluated, of which the mean is taken.
//
//	go test -tags remove_all_sd -run - -bench Evaluation -benchtime 1x -args -rules FILE
func BenchmarkEvaluation(b *testing.B) {
	files := map[string]string{"generated": ruleFile(b)}
	if *otherRules != "" {
		files["other"] = *otherRules
	}
	for name, file := range files {
		b.Run(name, func(b *testing.B) {
			e := engine(b, file)
			var total time.Duration
			byGroup := map[string]time.Duration{}
			begin := start.Add(2*time.Hour + 10*time.Minute)
			nodes := exposed(b, file, *nodeCount)
			for at := start; at.Before(begin); at = at.Add(15 * time.Second) {
				scrapeAll(b, e, nodes, at)
			}
			const evaluations = 60
			for b.Loop() {
				for i := range 2 * evaluations {
					at := begin.Add(time.Duration(i) * 15 * time.Second)
					scrapeAll(b, e, nodes, at)
					if i%2 == 1 {
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
			for group, d := range byGroup {
				b.Logf("%s: %.1f ms", group, float64(d.Microseconds())/1000/evaluations)
			}
			b.ReportMetric(float64(total.Microseconds())/1000/evaluations, "ms/30s")
			b.ReportMetric(float64(len(nodes)), "series")
		})
	}
}

type exposedSeries struct {
	*Series
	value float64
	grows bool
}

func scrapeAll(b *testing.B, e *Engine, all []*exposedSeries, at time.Time) {
	b.Helper()
	for _, s := range all {
		if s.grows && at.Unix()%900 == 0 {
			s.value++
		}
		if err := e.Scrape(s.Series, at, s.value); err != nil {
			b.Fatal(err)
		}
	}
}

// exposed returns the series of the demo's exposition that the rules read, and those of its verdicts once it has learnt,
// of so many nodes.
func exposed(b *testing.B, ruleFile string, nodes int) []*exposedSeries {
	b.Helper()
	text, err := os.ReadFile(ruleFile)
	if err != nil {
		b.Fatal(err)
	}
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
		if !strings.Contains(string(text), name) {
			return
		}
		for n := range nodes {
			ls := labels.NewBuilder(metric).Set("job", "exo-bench-exporter").Set("instance", fmt.Sprintf("node-%d:9955", n)).Labels()
			all = append(all, &exposedSeries{&Series{labels: ls}, value, strings.HasSuffix(name, "_total") && value > 0})
		}
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		i := strings.LastIndexByte(line, ' ')
		if i < 0 || line[0] == '#' || strings.HasPrefix(line, "exobench_judge_learning") {
			continue
		}
		value, err := strconv.ParseFloat(line[i+1:], 64)
		if err != nil || math.IsNaN(value) {
			continue
		}
		add(line[:i], value)
	}
	add("up", 1)
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
