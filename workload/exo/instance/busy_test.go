package instance

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
)

func textTask(status, instance, command string) any {
	return j{"TextGeneration": j{
		"taskId": "t-" + command, "taskStatus": status, "instanceId": instance, "commandId": command,
		"taskParams": j{"model": llama, "input": []any{j{"role": "user", "content": "private words"}}},
	}}
}

// errand is what exo's worker does to an instance; it stays in the state.
func errand(kind, instance string) any {
	return j{kind: j{"taskId": "e-" + instance, "taskStatus": "Complete", "instanceId": instance}}
}

func TestBusy(t *testing.T) {
	for _, c := range []struct {
		name  string
		setup func(f *fakeNode, m *Manager)
		busy  string
		whole bool
	}{
		{name: "idle", setup: func(f *fakeNode, _ *Manager) { f.stranger(qwen, always("RunnerReady")) }},
		{name: "running", setup: func(f *fakeNode, _ *Manager) {
			f.tasks["t"] = textTask("Running", f.stranger(qwen, always("RunnerReady")), "c")
		}, busy: "a request to " + qwen},
		{name: "whole state", whole: true, setup: func(f *fakeNode, _ *Manager) {
			f.tasks["t"] = textTask("Pending", f.stranger(qwen, always("RunnerReady")), "c")
		}, busy: "a request to " + qwen},
		{name: "our own request", setup: func(f *fakeNode, m *Manager) {
			f.tasks["t"] = textTask("Running", f.stranger(qwen, always("RunnerReady")), "c")
			m.Mine("", "c")
		}},
		{name: "booting", setup: func(f *fakeNode, _ *Manager) { f.stranger(qwen, always("")) }, busy: qwen + " is being loaded"},
		{
			name: "started again", setup: func(f *fakeNode, _ *Manager) { f.stranger(qwen, always("RunnerFailed")) },
			busy: qwen + " is being loaded",
		},
		{name: "request to a dead instance", setup: func(f *fakeNode, m *Manager) {
			id := f.stranger(qwen, always(""))
			f.tasks["t"] = textTask("Running", id, "c")
			m.deadSince = map[string]time.Time{id: time.Now().Add(-m.deadBound())}
		}},
		{name: "request to an instance that is gone", setup: func(f *fakeNode, _ *Manager) { f.tasks["t"] = textTask("Pending", "gone", "c") }},
		{name: "loading", setup: func(f *fakeNode, _ *Manager) { f.stranger(qwen, always("RunnerWarmingUp")) }, busy: qwen + " is being loaded"},
		{
			name: "generating", setup: func(f *fakeNode, _ *Manager) { f.tasks = nil; f.stranger(qwen, always("RunnerRunning")) },
			busy: qwen + " is generating",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.noSubpaths = c.whole
				m := newTestManager(t, f, t.TempDir())
				c.setup(f, m)
				busy, why, err := m.Busy(t.Context())
				if err != nil || busy != (c.busy != "") || !strings.Contains(why, c.busy) || strings.Contains(why, "private") {
					t.Errorf("got %v %q %v, want %q", busy, why, err, c.busy)
				}
			})
		})
	}
}

func TestWaitIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.tasks["t"] = textTask("Running", f.stranger(qwen, always("RunnerReady")), "c")
		m := newTestManager(t, f, t.TempDir())
		start := time.Now()
		time.AfterFunc(30*time.Second, func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			clear(f.tasks)
		})
		if err := m.WaitIdle(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < 30*time.Second || took > 32*time.Second {
			t.Errorf("waited %s", took)
		}
		f.stranger(qwen, always("RunnerLoading"))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := m.WaitIdle(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if o, _ := outcome(m.WaitIdle(t.Context())); o != workload.TurnSkipped {
			t.Errorf("outcome %q", o)
		}
	})
}

// chat lets somebody chat: n tokens, after which exo has deleted the task.
func chat(f *fakeNode, instance string, n int, took time.Duration) {
	f.tasks["x"] = textTask("Running", instance, "other")
	f.events += 3
	time.AfterFunc(took, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.tasks, "x")
		f.events += n + 6
	})
}

// beat lets exo's state change once a second, as it does at rest, until the test ends.
func beat(t *testing.T, f *fakeNode) {
	rest := time.NewTicker(time.Second)
	go func() {
		for {
			select {
			case <-rest.C:
				f.mu.Lock()
				f.events++
				f.mu.Unlock()
			case <-t.Context().Done():
				rest.Stop()
				return
			}
		}
	}()
}

