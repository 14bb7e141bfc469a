package judgesim

import (
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload/judge"
)

var (
	seed      = flag.Uint64("seed", 2_000_000, "first seed, one that nothing was tuned on")
	runs      = flag.Int("runs", 0, "installations of each line about finding; 0 skips the table")
	branches  = flag.Int("branches", 20, "futures of each installation")
	halfYears = flag.Int("halfyears", 10, "runs of each line about false alarms")
	days      = flag.Int("days", 180, "length of those, of which none is shorter than what its line leaves out at the begin")
	intervals = flag.String("intervals", "1m,10m,15m,1h", "between cycles, separated by commas")
	only      = flag.String("scenario", "", "lines whose name contains one of these, separated by |")
	strict    = flag.Float64("strict", 1, "multiply every threshold: the trade of power against false alarms")
)

// TestTable prints the table of docs/judge.md as far as the flags ask for it. It takes minutes to hours.
func TestTable(t *testing.T) {
	if *runs == 0 {
		t.Skip("-runs says how many")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // what is alive is little
	for _, s := range Table() {
		for _, word := range strings.Split(*intervals, ",") {
			interval, err := time.ParseDuration(word)
			if err != nil {
				t.Fatal(err)
			}
			if !asked(s) {
				continue
			}
			p := Plan{Interval: interval, Seed: *seed, Runs: *runs, Branches: *branches, Strictness: *strict}
			p.Until = time.Duration(*days) * oneDay
			if s.Steady {
				p.Runs = *halfYears
			}
			fmt.Printf("| %s | %s | %s | %s |\n", word, s.Name, s.Bar, p.Ask(s))
		}
	}
}

// asked reports whether the flags ask for s.
func asked(s Scenario) bool {
	if s.Steady && *halfYears == 0 || !s.Steady && *branches == 0 {
		return false
	}
	return slices.ContainsFunc(strings.Split(*only, "|"), func(part string) bool { return strings.Contains(s.Name, part) })
}

func (o Outcome) String() string {
	if o.Seen == nil {
		return fmt.Sprintf("%.1f %% (%.1f–%.1f) of %d", 100*o.Estimate, 100*o.Low, 100*o.High, o.N)
	}
	var kinds []string
	for _, k := range slices.Sorted(maps.Keys(o.Seen)) {
		kinds = append(kinds, fmt.Sprintf("%d %s", o.Seen[k], k))
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f) in %.1f half-years: %s", o.Estimate, o.Low, o.High, o.HalfYears, strings.Join(kinds, ", "))
}

// TestShort asks a little of what the table asks, with one turn an hour. Seeds are fixed, so that it
// always says the same.
func TestShort(t *testing.T) {
	p := Plan{Interval: time.Hour, Seed: 1, Runs: 1, Branches: 5}
	for _, s := range Table() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			switch {
			case s.Steady && s.Name != "reference noise" && s.Name != "noise of 0.05 %":
				return // rare events say nothing in short runs
			case s.Steady:
				s.Until = 60 * oneDay
				if o := p.Ask(s); o.Low > s.Most {
					t.Error(o)
				}
			case s.Least > 0:
				if o := p.Ask(s); o.Estimate < 0.8 {
					t.Errorf("%s, want %s", o, s.Bar)
				}
			}
		})
	}
}

func TestNothingOnTheFirstDay(t *testing.T) {
	for i := range uint64(5) {
		w := plain
		w.Interval, w.Seed = 15*time.Minute, i
		r := w.Begin()
		r.Go(r.Cycles(oneDay), nil, nil)
		if all := r.Episodes(); len(all) > 0 {
			t.Errorf("seed %d: %+v", i, all)
		}
	}
}

func TestSameSeedSameRun(t *testing.T) {
	w := moody
	w.Interval, w.Seed = time.Hour, 3
	a, b := w.Begin(), w.Begin()
	a.Go(500, nil, nil)
	b.Go(500, nil, nil)
	if x, y := fmt.Sprint(a.Judge.Verdicts()), fmt.Sprint(b.Judge.Verdicts()); x != y {
		t.Errorf("%s\n%s", x, y)
	}
}

func TestNoiseIsWhatItSays(t *testing.T) {
	for _, n := range []Noise{{Rho: 0.5}, {Rho: 0.8}, {Rho: 0.5, Tail: 5}} {
		r := rand.New(rand.NewPCG(1, 2))
		var c carry
		var square, product, before float64
		const cycles = 200_000
		for range cycles {
			v := c.next(n, r)
			square += v * v / cycles
			product += v * before / cycles
			before = v
		}
		if math.Abs(square-1) > 0.05 || math.Abs(product/square-n.Rho) > 0.02 {
			t.Errorf("%+v: variance %.3f, correlation %.3f", n, square, product/square)
		}
	}
}

// TestEpisodesAreOpenUntilTheyEnd has one loss come and go.
func TestEpisodesAreOpenUntilTheyEnd(t *testing.T) {
	w := World{Interval: time.Hour, Seed: 5, Noise: Noise{SD: 0.01}}
	r := w.Begin()
	r.Go(240, nil, nil)
	r.Go(20, lasting(0.2, 1, 240), nil)
	all := r.Episodes()
	if len(all) != 1 || all[0].Model != 1 || all[0].Kind != judge.Drop || !all[0].Open || all[0].From < 243 || all[0].From > 245 {
		t.Fatalf("%+v", all)
	}
	r.Go(20, nil, nil)
	if all = r.Episodes(); len(all) != 1 || all[0].Open || all[0].To < 259 {
		t.Errorf("%+v", all)
	}
}
