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
	"exo-bench-exporter/workload/exosim"
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
		if res, err := k.node.RoundTrip(req); err == nil {
			_ = res.Body.Close()
		}
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
		fault *exosim.Fault
		gone  bool // the DELETE had reached exo
	}{
		{name: "before the record", kill: &killer{at: "GET /instance/previews"}},
		{name: "record written, POST not sent", kill: &killer{at: "POST /instance"}},
		{name: "POST sent", kill: &killer{at: "POST /instance", after: true}},
		{
			name: "POST sent, exo slow", kill: &killer{at: "POST /instance", after: true},
			fault: &exosim.Fault{Kind: exosim.PlacementLate, Model: llama, Seconds: 3},
		},
		{
			name: "POST sent, exo very slow", kill: &killer{at: "POST /instance", after: true},
			fault: &exosim.Fault{Kind: exosim.PlacementLate, Model: llama, Seconds: 20},
		},
		{
			name: "POST sent, nothing comes of it", kill: &killer{at: "POST /instance", after: true},
			fault: &exosim.Fault{Kind: exosim.InstanceVanishes, Model: llama},
		},
		{name: "loading", kill: &killer{at: "GET /state/runners", skip: 4}},
		{name: "DELETE not sent", kill: &killer{at: "DELETE"}},
		{name: "DELETE sent", kill: &killer{at: "DELETE", after: true}, gone: true},
		{name: "waiting for the end", kill: &killer{at: "GET /state/instances", skip: 20}, gone: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, dir := newSim(t, exosim.Options{}), t.TempDir()
				theirs := []string{s.load(t, qwen)}
				if c.fault != nil {
					s.inject(t, *c.fault)
				}
				c.kill.node = s
				crash(t, newTestManager(t, c.kill, dir))
				if got := s.called("DELETE") > 0; got != c.gone {
					t.Errorf("killed after the DELETE: %v, want %v", got, c.gone)
				}

				m := newTestManager(t, s, dir)
				start := time.Now()
				if err := m.Sweep(t.Context()); err != nil {
					t.Error(err)
				}
				if took := time.Since(start); took > sweepBound+settleTime+time.Second {
					t.Errorf("the sweep took %s", took)
				}
				if c.name != "POST sent, exo very slow" {
					s.wantNothingLeft(t)
				}
				s.Clear("")
				theirs = append(theirs, s.load(t, llama))
				pass(lateBound)
				if _, err := m.Acquire(t.Context(), llama); err != nil { // sweeps too
					t.Error(err)
				}
				s.wantNothingLeft(t)
				if got := s.strangers(); !slices.Equal(got, theirs) {
					t.Errorf("strangers have %v, want %v", got, theirs)
				}
				wantNoRecords(t, dir)
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
	for i, year := range []string{"1900", "1999", "2001", "2099", "2100", "9999", "1900", "2001", "9999"} {
		synctest.Test(t, func(t *testing.T) { // where it is the year 2000
			s, dir := newSim(t, exosim.Options{}), t.TempDir()
			s.load(t, qwen)
			k := &killer{node: s, at: "GET /state/runners", skip: 4}
			if i > 5 {
				k = &killer{node: s, at: "POST /instance"} // nothing will ever come of the record
			}
			crash(t, newTestManager(t, k, dir))
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
			m := newTestManager(t, s, dir)
			if err := m.Sweep(t.Context()); err != nil {
				t.Errorf("%s: %v", year, err)
			}
			s.wantNothingLeft(t)
			if got := s.strangers(); len(got) != 1 || len(records(t, dir)) != 0 {
				t.Errorf("%s: strangers have %v; records left: %v", year, got, records(t, dir))
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
				s, dir := newSim(t, exosim.Options{}), t.TempDir()
				id := s.load(t, llama)
				record := strings.ReplaceAll(record, "instance-1", id)
				if err := os.WriteFile(filepath.Join(dir, "instance-x.json"), []byte(record), 0o600); err != nil {
					t.Fatal(err)
				}
				m := newTestManager(t, s, dir)
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
				if n := s.called("DELETE") + s.called("POST"); n != 0 {
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
			s, dir := newSim(t, exosim.Options{}), t.TempDir()
			s.load(t, llama)
			file := filepath.Join(dir, "instance-x.json")
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			m := newTestManager(t, s, dir, func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
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
		dir, before := t.TempDir(), newSim(t, exosim.Options{})
		crash(t, newTestManager(t, &killer{node: before, at: "GET /state/runners", skip: 4}, dir))
		s := newSim(t, exosim.Options{})
		ids := []string{s.load(t, llama), s.load(t, qwen)}
		s.KillRunner(ids[1])
		m := newTestManager(t, s, dir)
		if err := m.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
		pass(lateBound)
		if err := m.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
		if got := s.strangers(); !slices.Equal(got, ids) {
			t.Errorf("strangers have %v, want %v", got, ids)
		}
		if n, all := s.called("DELETE /instance/"+before.left()[0]), s.called("DELETE"); n != all {
			t.Errorf("%d DELETEs of other instances than the recorded one", all-n)
		}
		wantNoRecords(t, dir)
	})
}

// TestNextTurnSweeps leaves an instance of one model behind: the first turn after the start
// is another model's, and removes it all the same, although others' work makes it wait.
func TestNextTurnSweeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dir := newSim(t, exosim.Options{}), t.TempDir()
		s.load(t, qwen)
		s.inject(t, exosim.Fault{Kind: exosim.PlacementLate, Seconds: 3, Count: 1})
		crash(t, newTestManager(t, &killer{node: s, at: "POST /instance", after: true}, dir))
		s.chat(t, qwen, 1e6)
		m := newTestManager(t, s, dir)
		if _, err := m.Acquire(t.Context(), qwen); err == nil {
			t.Error("others' work was not waited for")
		}
		s.wantNothingLeft(t)
		wantNoRecords(t, dir)
		if got := s.strangers(); len(got) != 1 {
			t.Errorf("strangers have %v", got)
		}
	})
}

func TestSweepLeavesSiblingsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dir := newSim(t, exosim.Options{}), t.TempDir()
		a := newTestManager(t, s, dir)
		b := newTestManager(t, newWay(s.Node), dir)
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
		if s.called("DELETE") != 0 {
			t.Error("an instance in use was deleted")
		}
		if err := lease.Release(t.Context()); err != nil {
			t.Error(err)
		}
		if len(records(t, dir)) != 0 || s.called("DELETE") != 1 {
			t.Errorf("records %v, %d DELETEs", records(t, dir), s.called("DELETE"))
		}
	})
}