func TestWatch(t *testing.T) {
	const tokens = 100
	for _, c := range []struct {
		name   string
		during func(f *fakeNode, ours string) // two seconds into a request of 12 s
		before func(f *fakeNode, ours string)
		after  func(f *fakeNode, ours string)
		why    string
		owned  bool
		looks  int // at the state; 3 when 0
	}{
		{name: "alone"},
		{name: "alone on our own", owned: true},
		{
			name: "during", during: func(f *fakeNode, ours string) { f.tasks["x"] = textTask("Running", ours, "other") },
			why: "a request to " + llama,
		},
		{name: "a short chat", during: func(f *fakeNode, ours string) { chat(f, ours, 1, 100*time.Millisecond) }, why: "came and went"},
		{
			name: "canceled", during: func(f *fakeNode, ours string) { f.tasks["x"] = textTask("Cancelled", ours, "other") },
			why: "a request to " + llama,
		},
		{name: "a load that began", after: func(f *fakeNode, _ string) {
			in := f.propose(qwen, 1)
			f.accept(in, "stranger")
			in.lifetime, in.listed = always(""), 0
			f.tasks["e"] = errand("CreateRunner", in.id)
		}, why: "exo loaded or unloaded some model"},
		{name: "a load that came and went", during: func(f *fakeNode, _ string) { f.tasks["e"] = errand("Shutdown", "gone") }, why: "(Shutdown)"},
		{
			name:   "a load on another node",
			before: func(f *fakeNode, _ string) { f.tasks["x"] = errand("LoadModel", f.elsewhere(qwen)) },
			looks:  7,
			during: func(f *fakeNode, _ string) {
				for id, in := range f.instances {
					if in.model == qwen {
						f.tasks["y"] = errand("LoadModel", id)
					}
				}
			},
		},
		{name: "a download", during: func(f *fakeNode, _ string) { f.tasks["e"] = errand("DownloadModel", "some") }},
		{name: "another instance of our model", owned: true, before: func(f *fakeNode, _ string) {
			in := f.propose(llama, 1)
			f.accept(in, "stranger")
			in.lifetime, in.listed = always("RunnerReady"), 0
			f.tasks["e"] = errand("LoadModel", in.id)
		}, why: "another instance of " + llama, looks: 7},
		{name: "looks fail", during: func(f *fakeNode, _ string) { f.outage = func() bool { return true } }, looks: 2},
		{name: "no count of events", before: func(f *fakeNode, _ string) { f.events = -1e6 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				beat(t, f)
				if !c.owned {
					f.stranger(llama, always("RunnerReady"))
				}
				m := newTestManager(t, f, t.TempDir())
				lease, err := m.Acquire(t.Context(), llama)
				if err != nil {
					t.Fatal(err)
				}
				ours := lease.Info.Instance
				do := func(change func(*fakeNode, string)) {
					f.mu.Lock()
					defer f.mu.Unlock()
					if change != nil {
						change(f, ours)
					}
				}
				request := func(id string, change func(*fakeNode, string), after func(*fakeNode, string)) (bool, string) {
					stop := lease.Watch(t.Context())
					do(func(f *fakeNode, ours string) { f.tasks[id] = textTask("Running", ours, id) })
					pass(2 * time.Second)
					do(change)
					pass(10 * time.Second)
					do(after)
					do(func(f *fakeNode, _ string) { delete(f.tasks, id); f.events += tokens + ownEvents })
					return stop(workload.Result{Outcome: workload.OutcomeOK, ResponseID: id, TokenEvents: tokens, OutputTokens: tokens})
				}
				for range 3 { // the first has no look before it
					if contended, why := request("warm-up", nil, nil); contended {
						t.Errorf("warm-up contended: %s", why)
					}
				}
				do(c.before)
				before := f.called("GET /state")
				contended, why := request("own", c.during, c.after)
				if contended != (c.why != "") || !strings.Contains(why, c.why) || strings.Contains(why, "private") {
					t.Errorf("got %v %q, want %q", contended, why, c.why)
				}
				if looks := f.called("GET /state") - before; looks != cmp.Or(c.looks, 3) {
					t.Errorf("%d looks", looks)
				}
			})
		})
	}
}

