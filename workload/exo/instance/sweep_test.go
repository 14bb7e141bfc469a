package instance

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
)

// killer ends the process that calls the node, as SIGKILL does, around one of its calls.
type killer struct {
	node  http.RoundTripper
	at    string // "METHOD path-prefix"
	skip  int    // calls like that which pass first
	after bool   // the node gets the call before the process ends

	mu   sync.Mutex
	dead bool
}

func (k *killer) RoundTrip(req *http.Request) (*http.Response, error) {
	k.mu.Lock()
	dead, hit := k.dead, strings.HasPrefix(req.Method+" "+req.URL.Path, k.at)
	if hit && !dead {
		k.skip--
		k.dead = k.skip < 0
	}
	dying := k.dead
	k.mu.Unlock()
	if dying && !dead && k.after {
		_, _ = k.node.RoundTrip(req)
	}
	if dying {
		runtime.Goexit() // deferred functions do run, but cannot call the node any more
	}
	return k.node.RoundTrip(req)
}

// TestCrash kills a Manager around every step and lets the next one sweep at once.
func TestCrash(t *testing.T) {
	for _, c := range []struct {
		name  string
		kill  *killer
		setup func(*fakeNode)
		gone  bool // the DELETE had reached exo
	}{
		{name: "before the record", kill: &killer{at: "GET /instance/previews"}},
		{name: "record written, POST not sent", kill: &killer{at: "POST /instance"}},
		{name: "POST sent", kill: &killer{at: "POST /instance", after: true}},
		{name: "POST sent, exo slow", kill: &killer{at: "POST /instance", after: true}, setup: func(f *fakeNode) { f.appear = 3 * time.Second }},
		{
			name: "POST sent, exo very slow", kill: &killer{at: "POST /instance", after: true},
			setup: func(f *fakeNode) { f.appear = 20 * time.Second },
		},
		{name: "POST sent, nothing comes of it", kill: &killer{at: "POST /instance", after: true}, setup: func(f *fakeNode) { f.appear = -1 }},
		{name: "loading", kill: &killer{at: "GET /state/runners", skip: 6}},
		{name: "DELETE not sent", kill: &killer{at: "DELETE"}},
		{name: "DELETE sent", kill: &killer{at: "DELETE", after: true}, gone: true},
		{name: "waiting for the end", kill: &killer{at: "GET /state/instances", skip: 20}, gone: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, dir := newFake(), t.TempDir()
				if c.setup != nil {
					c.setup(f)
				}
				f.stranger(qwen, always("RunnerReady"))
				c.kill.node = f
				crash(t, newTestManager(t, c.kill, dir))
				if got := f.called("DELETE") > 0; got != c.gone {
					t.Errorf("killed after the DELETE: %v, want %v", got, c.gone)
				}

				m := newTestManager(t, f, dir)
				start := time.Now()
				if err := m.Sweep(t.Context()); err != nil {
					t.Error(err)
				}
				if took := time.Since(start); took > sweepBound+settleTime+time.Second {
					t.Errorf("the sweep took %s", took)
				}
				if c.name != "POST sent, exo very slow" {
					wantNothingLeft(t, f)
				}
				theirs := []string{f.listed("stranger")[0], f.stranger(llama, always("RunnerReady"))}
				pass(lateBound)
				if _, err := m.Acquire(t.Context(), llama); err != nil { // sweeps too
					t.Error(err)
				}
				wantNothingLeft(t, f)
				if got := f.listed("stranger"); !slices.Equal(got, theirs) || len(f.crimes) != 0 {
					t.Errorf("strangers have %v, want %v; %v", got, theirs, f.crimes)
				}
				if left := records(t, dir); len(left) != 0 {
					t.Errorf("records left: %v", left)
				}
				if locks, _ := filepath.Glob(filepath.Join(dir, "*")); len(locks) != 1 {
					t.Errorf("state directory holds %v, want the living owner's lock alone", locks)
				}
			})
		})
	}
}

