package replay

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"exo-bench-exporter/exporter/rules"
	"exo-bench-exporter/workload/judge/judgesim"
)

var (
	scale  = flag.Int("scale", 1, "multiply the number of runs of the scenarios that count rare events")
	update = flag.Bool("update", false, "write prometheus/QUALITY.md")
	seeds  = flag.Uint64("seeds", 0, "add this to every seed: runs that nobody has seen")
	only   = flag.String("scenario", "", "run scenarios whose name contains this")
)

const (
	interval = 10 * time.Minute
	day      = int(24 * time.Hour / interval)
	// unit is what false alarms are counted by: five models over 180 days.
	unit = 5 * 180 * day
	// mature is the cycle from which a baseline rests on a whole week, young one from which it rests
	// on two days and a half: all that a scenario needs which is not about baselines.
	mature, young = 8 * day, 3 * day
)

const (
	drop     = "ExoBenchThroughputDrop"
	collapse = "ExoBenchThroughputCollapse"
	drift    = "ExoBenchThroughputDrift"
	allSlow  = "ExoBenchAllModelsSlow"
	latency  = "ExoBenchLatencyRegression"
)

// throughput are the alerts that "no throughput alarm" is about.
var throughput = []string{drop, collapse, drift, allSlow}

// scenario is a part of the table. Its run adds lines and fails t where a bar is missed.
type scenario struct {
	name string
	run  func(t *testing.T, add addLine)
}

// addLine adds a line to the table: what was measured, the bar or nothing, and the result.
type addLine func(measure, bar, format string, args ...any)

var scenarios = slices.Concat(steadyScenarios, lossScenarios, noiseScenarios, troubleScenarios, latencyScenarios, checkScenarios)

// quick are the scenarios that -short runs: a loss that has to be found, one of all models at
// once, and failures that are no loss.
var quick = []string{
	"loss of 10 %, then half of it back",
	"all models of a node lose 10 % at once",
	"failures",
}