// TestWatchWaits puts no request beside other people's work, or to a model that is not ready.
func TestWatchWaits(t *testing.T) {
	for _, c := range []struct {
		name  string
		setup func(f *fakeNode, ours string)
		least time.Duration
		most  time.Duration
		why   string
	}{
		{"a chat", func(f *fakeNode, ours string) { chat(f, ours, 5, 20*time.Second) }, 20 * time.Second, 22 * time.Second, ""},
		{
			"a chat that does not end", func(f *fakeNode, ours string) { f.tasks["x"] = textTask("Running", ours, "other") }, 5 * time.Minute,
			5*time.Minute + 2*time.Second, "a request to",
		},
		{
			"a request to an instance that is gone", func(f *fakeNode, _ string) { f.tasks["x"] = textTask("Pending", "gone", "other") }, 0,
			time.Second, "",
		},
		{"a runner that is started again", func(f *fakeNode, ours string) {
			f.tasks["e"] = errand("CreateRunner", ours)
			f.instances[ours].created, f.instances[ours].lifetime = time.Now().Add(-time.Second), script(usual, time.Hour, nil)
		}, 2 * time.Second, 3 * time.Second, ""},
		{"a runner that stays dead", func(f *fakeNode, ours string) {
			f.tasks["e"] = errand("Shutdown", ours)
			f.instances[ours].lifetime = always("")
		}, 150 * time.Second, 152 * time.Second, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.stranger(llama, always("RunnerReady"))
				m := newTestManager(t, f, t.TempDir())
				lease, err := m.Acquire(t.Context(), llama)
				if err != nil {
					t.Fatal(err)
				}
				lease.Watch(t.Context())(workload.Result{Outcome: workload.OutcomeOK})
				f.mu.Lock()
				c.setup(f, lease.Info.Instance)
				f.mu.Unlock()
				start := time.Now()
				stop := lease.Watch(t.Context())
				if took := time.Since(start); took < c.least || took > c.most {
					t.Errorf("waited %s", took)
				}
				if contended, why := stop(workload.Result{Outcome: workload.OutcomeOK}); contended != (c.why != "") || !strings.Contains(why, c.why) {
					t.Errorf("got %v %q", contended, why)
				}
				if c.why != "" { // it is waited for once in a turn
					start = time.Now()
					if lease.Watch(t.Context()); time.Since(start) > time.Second {
						t.Errorf("waited again, for %s", time.Since(start))
					}
				}
			})
		})
	}
}

// borrow returns a lease on an instance that a stranger has on a node.
func borrow(t *testing.T) (f *fakeNode, id string, lease *Lease) {
	t.Helper()
	f = newFake()
	id = f.stranger(llama, always("RunnerReady"))
	lease, err := newTestManager(t, f, t.TempDir()).Acquire(t.Context(), llama)
	if err != nil {
		t.Fatal(err)
	}
	return f, id, lease
}

// TestWatchWaitsInATurn waits for chats that follow one another for no longer than for one that
// does not end.
func TestWatchWaitsInATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, id, lease := borrow(t)
		start := time.Now()
		for i := range 10 {
			f.mu.Lock()
			chat(f, id, 5, 2*time.Minute)
			f.mu.Unlock()
			contended, why := lease.Watch(t.Context())(workload.Result{Outcome: workload.OutcomeOK, TokenEvents: 5})
			if contended != (i >= 2) {
				t.Errorf("request %d after %s: contended %v, %s", i, time.Since(start), contended, why)
			}
		}
		if took := time.Since(start); took < 5*time.Minute || took > 5*time.Minute+5*time.Second {
			t.Errorf("waited %s in all", took)
		}
	})
}

// TestWatchFailure takes the look after a failed request for what is the matter.
func TestWatchFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, id, lease := borrow(t)
		before := f.called("GET /state")
		stop := lease.Watch(t.Context())
		f.instances[id].lifetime = always("")
		pass(time.Second)
		if contended, why := stop(workload.Result{Outcome: workload.OutcomeStreamError}); contended {
			t.Errorf("contended: %s", why)
		}
		if err := lease.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "not ready any more") {
			t.Errorf("got %v", err)
		}
		if looks := f.called("GET /state") - before; looks != 3 {
			t.Errorf("%d looks", looks)
		}
	})
}
