package instance

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exosim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newTestManager(t *testing.T, way http.RoundTripper, dir string, change ...func(*Options)) *Manager {
	t.Helper()
	api, err := httpapi.New(httpapi.Options{BaseURL: "http://exo.test:52415", Transport: way})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		API: api, StateDir: dir, Reload: ReloadAlways,
		Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo})),
	}
	for _, c := range change {
		c(&o)
	}
	m, err := NewManager(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// records returns the names of the records in a state directory.
func records(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, recordPrefix+"*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func wantNoRecords(t *testing.T, dir string) {
	t.Helper()
	if left := records(t, dir); len(left) != 0 {
		t.Errorf("records left: %v", left)
	}
}

func TestAcquirePlacesAndReleases(t *testing.T) {
	at := func(t *testing.T, s *sim, after time.Duration, f exosim.Fault) {
		time.AfterFunc(after, func() { s.inject(t, f) })
	}
	for _, c := range []struct {
		name   string
		node   exosim.Options
		faults []exosim.Fault
		setup  func(*testing.T, *sim)
		unsure bool // whether the instance was created is in doubt, and the record outlives that
	}{
		{name: "HEAD"},
		{name: "v1.0.71", node: exosim.Options{Variant: exosim.V1071}},
		{name: "before v1.0.70", faults: []exosim.Fault{{Kind: exosim.StatePathsMissing}}},
		{name: "snake case", faults: []exosim.Fault{{Kind: exosim.SnakeKeys}}},
		{name: "whole, snake case", faults: []exosim.Fault{{Kind: exosim.SnakeKeys}, {Kind: exosim.StatePathsMissing}}},
		{name: "unknown tags", faults: []exosim.Fault{{Kind: exosim.UnknownTags}}},
		{name: "memory moved away", faults: []exosim.Fault{{Kind: exosim.MovedFields}}},
		{name: "tasks moved away", faults: []exosim.Fault{{Kind: exosim.HTTPError, Path: "GET /state/tasks", Status: 404}}},
		{name: "no list of models", faults: []exosim.Fault{
			{Kind: exosim.HTTPError, Path: "GET /models", Status: 404}, {Kind: exosim.HTTPError, Path: "GET /v1/models", Status: 404},
		}},
		{name: "no previews", faults: []exosim.Fault{{Kind: exosim.HTTPError, Path: "GET /instance/previews", Status: 404}}},
		{name: "outage of 5 s", unsure: true, setup: func(t *testing.T, s *sim) {
			at(t, s, time.Second, exosim.Fault{Kind: exosim.Unreachable, Seconds: 5})
		}},
		{name: "previews fail once", faults: []exosim.Fault{{Kind: exosim.Text500, Path: "GET /instance", Count: 1}}},
		{name: "node not known yet", setup: func(_ *testing.T, s *sim) {
			start := time.Now()
			s.Reword("GET /instance/previews", func(said string) string {
				if time.Since(start) < 8*time.Second {
					return `{"previews":[]}`
				}
				return said
			})
		}},
		{name: "answer to POST lost", unsure: true, faults: []exosim.Fault{{Kind: exosim.AnswerLost, Path: "POST /instance", Count: 1}}},
		{name: "hidden for 2 s while loading", setup: func(t *testing.T, s *sim) {
			at(t, s, 700*time.Millisecond, exosim.Fault{Kind: exosim.InstancesHidden, Model: llama, Seconds: 2})
		}},
		{
			name: "download fails and is taken up again", node: exosim.Options{NotDownloaded: []string{llama}},
			faults: []exosim.Fault{{Kind: exosim.DownloadFails, Seconds: 6}},
		},
		{name: "new runner states", setup: func(_ *testing.T, s *sim) {
			s.Reword("GET /state", func(said string) string { return strings.ReplaceAll(said, `"RunnerLoading"`, `"RunnerPondering"`) })
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, dir := newSim(t, c.node, c.faults...), t.TempDir()
				theirs := s.load(t, qwen)
				if c.setup != nil {
					c.setup(t, s)
				}
				m := newTestManager(t, s, dir)
				lease, err := m.Acquire(t.Context(), llama)
				if err != nil {
					t.Fatal(err)
				}
				if !lease.Owned || !lease.Load.Loaded || !lease.Shared || lease.Info.Nodes != 1 {
					t.Errorf("lease is %+v", lease)
				}
				if got := s.left(); len(got) != 1 || got[0] != lease.Info.Instance {
					t.Errorf("instances of ours: %v, leased is %s", got, lease.Info.Instance)
				}
				if n := len(records(t, dir)); n != 1 {
					t.Errorf("%d records while the instance lives", n)
				}
				if err := lease.Check(t.Context()); err != nil {
					t.Error(err)
				}
				if err := lease.Release(t.Context()); err != nil {
					t.Error(err)
				}
				s.wantNothingLeft(t)
				if c.unsure {
					pass(lateBound)
					if err := m.Sweep(t.Context()); err != nil {
						t.Error(err)
					}
				}
				wantNoRecords(t, dir)
				if got := s.strangers(); len(got) != 1 || got[0] != theirs {
					t.Errorf("strangers' instances: %v", got)
				}
			})
		})
	}
}

