package replay

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"exo-bench-exporter/exporter/rules"
)

var (
	scale  = flag.Int("scale", 1, "multiply the number of runs of the scenarios that count rare events")
	update = flag.Bool("update", false, "write prometheus/QUALITY.md")
	only   = flag.String("scenario", "", "run scenarios whose name contains this")
)

const (
	interval = 10 * time.Minute
	day      = int(24 * time.Hour / interval)
	// unit is what false alarms are counted by: five models over 180 days.
	unit = 5 * 180 * day
	// mature is the cycle from which a baseline rests on a whole week.
	mature = 8 * day
)

// report collects the lines of the table, in the order of the scenarios.
type report struct {
	mu    sync.Mutex
	lines map[int][]string
}

func (r *report) add(order int, scenario, measure, bar, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines[order] = append(r.lines[order], fmt.Sprintf("| %s | %s | %s | %s |", scenario, measure, fmt.Sprintf(format, args...), bar))
}

// replay runs w at one evaluation a cycle.
func replay(t *testing.T, w World) []Episode { return replayAt(t, w, w.Interval) }

func replayAt(t *testing.T, w World, step time.Duration) []Episode {
	t.Helper()
	o := rules.DefaultOptions()
	o.Interval, o.Evaluation = w.Interval, step
	file, err := rules.Generate(o)
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewEngine(t.TempDir(), file, "exobench-cycles", "exobench-history")
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

func world(nodes, cycles int, seed uint64) World {
	return World{Interval: interval, Nodes: nodes, Models: 5, Cycles: cycles, Seed: seed, Noise: Reference}
}

func percent(i Interval) string {
	return fmt.Sprintf("%.1f %% (%.1f–%.1f)", 100*i.Estimate, 100*i.Low, 100*i.High)
}

func rate(i Interval) string { return fmt.Sprintf("%.2f (%.2f–%.2f)", i.Estimate, i.Low, i.High) }

// falseAlarms counts the episodes from a cycle on, as a rate per unit.
func falseAlarms(eps []Episode, from int, w World) (Interval, int) {
	n := 0
	for _, ep := range eps {
		if ep.From >= float64(from) {
			n++
		}
	}
	return Poisson(n, float64(w.Nodes*w.Models*(w.Cycles-from))/float64(unit)), n
}

// trials are losses of one model of a node after another, far enough apart.
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

// delays returns, for each trial of the chosen nodes, after how many slow cycles the first alert
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
				if ep.Node == node && ep.Model == trial%w.Models && slices.Contains(alerts, ep.Alert) && k > 0 && k <= tr.length && (found == 0 || k < found) {
					found = k
				}
			}
			all = append(all, found)
		}
	}
	return all
}

func within(delays []int, cycles int) Interval {
	hits := 0
	for _, d := range delays {
		if d > 0 && d <= cycles {
			hits++
		}
	}
	return Wilson(hits, len(delays))
}

func median(delays []int) int {
	s := slices.Clone(delays)
	for i, d := range s {
		if d == 0 {
			s[i] = math.MaxInt
		}
	}
	slices.Sort(s)
	return s[len(s)/2]
}

const (
	drop     = "ExoBenchThroughputDrop"
	collapse = "ExoBenchThroughputCollapse"
	drift    = "ExoBenchThroughputDrift"
	allSlow  = "ExoBenchAllModelsSlow"
)

type scenario struct {
	name string
	run  func(t *testing.T, name string, add func(measure, bar, format string, args ...any))
}

