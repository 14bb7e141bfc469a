package render

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	alerting "exo-bench-exporter/exporter/rules"
)

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
			r := start(t, p.program, setting{})
			measure(t, r.client, s, stretch.to, pace{scrape: time.Minute, rules: 5 * time.Minute}, r.happen(stretch.to, nil))
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
	if !s.young && s.story == nil {
		copyDir(t, before.blocks, work)
		copyDir(t, before.program, program)
	}
	switch {
	case s.noRules:
		ruleFiles = nil
	case s.interval > 0:
		ruleFiles = rulesFor(t, s.interval, ruleFiles)
	}
	st, err := openStore(work, ruleFiles...)
	if err != nil {
		t.Fatal(err)
	}
	cycle := measuredCycle(t, before)
	synctest.Test(t, func(t *testing.T) {
		if s.story != nil {
			tell(t, s, st, cycle)
			return
		}
		if !s.young {
			time.Sleep(time.Until(s.now().Add(-lead)))
		}
		r := start(t, program, s.setting)
		measure(t, r.client, st, s.now(), pace{scrape: 30 * time.Second, rules: time.Minute}, r.happen(s.now(), s.events))
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
	if err := st.save(dir); err != nil {
		t.Fatal(err)
	}
}

// happen has events happen when they are due.
func (r *run) happen(until time.Time, events []event) func(at time.Time) error {
	events = slices.Clone(events)
	return func(at time.Time) error {
		var errs []error
		events = slices.DeleteFunc(events, func(e event) bool {
			due := !at.Before(until.Add(-e.before))
			if due {
				errs = append(errs, e.happen(r))
			}
			return due
		})
		return errors.Join(errs...)
	}
}

// rulesFor returns the files with alerts for another interval in the place of those for the default one.
func rulesFor(t *testing.T, interval time.Duration, files []string) []string {
	t.Helper()
	o := alerting.DefaultOptions()
	o.Interval = interval
	content, err := alerting.Generate(o)
	if err != nil {
		t.Fatal(err)
	}
	files = slices.Clone(files)
	for i, file := range files {
		if filepath.Base(file) == "exobench.yml" {
			files[i] = filepath.Join(t.TempDir(), "exobench.yml")
			writeFile(t, files[i], string(content))
		}
	}
	return files
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