// pass lets virtual time pass.
func pass(d time.Duration) { _ = sleep(context.Background(), d) }

var errNotATurn = errors.New("not a turn error")

func outcome(err error) (workload.TurnOutcome, error) {
	var te *workload.TurnError
	if errors.As(err, &te) {
		return te.Outcome, nil
	}
	return "", errNotATurn
}

func TestLoadTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const weights, seconds = 729_808_896, 20
		s := newSim(t, exosim.Options{NotDownloaded: []string{llama}, DownloadRate: weights / seconds})
		start := time.Now()
		var stages []string
		m := newTestManager(t, s, t.TempDir(), func(o *Options) {
			o.Progress = func(p Progress) {
				if len(stages) == 0 || stages[len(stages)-1] != p.Stage {
					stages = append(stages, p.Stage)
				}
			}
		})
		lease, err := m.Acquire(t.Context(), llama)
		if err != nil {
			t.Fatal(err)
		}
		if d := lease.Load.Download; d < 18*time.Second || d > 21*time.Second {
			t.Errorf("download took %s", d)
		}
		if d := lease.Load.Duration; d < time.Second || d > 3*time.Second {
			t.Errorf("load took %s", d)
		}
		if sum, all := lease.Load.Download+lease.Load.Duration, time.Since(start); sum > all || all-sum > time.Second {
			t.Errorf("parts are %s of %s", sum, all)
		}
		if got := strings.Join(stages, ", "); got != "placing, loading, downloading, loading, warming up, ready" {
			t.Errorf("stages: %s", got)
		}
		if err := lease.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestUsesAndLeavesStrangersInstance(t *testing.T) {
	for name, loaded := range map[string]bool{"ready": true, "still loading": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, dir := newSim(t, exosim.Options{}), t.TempDir()
				id, err := s.PlaceStranger(llama)
				if err != nil {
					t.Fatal(err)
				}
				if pass(time.Second); loaded {
					pass(time.Minute)
				}
				m := newTestManager(t, s, dir)
				lease, err := m.Acquire(t.Context(), llama)
				if err != nil {
					t.Fatal(err)
				}
				if lease.Owned || lease.Load.Loaded || lease.Shared || lease.Info.Instance != id || lease.Info.Via != "existing" {
					t.Errorf("lease is %+v", lease)
				}
				if err := lease.Release(t.Context()); err != nil {
					t.Error(err)
				}
				if n := s.called("DELETE") + s.called("POST"); n != 0 {
					t.Errorf("%d calls that change something", n)
				}
				if n := len(records(t, dir)); n != 0 {
					t.Errorf("%d records", n)
				}
			})
		})
	}
}

func TestNewManagerRefuses(t *testing.T) {
	api, err := httpapi.New(httpapi.Options{BaseURL: "http://exo.test"})
	if err != nil {
		t.Fatal(err)
	}
	for want, o := range map[string]Options{
		"no API client":       {StateDir: "x"},
		"no state directory":  {API: api},
		`sharding "Slice"`:    {API: api, StateDir: "x", Sharding: "Slice"},
		"minimum of -1 nodes": {API: api, StateDir: "x", MinNodes: -1},
	} {
		if _, err := NewManager(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestStateDirUnusable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(dir, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		s := newSim(t, exosim.Options{})
		m := newTestManager(t, s, dir)
		_, err := m.Acquire(t.Context(), llama)
		if o, _ := outcome(err); o != workload.TurnFailed || !strings.Contains(err.Error(), dir) ||
			!strings.Contains(err.Error(), "EXOBENCH_STATE_DIR") {
			t.Errorf("got %v", err)
		}
		if s.called("POST") != 0 {
			t.Error("an instance was asked for without a record")
		}
		s.load(t, qwen)
		if _, err := m.Acquire(t.Context(), qwen); err != nil {
			t.Errorf("a loaded model cannot be measured: %v", err)
		}
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		lease, err := m.Acquire(t.Context(), llama)
		if err != nil {
			t.Fatalf("not healed: %v", err)
		}
		if err := lease.Release(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