// A clock that was set between the crash and the start, by any amount, keeps nothing alive and takes
// nothing of anybody else's.
func TestCrashBeforeTheClockWasSet(t *testing.T) {
	for _, year := range []string{"1900", "1999", "2001", "2099", "2100", "9999"} {
		synctest.Test(t, func(t *testing.T) { // where it is the year 2000
			f, dir := newFake(), t.TempDir()
			f.stranger(qwen, always("RunnerReady"))
			crash(t, newTestManager(t, &killer{node: f, at: "GET /state/runners", skip: 6}, dir))
			for _, file := range records(t, dir) {
				content, err := os.ReadFile(file)
				if err != nil || !bytes.Contains(content, []byte(`"created":"2000-`)) {
					t.Fatalf("%s: %v", content, err)
				}
				content = bytes.Replace(content, []byte(`"created":"2000-`), []byte(`"created":"`+year+"-"), 1)
				if err := os.WriteFile(file, content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			m := newTestManager(t, f, dir)
			if err := m.Sweep(t.Context()); err != nil {
				t.Errorf("%s: %v", year, err)
			}
			wantNothingLeft(t, f)
			if got := f.listed("stranger"); len(got) != 1 || len(f.crimes) != 0 || len(records(t, dir)) != 0 {
				t.Errorf("%s: strangers have %v, %v; records left: %v", year, got, f.crimes, records(t, dir))
			}
		})
	}
}

// crash runs a turn on m, whose transport kills it, and does what the kernel does then.
func crash(t *testing.T, m *Manager) {
	t.Helper()
	done := make(chan bool)
	go func() {
		finished := false
		defer func() { done <- finished }()
		lease, err := m.Acquire(context.Background(), llama)
		if err != nil {
			t.Error(err)
			return
		}
		err = lease.Release(context.Background())
		finished = true
		if err != nil {
			t.Error(err)
		}
	}()
	if <-done {
		t.Fatal("survived")
	}
	if err := m.store.lock.Close(); err != nil {
		t.Fatal(err)
	}
	m.store.lock = nil                      // nothing for Close to do
	t.Cleanup(func() { pass(time.Minute) }) // net/http's timers of the calls that were cut off
}

// TestRecordsThatProveNothing sweeps what names no instance, or one that was only taken for
// ours because it appeared at the right time.
func TestRecordsThatProveNothing(t *testing.T) {
	for name, record := range map[string]string{
		"no id": `{"version":1,"node":"http://exo.test:52415","owner":"owner-gone.lock","model":"` + llama +
			`","created":"2026-01-01T00:00:00Z","before":["x"]}`,
		"guessed id": `{"version":1,"node":"http://exo.test:52415","owner":"owner-gone.lock","instance_id":"instance-1","model":"` + llama +
			`","created":"2026-01-01T00:00:00Z"}`,
		"empty id": `{"version":2,"node":"http://exo.test:52415","owner":"owner-gone.lock","instance_id":"","model":"` + llama +
			`","created":"2026-01-01T00:00:00Z"}`,
		"id cut from it":  `{"version":2,"node":"http://exo.test:52415","owner":"owner-gone.lock","model":"` + llama + `"}`,
		"id of the wrong": `{"version":2,"node":"http://exo.test:52415","owner":"owner-gone.lock","instance_id":["instance-1"]}`,
		"another version": `{"version":3,"node":"http://exo.test:52415","owner":"owner-gone.lock","instance_id":"instance-1"}`,
		"owner elsewhere": `{"version":2,"node":"http://exo.test:52415","owner":"../owner-gone.lock","instance_id":"instance-1"}`,
		"half written":    `{"version":2,"node":"http://exo.test:52415","owner":"owner-gone.lock","instance_id":"instance-1"`,
		"nothing at all":  ``,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, dir := newFake(), t.TempDir()
				id := f.stranger(llama, always("RunnerReady"))
				if err := os.WriteFile(filepath.Join(dir, "instance-x.json"), []byte(record), 0o600); err != nil {
					t.Fatal(err)
				}
				m := newTestManager(t, f, dir)
				err := m.Sweep(t.Context())
				if left := records(t, dir); (err != nil) != (len(left) == 1) {
					t.Errorf("error %v, records left: %v; want one with the other", err, left)
				}
				lease, err := m.Acquire(t.Context(), llama)
				if err != nil {
					t.Fatal(err)
				}
				if lease.Owned || lease.Info.Instance != id {
					t.Errorf("lease %+v", lease)
				}
				if err := lease.Release(t.Context()); err != nil {
					t.Error(err)
				}
				if n := f.called("DELETE") + f.called("POST"); n != 0 {
					t.Errorf("%d calls that change something", n)
				}
			})
		})
	}
}

