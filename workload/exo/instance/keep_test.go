package instance

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
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
		s, dir := newSim(t, exosim.Options{}), t.TempDir()
		m := newTestManager(t, s, dir, keeping)
		for i := range 3 {
			for _, model := range []string{llama, qwen} {
				lease := turnOf(t, m, model)
				if !lease.Owned || !lease.Kept || lease.Load.Loaded != (i == 0) || (lease.Info.Via == "kept") != (i > 0) {
					t.Errorf("turn %d: %+v", i, lease)
				}
			}
		}
		if got := s.called("POST /instance"); got != 2 || s.called("DELETE") != 0 || len(s.left()) != 2 || len(records(t, dir)) != 2 {
			t.Errorf("%d instances placed, %v are there, records %v", got, s.left(), records(t, dir))
		}
		start := time.Now()
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > toLeave {
			t.Errorf("closing took %s", took)
		}
		s.wantNothingLeft(t)
		wantNoRecords(t, dir)
	})
}

// TestKeptAfterCrash has the next start give back what was kept.
func TestKeptAfterCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dir := newSim(t, exosim.Options{}), t.TempDir()
		m := newTestManager(t, s, dir, keeping)
		turnOf(t, m, llama)
		if err := m.store.close(); err != nil { // as the kernel does with a process that is killed
			t.Error(err)
		}
		m.kept = nil
		next := newTestManager(t, s, dir, keeping)
		if err := next.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
		s.wantNothingLeft(t)
		wantNoRecords(t, dir)
	})
}

func TestKeptIsGivenBack(t *testing.T) {
	const room = 11 << 30 // for one of the models
	for _, c := range []struct {
		name   string
		memory uint64
		setup  func(t *testing.T, s *sim, kept string)
		model  string // of the next turn
	}{
		{name: "another model needs the room", memory: room, model: qwen},
		{name: "another model needs the margin", memory: room + 600<<20, model: qwen},
		{name: "another model needs the room, but somebody uses it", memory: room, setup: func(t *testing.T, s *sim, _ string) {
			s.chat(t, llama, 500)
		}, model: qwen},
		{name: "somebody loads the same model", setup: func(t *testing.T, s *sim, _ string) { s.load(t, llama) }, model: llama},
		{name: "its runner has died", setup: func(_ *testing.T, s *sim, kept string) { s.KillRunner(kept) }, model: llama},
		{name: "somebody has deleted it", setup: func(_ *testing.T, s *sim, kept string) { s.DeleteStranger(kept) }, model: llama},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSim(t, exosim.Options{MemoryTotal: c.memory})
				m := newTestManager(t, s, t.TempDir(), keeping)
				lease := turnOf(t, m, llama)
				kept := lease.Info.Instance
				if !lease.Kept {
					t.Error("not kept")
				}
				if c.setup != nil {
					c.setup(t, s, kept)
				}
				pass(time.Second)
				lease, err := m.Acquire(t.Context(), c.model)
				if err != nil {
					t.Fatal(err)
				}
				if lease.Info.Instance == kept || slices.Contains(s.left(), kept) {
					t.Errorf("leased %+v", lease.Info)
				}
				if err := lease.Release(t.Context()); err != nil {
					t.Error(err)
				}
				if len(s.crimes) != 0 {
					t.Error(s.crimes)
				}
			})
		})
	}
}

// TestKeepsNothingWithoutRoom leaves an eighth of a machine's memory, or 2 GiB, to others.
func TestKeepsNothingWithoutRoom(t *testing.T) {
	for name, fault := range map[string]exosim.Fault{
		"little":    {Kind: exosim.MemoryLow, Bytes: 6<<30 - 1}, // of 48 GiB
		"not known": {Kind: exosim.MovedFields},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSim(t, exosim.Options{}, fault)
				m := newTestManager(t, s, t.TempDir(), keeping)
				if lease := turnOf(t, m, llama); lease.Kept {
					t.Error("kept")
				}
				s.wantNothingLeft(t)
			})
		})
	}
}

func TestReload(t *testing.T) {
	// chats has a stranger chat so often, every four seconds.
	chats := func(n int) func(*testing.T, *sim) {
		return func(t *testing.T, s *sim) {
			for i := range n {
				time.AfterFunc(time.Duration(2+4*i)*time.Second, func() { s.chat(t, qwen, 25) })
			}
		}
	}
	for _, c := range []struct {
		name        string
		reload      Reload
		setup       func(*testing.T, *sim)
		least, most time.Duration // from the start to the POST
		why         string        // of a skipped turn
	}{
		{name: "idle, nobody there", least: quietFor, most: quietFor + time.Second},
		{name: "idle, short chats", reload: ReloadIdle, setup: chats(10), least: 38 * time.Second, most: 50 * time.Second},
		{
			name: "idle, no end of short chats", reload: ReloadIdle, setup: chats(75), // the last one just before it is given up
			least: 5 * time.Minute, most: 5*time.Minute + 10*time.Second,
		},
		{name: "idle, a long chat", reload: ReloadIdle, setup: func(t *testing.T, s *sim) {
			time.AfterFunc(2*time.Second, func() { s.chat(t, qwen, 600*51) })
		}, least: 5 * time.Minute, most: 5*time.Minute + 10*time.Second, why: "no quiet moment of 5s"},
		{name: "always", reload: ReloadAlways, most: time.Second},
		{name: "never", reload: ReloadNever, most: time.Second, why: "EXOBENCH_RELOAD=never"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSim(t, exosim.Options{})
				s.load(t, qwen)
				m := newTestManager(t, s, t.TempDir(), func(o *Options) { o.Reload = c.reload })
				start := time.Now()
				if c.setup != nil {
					c.setup(t, s)
				}
				lease, err := m.Acquire(t.Context(), llama)
				took := time.Since(start)
				if c.why != "" {
					if o, _ := outcome(err); o != workload.TurnSkipped || !strings.Contains(err.Error(), c.why) {
						t.Errorf("got %v", err)
					}
				} else if err != nil {
					t.Fatal(err)
				} else {
					took -= lease.Load.Duration
					if err := lease.Release(t.Context()); err != nil {
						t.Error(err)
					}
				}
				if took < c.least || took > c.most {
					t.Errorf("loaded after %s", took)
				}
				pass(15 * time.Minute)
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // what is loaded is measured
		s := newSim(t, exosim.Options{})
		s.load(t, llama)
		m := newTestManager(t, s, t.TempDir(), func(o *Options) { o.Reload = ReloadNever })
		if lease := turnOf(t, m, llama); lease.Owned {
			t.Errorf("leased %+v", lease.Info)
		}
	})
}
