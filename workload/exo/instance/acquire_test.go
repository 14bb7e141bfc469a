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
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newTestManager(t *testing.T, f http.RoundTripper, dir string, change ...func(*Options)) *Manager {
	t.Helper()
	api, err := httpapi.New(httpapi.Options{BaseURL: "http://exo.test:52415", Transport: f})
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

func TestAcquirePlacesAndReleases(t *testing.T) {
	for name, setup := range map[string]func(*fakeNode){
		"HEAD":              func(*fakeNode) {},
		"before v1.0.70":    func(f *fakeNode) { f.noSubpaths = true },
		"snake case":        func(f *fakeNode) { f.snake = true },
		"whole, snake case": func(f *fakeNode) { f.noSubpaths, f.snake = true, true },
		"memory moved away": func(f *fakeNode) { f.free = nil },
		"tasks moved away":  func(f *fakeNode) { f.tasks = nil },
		"no list of models": func(f *fakeNode) { f.override["GET /models"] = status(404, "{}") },
		"no previews":       func(f *fakeNode) { f.override["GET /instance/previews"] = status(404, `{"detail":"Not Found"}`) },
		"two nodes":         func(f *fakeNode) { f.nodes = append(f.nodes, "node-b"); f.free["node-b"] = 16 * gig },
		"outage of 5 s": func(f *fakeNode) {
			start := time.Now()
			f.outage = func() bool { return time.Since(start) > time.Second && time.Since(start) < 6*time.Second }
		},
		"node not known yet": func(f *fakeNode) {
			start := time.Now()
			f.override["GET /instance/previews"] = func(*http.Request) (int, string) {
				if time.Since(start) < 8*time.Second {
					return 200, `{"previews":[]}`
				}
				return -1, ""
			}
		},
		"answer to POST lost": func(f *fakeNode) { f.override["POST /instance"] = first(-2, -1) },
		"hidden for 2 s while loading": func(f *fakeNode) {
			f.lifetime = func(age time.Duration) any {
				for _, in := range f.instances {
					if in.owner == "guest" && in.deleted.IsZero() {
						in.listed = f.appear
						if age > 500*time.Millisecond && age < 2500*time.Millisecond {
							in.listed = time.Hour
						}
					}
				}
				return usual(age)
			}
		},
		"download fails and is taken up again": func(f *fakeNode) {
			f.downloads = []any{nil}
			f.lifetime = func(age time.Duration) any {
				switch {
				case age < 6*time.Second:
					f.downloads[0] = j{"DownloadFailed": j{"shardMetadata": j{"P": j{"modelCard": j{"modelId": llama}}}, "errorMessage": "HTTP 503"}}
				case age < 20*time.Second:
					f.downloads[0] = ongoing(llama, uint64(age), gig)
				default:
					return usual(age - 20*time.Second + 400*time.Millisecond)
				}
				return j{"RunnerIdle": j{}}
			}
		},
		"new runner states": func(f *fakeNode) {
			f.lifetime = func(age time.Duration) any {
				if age < time.Second {
					return j{"RunnerPondering": j{"deep": true}}
				}
				return usual(age)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, dir := newFake(), t.TempDir()
				setup(f)
				mine := f.stranger(qwen, always("RunnerReady"))
				m := newTestManager(t, f, dir)
				lease, err := m.Acquire(t.Context(), llama)
				if err != nil {
					t.Fatal(err)
				}
				if !lease.Owned || !lease.Load.Loaded || !lease.Shared {
					t.Errorf("lease is %+v", lease)
				}
				if got := f.listed("guest"); len(got) != 1 || got[0] != lease.Info.Instance {
					t.Errorf("instances of ours: %v, leased is %s", got, lease.Info.Instance)
				}
				if lease.Info.Nodes != 1 {
					t.Errorf("placed on %d nodes", lease.Info.Nodes)
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
				wantNothingLeft(t, f)
				if name == "answer to POST lost" || strings.HasPrefix(name, "outage") { // the record outlives the doubt
					pass(lateBound)
					if err := m.Sweep(t.Context()); err != nil {
						t.Error(err)
					}
				}
				if left := records(t, dir); len(left) != 0 {
					t.Errorf("records left: %v", left)
				}
				if got := f.listed("stranger"); len(got) != 1 || got[0] != mine {
					t.Errorf("strangers' instances: %v", got)
				}
			})
		})
	}
}