// What is no record is said once and set aside; a newer exporter's record stays, and is said once too.
func TestBrokenRecordsAreSaidOnce(t *testing.T) {
	const newer = `{"version":3,"node":"http://exo.test:52415","owner":"owner-gone.lock","instance_id":{"id":"instance-1"}}`
	for content, aside := range map[string]bool{
		"": true, "{": true, "\x00\xff": true, `{"version":2}`: true, `{"version":2,"owner":"../x"}`: true, `{"version":-7}`: true,
		strings.Repeat("x", maxRecord+1): true, newer: false,
	} {
		synctest.Test(t, func(t *testing.T) {
			f, dir := newFake(), t.TempDir()
			f.stranger(llama, always("RunnerReady"))
			file := filepath.Join(dir, "instance-x.json")
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			m := newTestManager(t, f, dir, func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
			for range 3 {
				lease, err := m.Acquire(t.Context(), llama)
				if err != nil {
					t.Fatal(err)
				}
				if err := lease.Release(t.Context()); err != nil {
					t.Error(err)
				}
			}
			if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), file) {
				t.Errorf("%.20q: said %d times:\n%s", content, n, &log)
			}
			if aside {
				file += ".unusable"
			}
			if kept, err := os.ReadFile(file); err != nil || string(kept) != content {
				t.Errorf("%.20q is not kept as %s: %v", content, file, err)
			}
		})
	}
}

// A pipe where a record should be holds up nobody.
func TestPipeAmongTheRecords(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "instance-x.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newStore(dir, "http://exo.test:52415")
	if all, err := s.list(); len(all) != 0 || !errors.Is(err, errNoRecord) || !strings.Contains(err.Error(), "is a pipe") {
		t.Errorf("got %v, %v", all, err)
	}
	if all, err := s.list(); len(all) != 0 || err != nil {
		t.Errorf("the second time: %v, %v", all, err)
	}
}

// TestSweepOfAnotherExo sweeps after exo was installed anew behind the same URL: what was
// recorded is not there, and what is there was not recorded.
func TestSweepOfAnotherExo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		crash(t, newTestManager(t, &killer{node: newFake(), at: "GET /state/runners", skip: 6}, dir))
		f := newFake()
		f.nextID = 100
		ids := []string{f.stranger(llama, always("RunnerReady")), f.stranger(qwen, always(""))}
		m := newTestManager(t, f, dir)
		if err := m.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
		pass(lateBound)
		if err := m.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
		if got := f.listed("stranger"); !slices.Equal(got, ids) || len(f.crimes) != 0 {
			t.Errorf("strangers have %v, want %v; %v", got, ids, f.crimes)
		}
		if n, all := f.called("DELETE /instance/instance-1"), f.called("DELETE"); n != all {
			t.Errorf("%d DELETEs of other instances than the recorded one", all-n)
		}
		if left := records(t, dir); len(left) != 0 {
			t.Errorf("records left: %v", left)
		}
	})
}

// TestNextTurnSweeps leaves an instance of one model behind: the first turn after the start
// is another model's, and removes it all the same, although others' work makes it wait.
func TestNextTurnSweeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, dir := newFake(), t.TempDir()
		f.appear = 3 * time.Second
		crash(t, newTestManager(t, &killer{node: f, at: "POST /instance", after: true}, dir))
		f.appear = 100 * time.Millisecond
		f.tasks["x"] = textTask("Running", f.stranger(qwen, always("RunnerReady")), "other")
		m := newTestManager(t, f, dir)
		if _, err := m.Acquire(t.Context(), qwen); err == nil {
			t.Error("others' work was not waited for")
		}
		wantNothingLeft(t, f)
		if left := records(t, dir); len(left) != 0 {
			t.Errorf("records left: %v", left)
		}
		if got := f.listed("stranger"); len(got) != 1 || len(f.crimes) != 0 {
			t.Errorf("strangers have %v; %v", got, f.crimes)
		}
	})
}

func TestSweepLeavesSiblingsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, dir := newFake(), t.TempDir()
		a := newTestManager(t, caller{f, "a"}, dir)
		b := newTestManager(t, caller{f, "b"}, dir)
		lease, err := a.Acquire(t.Context(), llama)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
		if err := a.Sweep(t.Context()); err != nil { // its own lease in use neither
			t.Error(err)
		}
		if f.called("DELETE") != 0 {
			t.Error("an instance in use was deleted")
		}
		if err := lease.Release(t.Context()); err != nil {
			t.Error(err)
		}
		if len(records(t, dir)) != 0 || f.called("DELETE") != 1 {
			t.Errorf("records %v, %d DELETEs", records(t, dir), f.called("DELETE"))
		}
	})
}

