package app

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload/exosim"
)

// A restart is no hole in the dashboards, and no cycle ahead of its time.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := exosim.New(exosim.Options{Profiles: profilesOf(victim, next)})
		t.Cleanup(func() { _ = node.Close() })
		dir := t.TempDir()
		suite := suiteFile(t, shortSuite(2, faultTokens))
		begin := func(more ...string) (*stack, func()) {
			s := newStack(t, setting{
				node: node, seams: Seams{Listener: newQuietListener()},
				vars: append([]string{"MODELS", victim + "," + next, "STATE_DIR", dir, "SUITE", suite, "CYCLE_INTERVAL", "10m"}, more...),
			})
			end := s.serve(t)
			return s, func() {
				noError(t, end())
				s.Close()
			}
		}
		turns := func(s *stack) float64 { return s.scrape(t)[`exobench_turns_total{model="`+next+`",outcome="ok"}`] }
		// shown are the series that a turn leaves, but for counts.
		shown := func(s *stack) map[string]float64 {
			all := s.scrape(t)
			maps.DeleteFunc(all, func(name string, _ float64) bool {
				family, _, _ := strings.Cut(name, "{")
				of := strings.HasPrefix(family, "exobench_model_") || strings.HasSuffix(family, "_tokens_per_second") ||
					strings.Contains(family, "last_success")
				return !of || strings.HasSuffix(family, "_total")
			})
			return all
		}
		s, end := begin()
		time.Sleep(3 * time.Minute)
		before, page := shown(s), s.page(t)
		if len(before) < 20 || turns(s) != 1 {
			t.Fatalf("%v turns left %v", turns(s), before)
		}
		end()

		s, end = begin()
		if got := shown(s); !maps.Equal(got, before) {
			t.Errorf("after the restart\n%v\nbefore it\n%v", got, before)
		}
		if turns(s) != 0 || !strings.Contains(s.log.String(), "in=7m0s") {
			t.Errorf("%v turns are counted; log:\n%s", turns(s), s.log)
		}
		if got := s.page(t); strings.Count(got, "2/2") != strings.Count(page, "2/2") || strings.Contains(got, "not measured yet") {
			t.Error("the page has forgotten the turns")
		}
		time.Sleep(6 * time.Minute)
		if turns(s) != 0 {
			t.Error("the cycle comes ahead of its time")
		}
		time.Sleep(3 * time.Minute)
		if turns(s) != 1 || !strings.Contains(s.log.String(), "cycle=1") {
			t.Errorf("%v turns; log:\n%s", turns(s), s.log)
		}
		end()

		// Other models are measured at once, and nothing is shown of those that are gone.
		s, end = begin("MODELS", next)
		if got := shown(s); len(got) != 1 { // model_info
			t.Errorf("of other models %v is shown", got)
		}
		time.Sleep(time.Minute)
		if turns(s) != 1 {
			t.Errorf("%v turns", turns(s))
		}
		end()

		noError(t, os.WriteFile(filepath.Join(dir, "cycle.json"), []byte("{"), 0o600))
		s, end = begin()
		if !strings.Contains(s.log.String(), "is set aside") {
			t.Errorf("log:\n%s", s.log)
		}
		end()
	})
}
