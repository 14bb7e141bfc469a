package resume

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"exo-bench-exporter/workload"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ours = What{Target: "http://node.test", SHA256: "abc", Models: []workload.Model{{Name: "a"}, {Name: "b", ExoID: "x"}}}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// cycle runs one of two turns, of which the second begins after two minutes, as far as it is let.
func cycle(s *Saver, number int, whole bool) {
	start := time.Now()
	s.CycleStarted(number, ours.Models, start)
	c := workload.Cycle{Number: number, Start: start}
	for _, m := range ours.Models {
		t := workload.Turn{
			Model: m.Name, Start: time.Now(), Outcome: workload.TurnOK,
			Results: []workload.Result{{Model: m.Name, Prompt: "p", Start: time.Now(), TTFT: time.Second, Timed: true}},
		}
		s.TurnStarted(m.Name, t.Start)
		time.Sleep(2 * time.Minute)
		s.RequestDone(t.Results[0])
		s.TurnDone(t)
		if !whole {
			return
		}
		c.Turns = append(c.Turns, t)
	}
	s.CycleDone(c)
}

// saved runs do with a Saver and returns the file.
func saved(t *testing.T, do func(*Saver)) string {
	path := filepath.Join(t.TempDir(), "new", "cycle.json")
	var log bytes.Buffer
	s := NewSaver(path, func() What { return ours }, slog.New(slog.NewTextHandler(&log, nil)))
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { s.Run(ctx) })
	do(s)
	cancel()
	wg.Wait()
	if log.Len() > 0 {
		t.Errorf("log: %s", &log)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	noError(t, err)
	if len(left) != 1 {
		t.Errorf("there is %v", left)
	}
	return path
}

func TestRestart(t *testing.T) {
	const interval = 15 * time.Minute
	other := func(change func(*What)) What {
		w := ours
		change(&w)
		return w
	}
	for name, tt := range map[string]struct {
		whole bool          // the last cycle
		after time.Duration // from its start to the restart
		what  What
		due   time.Duration // from the restart to the next cycle; 0 for at once
		turns int
	}{
		"soon after a cycle":    {true, 6 * time.Minute, ours, 9 * time.Minute, 2},
		"in the middle of one":  {false, 6 * time.Minute, ours, 0, 2}, // b's is of the cycle before
		"when it is due anyway": {true, 15 * time.Minute, ours, 0, 2},
		"when a turn is old":    {true, 31 * time.Minute, ours, 0, 1},
		"much later":            {true, 24 * time.Hour, ours, 0, 0},
		"with another suite":    {true, 6 * time.Minute, other(func(w *What) { w.SHA256 = "def" }), 0, 0},
		"with another node":     {true, 6 * time.Minute, other(func(w *What) { w.Target = "http://b" }), 0, 0},
		"with one model more": {
			true, 6 * time.Minute, other(func(w *What) { w.Models = append(w.Models[:2:2], workload.Model{Name: "c"}) }), 0, 0,
		},
		"with the clock back":    {true, -time.Hour, ours, 0, 0},
		"with the clock forward": {true, 876_000 * time.Hour, ours, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var start time.Time
				path := saved(t, func(s *Saver) {
					cycle(s, 3, true)
					start = time.Now()
					cycle(s, 4, tt.whole)
				})
				if tt.after >= 0 {
					time.Sleep(time.Until(start.Add(tt.after)))
				} else { // as if the file came from the future
					content, err := os.ReadFile(path)
					noError(t, err)
					noError(t, os.WriteFile(path, bytes.ReplaceAll(content, []byte("2000-"), []byte("2099-")), 0o600))
				}
				got, err := Load(path, tt.what, interval)
				noError(t, err)
				if got.First != 5 || len(got.Turns) != tt.turns || got.Last.IsZero() != (tt.due == 0) {
					t.Errorf("got %+v", got)
				}
				if tt.due > 0 && time.Until(got.Last.Add(interval)) != tt.due {
					t.Errorf("due in %s, want %s", time.Until(got.Last.Add(interval)), tt.due)
				}
				for _, turn := range got.Turns {
					if len(turn.Results) != 1 || turn.Results[0].TTFT != time.Second {
						t.Errorf("turn %+v", turn)
					}
				}
			})
		})
	}
}

func TestContinue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := State{First: 9, Turns: []workload.Turn{{Model: "b", Start: time.Now(), Outcome: workload.TurnPartial}, {Model: "gone"}}}
		path := saved(t, func(s *Saver) {
			s.Continue(before)
			cycle(s, 9, false)
		})
		got, err := Load(path, ours, time.Hour)
		if err != nil || got.First != 10 || len(got.Turns) != 2 || got.Turns[1].Outcome != workload.TurnPartial {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

func TestUnusableFilesAreSetAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cycle.json")
	if got, err := Load(path, ours, time.Hour); err != nil || got.First != 0 || got.Turns != nil {
		t.Errorf("without a file: %+v, %v", got, err)
	}
	for _, content := range []string{
		"", "{", "[]", `{"schema":2}`, `{"schema":1,"next_cycle":-1}`, `{"schema":1,"turns":[{"start":7}]}`, strings.Repeat("x", maxFile+1),
	} {
		noError(t, os.WriteFile(path, []byte(content), 0o600))
		got, err := Load(path, ours, time.Hour)
		if err == nil || got.First != 0 || got.Turns != nil || !strings.Contains(err.Error(), path+".unusable") {
			t.Errorf("%.20q: %+v, %v", content, got, err)
		}
		if kept, err := os.ReadFile(path + ".unusable"); err != nil || string(kept) != content {
			t.Errorf("%.20q is not set aside: %v", content, err)
		}
		if _, err := Load(path, ours, time.Hour); err != nil {
			t.Errorf("said twice: %v", err)
		}
	}
}

// Turns that are too long to be read again are not kept, and what is due is.
func TestTooLongToBeKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cycle.json")
	turn := workload.Turn{Model: "a", Outcome: workload.TurnOK, Start: time.Now(), Results: []workload.Result{{
		Outcome: workload.OutcomeOK, Timed: true, Gaps: slices.Repeat([]time.Duration{time.Second / 3}, maxFile/8),
	}}}
	noError(t, document{Schema: schema, What: ours, Next: 7, Started: time.Now(), Turns: []workload.Turn{turn}}.write(path))
	got, err := Load(path, ours, time.Hour)
	if err != nil || got.First != 7 || got.Last.IsZero() || len(got.Turns) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

// A pipe in the file's place is not waited for.
func TestPipeIsSetAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cycle.json")
	noError(t, syscall.Mkfifo(path, 0o600))
	if _, err := Load(path, ours, time.Hour); err == nil || !strings.Contains(err.Error(), "is a pipe") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

// A state that cannot be saved is said once and holds up nobody.
func TestStateThatCannotBeSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		noError(t, os.WriteFile(file, nil, 0o600))
		var log bytes.Buffer
		s := NewSaver(filepath.Join(file, "cycle.json"), func() What { return ours }, slog.New(slog.NewTextHandler(&log, nil)))
		for i := range 3 { // with nobody who writes
			cycle(s, i, true)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { s.Run(ctx) })
		cycle(s, 3, true)
		cancel()
		wg.Wait()
		if n := strings.Count(log.String(), "cannot be saved"); n != 1 {
			t.Errorf("said %d times: %s", n, &log)
		}
	})
}