// What a sibling is measuring it will delete: nobody borrows it, and who waits places his own afterwards.
func TestSiblingsInstanceIsNotBorrowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dir := newSim(t, exosim.Options{}), t.TempDir()
		a := newTestManager(t, s, dir)
		b := newTestManager(t, newWay(s.Node), dir)
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
		s, dir := newSim(t, exosim.Options{}), t.TempDir()
		a := newTestManager(t, s, dir, keeping)
		b := newTestManager(t, newWay(s.Node), dir)
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
		s, dir := newSim(t, exosim.Options{}), t.TempDir()
		k := &killer{node: s, at: "GET /state/runners", skip: 4}
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
		m := newTestManager(t, s, dir)
		if err := m.Sweep(t.Context()); err == nil || !strings.Contains(err.Error(), "instance-broken.json") {
			t.Errorf("a broken record is not reported: %v", err)
		}
		if s.called("DELETE") != 0 || len(records(t, dir)) != 2 {
			t.Errorf("%d DELETEs, records %v", s.called("DELETE"), records(t, dir))
		}
	})
}

func TestSweepWithoutExo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dir := newSim(t, exosim.Options{}), t.TempDir()
		crash(t, newTestManager(t, &killer{node: s, at: "GET /state/runners", skip: 4}, dir))
		s.inject(t, exosim.Fault{Kind: exosim.Unreachable})
		m := newTestManager(t, s, dir)
		start := time.Now()
		if err := m.Sweep(t.Context()); err == nil || time.Since(start) > time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		if len(records(t, dir)) != 1 {
			t.Errorf("records %v", records(t, dir))
		}
		s.Clear("")
		if err := m.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
		s.wantNothingLeft(t)
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