var scenarios = []scenario{
	{"no change", func(t *testing.T, name string, add func(string, string, string, ...any)) {
		const batches = 4
		var eps []Episode
		var mu sync.Mutex
		w := world(15**scale, 22*day, 0)
		t.Run("batches", func(t *testing.T) {
			for b := range batches {
				t.Run(fmt.Sprint(b), func(t *testing.T) {
					t.Parallel()
					w := w
					w.Seed = uint64(1000 + b)
					got := replay(t, w)
					mu.Lock()
					defer mu.Unlock()
					for _, ep := range got {
						ep.Node += b * w.Nodes
						eps = append(eps, ep)
					}
				})
			}
		})
		w.Nodes *= batches
		byName := map[string]int{}
		early, firstDay := 0, 0
		for _, ep := range eps {
			switch {
			case ep.From <= float64(day):
				firstDay++
			case ep.From < float64(mature):
				early++
			default:
				byName[ep.Alert]++
			}
		}
		fa, n := falseAlarms(eps, mature, w)
		add("false alarms of all throughput alerts in 180 days of five models", "≤ 1", "%s, %d seen: %v", rate(fa), n, byName)
		add("false alarms on the first day after installation", "none", "%d in %d installations", firstDay, w.Nodes)
		add("installations with a false alarm in days 2 to 8", "", "%s", percent(Wilson(early, w.Nodes)))
		if fa.Estimate > 1 {
			t.Errorf("%s: %s false alarms in 180 days over five models, want at most 1", name, rate(fa))
		}
		if firstDay > 0 {
			t.Errorf("%s: %d alarms on the first day", name, firstDay)
		}
	}},
	{"sudden loss of one model", func(t *testing.T, name string, add func(string, string, string, ...any)) {
		tr := trials{first: mature, every: 60, length: 14}
		losses := []float64{0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.1, 0.2, 0.5, 0.05}
		var mu sync.Mutex
		delays := map[float64][]int{}
		collapses := []int{}
		t.Run("batches", func(t *testing.T) {
			for b := range 2 {
				t.Run(fmt.Sprint(b), func(t *testing.T) {
					t.Parallel()
					w := world(20**scale, mature+60*40, uint64(2000+b))
					w.Effect = func(node, model, cycle int) float64 {
						if tr.at(model, cycle, w.Models) >= 0 {
							return 1 - losses[node%len(losses)]
						}
						return 1
					}
					eps := replay(t, w)
					mu.Lock()
					defer mu.Unlock()
					for _, loss := range []float64{0.05, 0.1, 0.2, 0.5} {
						delays[loss] = append(delays[loss], tr.delays(eps, w, func(n int) bool { return losses[n%len(losses)] == loss }, drop, collapse)...)
					}
					collapses = append(collapses, tr.delays(eps, w, func(n int) bool { return losses[n%len(losses)] == 0.5 }, collapse)...)
				})
			}
		})
		for _, c := range []struct {
			loss    float64
			cycles  int
			least   float64
			bar     string
			measure string
			delays  []int
		}{
			{0.05, 8, 0.95, "≥ 95 %", "loss of 5 %: fires within 8 cycles", delays[0.05]},
			{0.10, 4, 0.99, "≥ 99 %", "loss of 10 %: fires within 4 cycles", delays[0.10]},
			{0.20, 3, 0.99, "", "loss of 20 %: fires within 3 cycles", delays[0.20]},
			{0.50, 2, 0.99, "always", "loss of 50 %: ExoBenchThroughputCollapse fires within 2 cycles", collapses},
		} {
			got := within(c.delays, c.cycles)
			add(c.measure, c.bar, "%s of %d; median after %d", percent(got), len(c.delays), median(c.delays))
			if got.Estimate < c.least {
				t.Errorf("%s: %s: %s", name, c.measure, percent(got))
			}
		}
	}},
	{"loss of 10 % that stays", func(t *testing.T, name string, add func(string, string, string, ...any)) {
		w := world(20, mature+8*day, 3000)
		w.Effect = func(node, model, cycle int) float64 {
			if model == node%5 && cycle >= mature {
				return 0.9
			}
			return 1
		}
		eps := replay(t, w)
		var still, unbroken int
		for _, ep := range eps {
			if end := float64(mature + 7*day); ep.Alert == drop && ep.Model == ep.Node%5 && ep.From <= end && ep.To >= end {
				still++
				if ep.From <= float64(mature+8) {
					unbroken++
				}
			}
		}
		add("still fires after 7 days", "always", "%s of %d", percent(Wilson(still, w.Nodes)), w.Nodes)
		add("has fired since the first 8 cycles without a break", "", "%s of %d", percent(Wilson(unbroken, w.Nodes)), w.Nodes)
		if still < w.Nodes {
			t.Errorf("%s: only %d of %d fire after 7 days", name, still, w.Nodes)
		}
	}},
	{"loss of 10 %, then half of it back", func(t *testing.T, name string, add func(string, string, string, ...any)) {
		w := world(20, mature+2*day, 3100)
		w.Effect = func(node, model, cycle int) float64 {
			switch {
			case model != node%5 || cycle < mature:
				return 1
			case cycle < mature+day/2:
				return 0.9
			}
			return 0.95
		}
		eps := replay(t, w)
		still := 0
		for _, ep := range eps {
			if ep.Alert == drop && ep.Model == ep.Node%5 && ep.From <= float64(mature+4) && ep.To >= float64(mature+2*day-1) {
				still++
			}
		}
		add("still fires a day and a half later", "", "%s of %d", percent(Wilson(still, w.Nodes)), w.Nodes)
		if still < w.Nodes*8/10 {
			t.Errorf("%s: only %d of %d still fire", name, still, w.Nodes)
		}
	}},
	{"loss of 1 % a day", func(t *testing.T, name string, add func(string, string, string, ...any)) {
		w := world(15, mature+10*day, 3200)
		w.Effect = func(node, model, cycle int) float64 {
			if model != node%5 {
				return 1
			}
			return 1 - 0.01*float64(max(0, cycle-mature))/float64(day)
		}
		eps := replay(t, w)
		for _, alerts := range [][]string{{drift}, {drift, drop}} {
			var losses []float64
			for node := range w.Nodes {
				first := math.Inf(1)
				for _, ep := range eps {
					if ep.Node == node && ep.Model == node%5 && slices.Contains(alerts, ep.Alert) && ep.From > float64(mature) {
						first = min(first, ep.From)
					}
				}
				losses = append(losses, (first-float64(mature))/float64(day))
			}
			slices.Sort(losses)
			worst := losses[len(losses)-1]
			add("loss when "+strings.Join(alerts, " or ")+" first fires", "< 12 %", "%.1f %% (median), %.1f %% (worst of %d)", losses[len(losses)/2], worst, len(losses))
			if worst > 12 {
				t.Errorf("%s: %s fires at a loss of %.1f %%", name, alerts, worst)
			}
		}
	}},
	{"all models of a node lose 10 % at once", func(t *testing.T, name string, add func(string, string, string, ...any)) {
		w := world(20, mature+60, 3300)
		w.Effect = func(_, _, cycle int) float64 {
			if cycle >= mature && cycle < mature+20 {
				return 0.9
			}
			return 1
		}
		eps := replay(t, w)
		var fired, alone int
		for node := range w.Nodes {
			first, beside := math.Inf(1), false
			for _, ep := range eps {
				if ep.Node != node || ep.From <= float64(mature) {
					continue
				}
				if ep.Alert == allSlow {
					first = min(first, ep.From)
				}
			}
			for _, ep := range eps { // a model's alert that nothing inhibits when it begins
				if ep.Node == node && ep.Model >= 0 && ep.From > float64(mature) && ep.From < first {
					beside = true
				}
			}
			if first <= float64(mature+4) {
				fired++
			}
			if !beside {
				alone++
			}
		}
		add("ExoBenchAllModelsSlow fires within 4 cycles", "one alert", "%s of %d", percent(Wilson(fired, w.Nodes)), w.Nodes)
		add("no alert about a single model comes before it", "inhibited", "%s of %d", percent(Wilson(alone, w.Nodes)), w.Nodes)
		if fired < w.Nodes || alone < w.Nodes {
			t.Errorf("%s: %d fired and %d alone, of %d", name, fired, alone, w.Nodes)
		}
	}},
	{"gaps: 5 % of turns fail, exporter restarts daily, exo dead for 20 cycles", func(t *testing.T, name string, add func(string, string, string, ...any)) {
		w := world(20, mature+1200, 3400)
		dead := func(cycle int) bool { return cycle >= mature+100 && cycle < mature+120 }
		tr := trials{first: mature + 200, every: 60, length: 14}
		w.Effect = func(node, model, cycle int) float64 {
			r := rand.New(rand.NewPCG(uint64(cycle), uint64(node*8+model)))
			switch {
			case dead(cycle) || r.Float64() < 0.05:
				return Missing
			case tr.at(model, cycle, w.Models) >= 0:
				return 0.9
			}
			return 1
		}
		w.Restart = func(node, cycle int) bool { return (cycle+7*node)%day == 0 }
		eps := replay(t, w)
		around := 0
		for _, ep := range eps {
			if ep.From > float64(mature+100) && ep.From < float64(mature+130) {
				around++
			}
		}
		delays := tr.delays(eps, w, func(int) bool { return true }, drop, collapse)
		got := within(delays, 4)
		add("throughput alarms while exo is dead and in the 10 cycles after", "none", "%d in %d runs", around, w.Nodes)
		add("loss of 10 %: fires within 4 cycles, missing ones counted", "", "%s of %d", percent(got), len(delays))
		before := eps[:0:0]
		for _, ep := range eps {
			if ep.From < float64(mature+100) {
				before = append(before, ep)
			}
		}
		w.Cycles = mature + 100
		fa, n := falseAlarms(before, day, w)
		add("false alarms in 180 days of five models", "", "%s, %d seen", rate(fa), n)
		if around > 0 || got.Estimate < 0.9 {
			t.Errorf("%s: %d alarms around the gap, power %s", name, around, percent(got))
		}
	}},
	{"one model ten times as noisy", func(t *testing.T, name string, add func(string, string, string, ...any)) {
		w := world(10**scale, 22*day, 3500)
		w.NoiseFactor = func(_, model int) float64 {
			if model == 2 {
				return 10
			}
			return 1
		}
		eps := replay(t, w)
		var noisy []Episode
		for _, ep := range eps {
			if ep.Model == 2 {
				noisy = append(noisy, ep)
			}
		}
		w.Models = 1
		fa, n := falseAlarms(noisy, mature, w)
		add("false alarms of the noisy model in 900 days", "", "%s, %d seen", rate(fa), n)
		if fa.Low > 1 {
			t.Errorf("%s: %s false alarms", name, rate(fa))
		}
	}},
	{"noise that carries over more (lag-1 autocorrelation 0.8)", func(t *testing.T, name string, add func(string, string, string, ...any)) {
		w := world(10**scale, 22*day, 3600)
		w.Noise.Rho = 0.8
		fa, n := falseAlarms(replay(t, w), mature, w)
		add("false alarms in 180 days of five models", "", "%s, %d seen", rate(fa), n)
	}},
	{"noise that all models of a node have in common", func(t *testing.T, name string, add func(string, string, string, ...any)) {
		w := world(10**scale, 22*day, 3700)
		w.Noise.Common = 1
		eps := replay(t, w)
		fa, n := falseAlarms(eps, mature, w)
		add("false alarms in 180 days of five models", "", "%s, %d seen", rate(fa), n)
	}},
	{"weekly habit: 3 % slower in office hours", func(t *testing.T, name string, add func(string, string, string, ...any)) {
		w := world(10**scale, 22*day, 3800)
		w.Effect = func(_, _, cycle int) float64 {
			at := Start.Add(time.Duration(cycle) * interval)
			if d := at.Weekday(); d != time.Saturday && d != time.Sunday && at.Hour() >= 9 && at.Hour() < 18 {
				return 0.97
			}
			return 1
		}
		fa, n := falseAlarms(replay(t, w), mature, w)
		add("false alarms in 180 days of five models, after the first week", "", "%s, %d seen", rate(fa), n)
	}},
	{"ten prompts, noise and outliers of each request by itself", func(t *testing.T, name string, add func(string, string, string, ...any)) {
		tr := trials{first: mature, every: 60, length: 14}
		w := world(5, mature+60*20, 3900)
		w.Prompts = 10
		w.Noise = Noise{SD: 0.0075, Rho: 0.5, PromptSD: 0.03, PromptOutliers: 0.02, OutlierLoss: 0.3}
		w.Effect = func(_, model, cycle int) float64 {
			if tr.at(model, cycle, w.Models) >= 0 {
				return 0.95
			}
			return 1
		}
		w.PromptGone = func(node, model, prompt, cycle int) bool {
			return rand.New(rand.NewPCG(uint64(cycle*16+prompt), uint64(node*8+model))).Float64() < 0.02
		}
		delays := tr.delays(replay(t, w), w, func(int) bool { return true }, drop, collapse)
		add("loss of 5 %: fires within 8 cycles", "", "%s of %d; median after %d", percent(within(delays, 8)), len(delays), median(delays))
		if within(delays, 8).Estimate < 0.95 {
			t.Errorf("%s: %s", name, percent(within(delays, 8)))
		}
	}},
	{"the same runs evaluated every 30 s and once a cycle", func(t *testing.T, name string, add func(string, string, string, ...any)) {
		w := world(10, 2*day+45, 4000)
		w.Effect = func(node, model, cycle int) float64 {
			if model == node%5 && cycle >= 2*day && cycle < 2*day+30 {
				return []float64{0.95, 0.9, 0.5}[node%3]
			}
			return 1
		}
		var coarse, fine []Episode
		t.Run("both", func(t *testing.T) {
			t.Run("fine", func(t *testing.T) { t.Parallel(); fine = replayAt(t, w, 30*time.Second) })
			t.Run("coarse", func(t *testing.T) { t.Parallel(); coarse = replay(t, w) })
		})
		by := func(a, b Episode) int {
			return cmp.Or(cmp.Compare(a.Alert, b.Alert), a.Node-b.Node, a.Model-b.Model, cmp.Compare(a.From, b.From))
		}
		slices.SortFunc(coarse, by)
		slices.SortFunc(fine, by)
		same := 0
		for i := range min(len(coarse), len(fine)) {
			c, f := coarse[i], fine[i]
			if c.Alert == f.Alert && c.Node == f.Node && c.Model == f.Model && math.Abs(math.Ceil(f.From)-c.From) <= 1 {
				same++
			}
		}
		add("alerts that fire in the same cycle or the next", "", "%d of %d (%d at 30 s)", same, len(coarse), len(fine))
		if len(coarse) == 0 || same < len(coarse)-1 || len(fine) > len(coarse)+1 {
			t.Errorf("%s:\n%v\n%v", name, coarse, fine)
		}
	}},
}

// quick are the scenarios that -short runs: a loss that has to be found, one that creeps, and
// one of all models at once.
var quick = []string{
	"loss of 10 %, then half of it back",
	"loss of 1 % a day",
	"all models of a node lose 10 % at once",
}

func TestQuality(t *testing.T) {
	r := report{lines: map[int][]string{}}
	began := time.Now()
	t.Run("scenarios", func(t *testing.T) {
		for i, s := range scenarios {
			if !strings.Contains(s.name, *only) || testing.Short() && !slices.Contains(quick, s.name) {
				continue
			}
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				s.run(t, s.name, func(measure, bar, format string, args ...any) {
					r.add(i, s.name, measure, bar, format, args...)
					t.Logf("%s: %s", measure, fmt.Sprintf(format, args...))
				})
			})
		}
	})
	var b strings.Builder
	for i := range scenarios {
		for _, line := range r.lines[i] {
			b.WriteString(line + "\n")
		}
	}
	t.Logf("%v\n%s", time.Since(began).Round(time.Second), b.String())
	if *update && *only == "" && !testing.Short() {
		text := fmt.Sprintf(qualityPage, *scale, b.String())
		if err := os.WriteFile("../../prometheus/QUALITY.md", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