func TestQuality(t *testing.T) {
	// Replays allocate much and keep little.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	var mu sync.Mutex
	lines := map[string][]string{}
	began := time.Now()
	t.Run("scenarios", func(t *testing.T) {
		for _, s := range scenarios {
			if !strings.Contains(s.name, *only) || testing.Short() && !slices.Contains(quick, s.name) {
				continue
			}
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				s.run(t, func(measure, bar, format string, args ...any) {
					mu.Lock()
					defer mu.Unlock()
					result := fmt.Sprintf(format, args...)
					lines[s.name] = append(lines[s.name], fmt.Sprintf("| %s | %s | %s | %s |", s.name, measure, result, bar))
					t.Logf("%s: %s", measure, result)
				})
			})
		}
	})
	var b strings.Builder
	for _, s := range scenarios {
		for _, line := range lines[s.name] {
			b.WriteString(line + "\n")
		}
	}
	t.Logf("%v\n%s", time.Since(began).Round(time.Second), b.String())
	if *update && *only == "" && *seeds == 0 && !testing.Short() && !t.Failed() {
		if err := os.WriteFile("../../prometheus/QUALITY.md", []byte(fmt.Sprintf(qualityPage, *scale, b.String())), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestScenarioNames holds the list of quick scenarios against the scenarios.
func TestScenarioNames(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range scenarios {
		if seen[s.name] {
			t.Errorf("two scenarios are called %q", s.name)
		}
		seen[s.name] = true
	}
	for _, name := range quick {
		if !seen[name] {
			t.Errorf("no scenario is called %q", name)
		}
	}
}

// replay runs w at one evaluation a cycle.
func replay(t *testing.T, w World) []Episode {
	t.Helper()
	return replayAt(t, w, w.Interval, throughput...)
}

func replayAt(t *testing.T, w World, step time.Duration, alerts ...string) []Episode {
	t.Helper()
	o := rules.DefaultOptions()
	o.Interval, o.Evaluation = w.Interval, step
	file, err := rules.Generate(o)
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewEngine(t.TempDir(), file, alerts...)
	if err != nil {
		t.Fatal(err)
	}
	e.HistoryEvery = 3
	eps, err := w.Run(context.Background(), e, step)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return eps
}

// replays runs n worlds that differ in their seeds side by side and returns the episodes as of one
// world with all their nodes.
func replays(t *testing.T, n int, w World) ([]Episode, World) {
	t.Helper()
	var mu sync.Mutex
	var all []Episode
	t.Run("batches", func(t *testing.T) {
		for b := range n {
			t.Run(fmt.Sprint(b), func(t *testing.T) {
				t.Parallel()
				part := w
				part.Seed = w.Seed + uint64(b)
				eps := replay(t, part)
				mu.Lock()
				defer mu.Unlock()
				for _, ep := range eps {
					ep.Node += b * w.Nodes
					all = append(all, ep)
				}
			})
		}
	})
	w.Nodes *= n
	return all, w
}

func world(nodes, cycles int, seed uint64) World {
	return World{Interval: interval, Nodes: nodes, Models: 5, Cycles: cycles, Seed: seed + *seeds, Noise: Reference}
}

// single is a world of nodes with one model: as many runs for a fifth of the time, where the other
// models play no part.
func single(nodes, cycles int, seed uint64) World {
	w := world(nodes, cycles, seed)
	w.Models = 1
	return w
}

func percent(i judgesim.Interval) string {
	return fmt.Sprintf("%.1f %% (%.1f–%.1f)", 100*i.Estimate, 100*i.Low, 100*i.High)
}

func rate(i judgesim.Interval) string {
	return fmt.Sprintf("%.2f (%.2f–%.2f)", i.Estimate, i.Low, i.High)
}

// between returns the episodes of the given alerts that begin in cycles from (included) to to.
func between(eps []Episode, from, to int, alerts ...string) []Episode {
	var some []Episode
	for _, ep := range eps {
		if ep.From > float64(from) && ep.From <= float64(to) && slices.Contains(alerts, ep.Alert) {
			some = append(some, ep)
		}
	}
	return some
}

// falseAlarms counts the episodes from a cycle on, as a rate per unit.
func falseAlarms(eps []Episode, from int, w World, alerts ...string) (judgesim.Interval, []Episode) {
	some := between(eps, from, w.Cycles, alerts...)
	return judgesim.Poisson(len(some), float64(w.Nodes*w.Models*(w.Cycles-from))/float64(unit)), some
}

// kinds says how many of the episodes are of which alert.
func kinds(eps []Episode) string {
	var all []string
	for _, name := range append(slices.Clone(throughput), latency) {
		if n := len(between(eps, 0, math.MaxInt32, name)); n > 0 {
			all = append(all, fmt.Sprintf("%d %s", n, strings.TrimPrefix(name, "ExoBench")))
		}
	}
	if all == nil {
		return "none seen"
	}
	return "seen: " + strings.Join(all, ", ")
}

// trials are changes of one model of a node after another, far enough apart.
type trials struct {
	first, every, length int
}

// at returns the trial that a model is in, or -1.
func (tr trials) at(model, cycle, models int) int {
	k := cycle - tr.first
	if k < 0 || k%tr.every >= tr.length || k/tr.every%models != model {
		return -1
	}
	return k / tr.every
}

// delays returns, for each trial of the chosen nodes, after how many changed cycles the first alert
// about that model fired; 0 where none did.
func (tr trials) delays(eps []Episode, w World, chosen func(node int) bool, alerts ...string) []int {
	n := (w.Cycles - tr.first) / tr.every
	var all []int
	for node := range w.Nodes {
		if !chosen(node) {
			continue
		}
		for trial := range n {
			onset, found := tr.first+trial*tr.every, 0
			for _, ep := range eps {
				k := int(math.Ceil(ep.From)) - onset
				if ep.Node == node && ep.Model == trial%w.Models && slices.Contains(alerts, ep.Alert) && k > 0 && k <= tr.length && (found == 0 ||
					k < found) {
					found = k
				}
			}
			all = append(all, found)
		}
	}
	return all
}

func every(int) bool { return true }

func within(delays []int, cycles int) judgesim.Interval {
	hits := 0
	for _, d := range delays {
		if d > 0 && d <= cycles {
			hits++
		}
	}
	return judgesim.Wilson(hits, len(delays))
}

// median returns the median delay, in which what was never found counts as later than all else.
func median(delays []int) string {
	s := slices.Clone(delays)
	for i, d := range s {
		if d == 0 {
			s[i] = math.MaxInt
		}
	}
	slices.Sort(s)
	if m := s[len(s)/2]; m != math.MaxInt {
		return fmt.Sprint(m)
	}
	return "never"
}
