package instance

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
)

func keeping(o *Options) { o.KeepLoaded = true }

// turnOf acquires and releases a model.
func turnOf(t *testing.T, m *Manager, model string) *Lease {
	t.Helper()
	lease, err := m.Acquire(t.Context(), model)
	if err != nil {
		t.Fatal(err)
	}
	if err := lease.Release(t.Context()); err != nil {
		t.Error(err)
	}
	return lease
}

func TestKeepLoaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, dir := newFake(), t.TempDir()
		m := newTestManager(t, f, dir, keeping)
		for i := range 3 {
			for _, model := range []string{llama, qwen} {
				lease := turnOf(t, m, model)
				if !lease.Owned || !lease.Kept || lease.Load.Loaded != (i == 0) || (lease.Info.Via == "kept") != (i > 0) {
					t.Errorf("turn %d: %+v", i, lease)
				}
			}
		}
		if got := f.called("POST /instance"); got != 2 || f.called("DELETE") != 0 || len(f.listed("guest")) != 2 || len(records(t, dir)) != 2 {
			t.Errorf("%d instances placed, %v are there, records %v", got, f.listed("guest"), records(t, dir))
		}
		start := time.Now()
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > graceAfterStop {
			t.Errorf("closing took %s", took)
		}
		wantNothingLeft(t, f)
		if left := records(t, dir); len(left) != 0 {
			t.Errorf("records left: %v", left)
		}
	})
}

// TestKeptAfterCrash has the next start give back what was kept.
func TestKeptAfterCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, dir := newFake(), t.TempDir()
		m := newTestManager(t, f, dir, keeping)
		turnOf(t, m, llama)
		if err := m.store.close(); err != nil { // as the kernel does with a process that is killed
			t.Error(err)
		}
		m.kept = nil
		next := newTestManager(t, f, dir, keeping)
		if err := next.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
		wantNothingLeft(t, f)
		if left := records(t, dir); len(left) != 0 {
			t.Errorf("records left: %v", left)
		}
	})
}

func TestKeptIsGivenBack(t *testing.T) {
	full := func(f *fakeNode) { // no room until something is deleted
		f.override["GET /instance/previews"] = func(*http.Request) (int, string) {
			for _, in := range f.instances {
				if in.deleted.IsZero() {
					return 200, `{"previews":[{"sharding":"Pipeline","instance":null,"error":"No cycles found with sufficient memory"}]}`
				}
			}
			return -1, ""
		}
	}
	for _, c := range []struct {
		name    string
		setup   func(f *fakeNode, kept string)
		model   string // of the next turn
		deleted bool
		outcome workload.TurnOutcome
	}{
		{"another model needs the room", func(f *fakeNode, _ string) { full(f) }, qwen, true, ""},
		{"another model needs the room, but somebody uses it", func(f *fakeNode, kept string) {
			full(f)
			f.tasks["x"] = textTask("Running", kept, "other")
			time.AfterFunc(2*time.Second, func() { f.mu.Lock(); delete(f.tasks, "x"); f.mu.Unlock() })
		}, qwen, true, ""},
		{"somebody loads the same model", func(f *fakeNode, _ string) {
			in := f.propose(llama, 1)
			f.accept(in, "stranger")
			in.lifetime, in.listed = always("RunnerReady"), 0
		}, llama, true, ""},
		{"its runner has died", func(f *fakeNode, kept string) { f.instances[kept].lifetime = always("RunnerFailed") }, llama, true, ""},
		{"somebody has deleted it", func(f *fakeNode, kept string) { f.instances[kept].deleted = time.Now() }, llama, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, dir := newFake(), t.TempDir()
				m := newTestManager(t, f, dir, keeping)
				first := turnOf(t, m, llama).Info.Instance
				f.mu.Lock()
				c.setup(f, first)
				f.mu.Unlock()
				pass(time.Second)
				lease, err := m.Acquire(t.Context(), c.model)
				if err != nil {
					t.Fatal(err)
				}
				if lease.Info.Instance == first || f.instances[first].deleted.IsZero() == c.deleted {
					t.Errorf("leased %+v", lease.Info)
				}
				if err := lease.Release(t.Context()); err != nil {
					t.Error(err)
				}
				if len(f.crimes) != 0 {
					t.Error(f.crimes)
				}
			})
		})
	}
}