// blind makes the node one that tells no instance id in advance.
func blind(f *fakeNode) {
	f.override["GET /instance/previews"] = status(404, `{"error":{"message":"Instance not found"}}`)
	f.override["GET /instance/placement"] = status(404, `{"error":{"message":"Instance not found"}}`)
}

func status(code int, body string) func(*http.Request) (int, string) {
	return func(*http.Request) (int, string) { return code, body }
}

// first answers with the codes in turn, the last for ever.
func first(codes ...int) func(*http.Request) (int, string) {
	return func(*http.Request) (int, string) {
		c := codes[0]
		if len(codes) > 1 {
			codes = codes[1:]
		}
		return c, ""
	}
}

// pass lets virtual time pass.
func pass(d time.Duration) { _ = sleep(context.Background(), d) }

func wantNothingLeft(t *testing.T, f *fakeNode) {
	t.Helper()
	if got := f.listed("guest"); len(got) != 0 {
		t.Errorf("left behind: %v", got)
	}
}

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
		f := newFake()
		start := time.Now()
		f.downloads = []any{}
		f.lifetime = func(age time.Duration) any { // 20 s of download before the usual life
			done := min(age, 20*time.Second)
			f.downloads = []any{j{"DownloadOngoing": j{
				"nodeId": "node-a", "shardMetadata": j{"PipelineShardMetadata": j{"modelCard": j{"modelId": llama}}},
				"downloadProgress": j{
					"total": j{"inBytes": gig}, "downloaded": j{"inBytes": gig * uint64(done) / uint64(20*time.Second)}, "speed": 5e7,
				},
			}}}
			if age < 20*time.Second {
				return j{"RunnerIdle": j{}}
			}
			f.downloads = []any{j{"DownloadCompleted": j{"nodeId": "node-a", "shardMetadata": j{"P": j{"modelCard": j{"modelId": llama}}}}}}
			return usual(age - 20*time.Second + 400*time.Millisecond)
		}
		var stages []string
		m := newTestManager(t, f, t.TempDir(), func(o *Options) {
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
		if d := lease.Load.Duration; d < 2*time.Second || d > 4*time.Second {
			t.Errorf("load took %s", d)
		}
		if sum, all := lease.Load.Download+lease.Load.Duration, time.Since(start); sum > all || all-sum > time.Second {
			t.Errorf("parts are %s of %s", sum, all)
		}
		if got := strings.Join(stages, ", "); got != "placing, downloading, loading, warming up, ready" &&
			got != "placing, loading, downloading, loading, warming up, ready" {
			t.Errorf("stages: %s", got)
		}
		if err := lease.Release(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestUsesAndLeavesStrangersInstance(t *testing.T) {
	for name, life := range map[string]func(time.Duration) any{
		"ready":         always("RunnerReady"),
		"still loading": usual,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, dir := newFake(), t.TempDir()
				id := f.stranger(llama, life)
				m := newTestManager(t, f, dir)
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
				if n := f.called("DELETE") + f.called("POST"); n != 0 {
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
		f := newFake()
		m := newTestManager(t, f, dir)
		_, err := m.Acquire(t.Context(), llama)
		if o, _ := outcome(err); o != workload.TurnFailed || !strings.Contains(err.Error(), dir) ||
			!strings.Contains(err.Error(), "EXOBENCH_STATE_DIR") {
			t.Errorf("got %v", err)
		}
		if f.called("POST") != 0 {
			t.Error("an instance was asked for without a record")
		}
		f.stranger(qwen, always("RunnerReady"))
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
