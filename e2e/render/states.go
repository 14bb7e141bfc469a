package render

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/rules"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
)

const (
	cycle = 15 * time.Minute
	// lead is how long the program runs before the moment at which the dashboards are looked at.
	lead = 90 * time.Minute
)

// state is what a node and what watches it are in when somebody looks.
type state struct {
	name string
	// young has no history: the program was started an hour before the moment of looking.
	young     bool
	simulated bool
	noRules   bool
	models    []string      // all when empty
	interval  time.Duration // of cycles; the default when zero
	// events happen so long before the moment of looking.
	events []event
}

type event struct {
	before time.Duration
	happen func(r *run) error
}

// The models that something happens to.
const (
	failing = "qwen-1.5-7b"
	slower  = "mistral-7b"
)

// states are all that the dashboards are looked at in.
var states = []state{
	{name: "firstday", young: true, simulated: true, interval: 5 * time.Minute},
	{name: "healthy"},
	{name: "modelfails", events: []event{
		goesWrong(50*time.Minute, exosim.Fault{Kind: exosim.RunnerFails, Model: failing, Message: "out of memory"}),
	}},
	{name: "exodown", events: []event{goesWrong(3*time.Minute, exosim.Fault{Kind: exosim.Unreachable})}},
	{name: "exporterdown", events: []event{{10 * time.Minute, func(r *run) error { return r.stop() }}}},
	{name: "norules", young: true, noRules: true},
	{name: "removed", models: without(failing)},
	{name: "slower", events: []event{goesWrong(lead-time.Minute, exosim.Fault{Kind: exosim.Slow, Model: slower, Percent: 10})}},
}

func goesWrong(before time.Duration, f exosim.Fault) event {
	return event{before, func(r *run) error {
		_, err := r.node.Inject(f)
		return err
	}}
}

func without(model string) []string {
	var names []string
	for _, m := range workload.DefaultModels() {
		if m.Name != model {
			names = append(names, m.Name)
		}
	}
	return names
}

// now is the moment at which a state is looked at.
func (s state) now() time.Time {
	if s.young {
		return epoch.Add(time.Hour)
	}
	return measured[len(measured)-1].to.Add(lead)
}

// chosen are the reader's choices: the model that something happens to, where there is one.
func (s state) chosen() map[string]string {
	switch s.name {
	case "modelfails":
		return map[string]string{"model": failing}
	case "slower":
		return map[string]string{"model": slower}
	}
	return nil
}

// epoch is when time begins in a bubble.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// measured are the stretches of time in which a node with a history was measured; in between the program was off.
var measured = []struct{ from, to time.Time }{
	{epoch, epoch.Add(2 * time.Hour)},                      // yesterday
	{epoch.Add(20 * time.Hour), epoch.Add(26 * time.Hour)}, // enough cycles for a baseline
}

// past is what the states have in common: the storage and the program's own directory at the end of the history.
type past struct{ blocks, program string }

// makePast measures a node in the past.
func makePast(t *testing.T, p past, ruleFiles []string) {
	t.Helper()
	s, err := openStore(t.TempDir(), ruleFiles...)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		for _, stretch := range measured {
			time.Sleep(time.Until(stretch.from))
			r := start(t, p.program, false, nil)
			measure(t, r, s, stretch.to, pace{scrape: time.Minute, rules: 5 * time.Minute}, nil)
			if err := r.stop(); err != nil {
				t.Error(err)
			}
		}
	})
	if err := s.save(p.blocks); err != nil {
		t.Fatal(err)
	}
}

// makeState puts the storage of a state into dir.
func makeState(t *testing.T, s state, before past, dir string, ruleFiles []string) {
	t.Helper()
	work, program := t.TempDir(), t.TempDir()
	if !s.young {
		copyDir(t, before.blocks, work)
		copyDir(t, before.program, program)
	}
	if s.noRules {
		ruleFiles = nil
	}
	st, err := openStore(work, ruleFiles...)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		if !s.young {
			time.Sleep(time.Until(s.now().Add(-lead)))
		}
		vars := map[string]string{}
		if len(s.models) > 0 {
			vars["MODELS"] = strings.Join(s.models, ",")
		}
		if s.interval > 0 {
			vars["CYCLE_INTERVAL"] = s.interval.String()
		}
		r := start(t, program, s.simulated, vars)
		measure(t, r, st, s.now(), pace{scrape: 30 * time.Second, rules: time.Minute}, s.events)
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
	if err := st.save(dir); err != nil {
		t.Fatal(err)
	}
}

// lookback is how long Prometheus goes on showing a series that has no new samples.
const lookback = 5 * time.Minute

// pace is how often the program is scraped, and rules about alerts are evaluated where their own interval is shorter.
type pace struct{ scrape, rules time.Duration }

// measure scrapes the program until a moment.
func measure(t *testing.T, r *run, s *store, until time.Time, every pace, events []event) {
	t.Helper()
	scraper := newScraper(r.client, s)
	events = slices.Clone(events)
	var news [4]bool // of the last scrapes: records follow what was added, and end one evaluation later
	for time.Now().Before(until) {
		time.Sleep(every.scrape)
		at := time.Now()
		events = slices.DeleteFunc(events, func(e event) bool {
			due := !at.Before(until.Add(-e.before))
			if due {
				if err := e.happen(r); err != nil {
					t.Error(err)
				}
			}
			return due
		})
		if err := scraper.scrape(at); err != nil {
			t.Fatal(err)
		}
		copy(news[1:], news[:])
		news[0] = scraper.news
		err := s.do(func() error {
			return s.eval(context.Background(), at, func(g *rules.Group) bool {
				if strings.HasPrefix(g.Name(), "exobench-dashboards") {
					seen := at.After(until.Add(-lookback)) // what has no news yet is there
					return at.Sub(epoch)%g.Interval() == 0 && (seen || slices.Contains(news[:], true))
				}
				return at.Sub(epoch)%max(g.Interval(), every.rules) == 0
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// stop ends the program as a signal does. What has ended stays so.
func (r *run) stop() error {
	end := r.end
	r.end = func() error { return nil }
	return end()
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(fmt.Errorf("copy: %w", err))
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