// TestKeepsNothingWithoutRoom leaves an eighth of a machine's memory, or 2 GiB, to others.
func TestKeepsNothingWithoutRoom(t *testing.T) {
	for name, free := range map[string]map[string]uint64{"little": {"node-a": 4*gig - 1}, "not known": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.free = free // of 32 GiB
				m := newTestManager(t, f, t.TempDir(), keeping)
				if lease := turnOf(t, m, llama); lease.Kept {
					t.Error("kept")
				}
				wantNothingLeft(t, f)
			})
		})
	}
}

func TestReload(t *testing.T) {
	for _, c := range []struct {
		name        string
		reload      Reload
		setup       func(f *fakeNode)
		least, most time.Duration // from the start to the POST
		why         string        // of a skipped turn
	}{
		{"idle, nobody there", "", func(*fakeNode) {}, quietFor, quietFor + time.Second, ""},
		{"idle, short chats", ReloadIdle, func(f *fakeNode) {
			id := f.stranger(qwen, always("RunnerReady"))
			for i := range 10 {
				time.AfterFunc(time.Duration(2+4*i)*time.Second, func() { f.mu.Lock(); defer f.mu.Unlock(); chat(f, id, 5, 500*time.Millisecond) })
			}
		}, 38 * time.Second, 50 * time.Second, ""},
		{"idle, no end of short chats", ReloadIdle, func(f *fakeNode) {
			id := f.stranger(qwen, always("RunnerReady"))
			for i := range 200 {
				time.AfterFunc(time.Duration(2+4*i)*time.Second, func() { f.mu.Lock(); defer f.mu.Unlock(); chat(f, id, 5, 500*time.Millisecond) })
			}
		}, 5 * time.Minute, 5*time.Minute + 10*time.Second, ""},
		{"idle, a long chat", ReloadIdle, func(f *fakeNode) {
			id := f.stranger(qwen, always("RunnerReady"))
			time.AfterFunc(2*time.Second, func() { f.mu.Lock(); defer f.mu.Unlock(); chat(f, id, 5, 10*time.Minute) })
		}, 5 * time.Minute, 5*time.Minute + 10*time.Second, "no quiet moment of 5s"},
		{"always", ReloadAlways, func(*fakeNode) {}, 0, time.Second, ""},
		{"never", ReloadNever, func(*fakeNode) {}, 0, time.Second, "EXOBENCH_RELOAD=never"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				beat(t, f)
				var posted time.Time
				f.override["POST /instance"] = func(*http.Request) (int, string) { posted = time.Now(); return -1, "" }
				m := newTestManager(t, f, t.TempDir(), func(o *Options) { o.Reload = c.reload })
				start := time.Now()
				c.setup(f)
				lease, err := m.Acquire(t.Context(), llama)
				if c.why != "" {
					if o, _ := outcome(err); o != workload.TurnSkipped || !strings.Contains(err.Error(), c.why) {
						t.Errorf("got %v", err)
					}
					posted = time.Now()
				} else if err != nil {
					t.Fatal(err)
				} else if err := lease.Release(t.Context()); err != nil {
					t.Error(err)
				}
				if took := posted.Sub(start); took < c.least || took > c.most {
					t.Errorf("loaded after %s", took)
				}
				pass(15 * time.Minute)
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // what is loaded is measured
		f := newFake()
		f.stranger(llama, always("RunnerReady"))
		m := newTestManager(t, f, t.TempDir(), func(o *Options) { o.Reload = ReloadNever })
		if lease := turnOf(t, m, llama); lease.Owned {
			t.Errorf("leased %+v", lease.Info)
		}
	})
}