// What a sibling is measuring it will delete: nobody borrows it, and who waits places his own afterwards.
func TestSiblingsInstanceIsNotBorrowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, dir := newFake(), t.TempDir()
		a := newTestManager(t, caller{f, "a"}, dir)
		b := newTestManager(t, caller{f, "b"}, dir)
		lease, err := a.Acquire(t.Context(), llama)
		if err != nil {
			t.Fatal(err)
		}
		const turn = time.Minute
		go func() {
			time.Sleep(turn)
			if err := lease.Release(t.Context()); err != nil {
				t.Error(err)
			}
		}()
		start := time.Now()
		own, err := b.Acquire(t.Context(), llama)
		if err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(start); waited < turn || !own.Owned || own.in.ID == lease.in.ID {
			t.Errorf("after %v b has instance %s, owned %v; a had %s for %v", waited, own.in.ID, own.Owned, lease.in.ID, turn)
		}
		_, err = a.Acquire(t.Context(), llama)
		if o, _ := outcome(err); o != workload.TurnSkipped {
			t.Errorf("an instance that its owner does not give back: %v", err)
		}
	})
}

// An instance that a sibling keeps between its turns is anybody's to use, and in its turns it is not.
func TestSiblingsKeptInstanceIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, dir := newFake(), t.TempDir()
		a := newTestManager(t, caller{f, "a"}, dir, keeping)
		b := newTestManager(t, caller{f, "b"}, dir)
		id := turnOf(t, a, llama).in.ID
		if lease := turnOf(t, b, llama); lease.in.ID != id || lease.Owned {
			t.Errorf("b used %s, owned %v; a keeps %s", lease.in.ID, lease.Owned, id)
		}
		lease, err := a.Acquire(t.Context(), llama)
		if err != nil {
			t.Fatal(err)
		}
		if lease.in.ID != id || !b.store.siblings()[id] {
			t.Errorf("while a uses %s again, b takes as in use: %v", lease.in.ID, b.store.siblings())
		}
	})
}

func TestSweepLeavesOtherNodesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, dir := newFake(), t.TempDir()
		k := &killer{node: f, at: "GET /state/runners", skip: 5}
		crash(t, newTestManager(t, k, dir))
		files := records(t, dir)
		if len(files) != 1 {
			t.Fatalf("records %v", files)
		}
		b, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		if st, _ := os.Stat(files[0]); st.Mode().Perm() != 0o600 {
			t.Errorf("record has mode %o", st.Mode().Perm())
		}
		elsewhere := strings.Replace(string(b), "http://exo.test:52415", "http://other.test:52415", 1)
		if err := os.WriteFile(files[0], []byte(elsewhere), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "instance-broken.json"), []byte(`{"version":`), 0o600); err != nil {
			t.Fatal(err)
		}
		m := newTestManager(t, f, dir)
		if err := m.Sweep(t.Context()); err == nil || !strings.Contains(err.Error(), "instance-broken.json") {
			t.Errorf("a broken record is not reported: %v", err)
		}
		if f.called("DELETE") != 0 || len(records(t, dir)) != 2 {
			t.Errorf("%d DELETEs, records %v", f.called("DELETE"), records(t, dir))
		}
	})
}

func TestSweepWithoutExo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, dir := newFake(), t.TempDir()
		crash(t, newTestManager(t, &killer{node: f, at: "GET /state/runners", skip: 5}, dir))
		f.outage = func() bool { return true }
		m := newTestManager(t, f, dir)
		start := time.Now()
		if err := m.Sweep(t.Context()); err == nil || time.Since(start) > time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		if len(records(t, dir)) != 1 {
			t.Errorf("records %v", records(t, dir))
		}
		f.outage = nil
		if err := m.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
		wantNothingLeft(t, f)
	})
}

func TestSameFile(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !sameFile(f) {
		t.Error("not itself")
	}
	if err := os.Remove(f.Name()); err != nil {
		t.Fatal(err)
	}
	if sameFile(f) {
		t.Error("a lock that a sibling has removed passes for one")
	}
	if err := os.WriteFile(f.Name(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if sameFile(f) {
		t.Error("another file of that name passes for the lock")
	}
}
