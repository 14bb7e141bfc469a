package instance

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
)

func TestBusy(t *testing.T) {
	boots := exosim.Fault{Kind: exosim.BootSlow, Seconds: 60}
	for _, c := range []struct {
		name   string
		faults []exosim.Fault
		setup  func(*testing.T, *sim, *Manager)
		busy   string
	}{
		{name: "idle", setup: func(t *testing.T, s *sim, _ *Manager) { s.load(t, qwen) }},
		{name: "running", setup: func(t *testing.T, s *sim, _ *Manager) {
			s.load(t, qwen)
			s.chat(t, qwen, 1000)
		}, busy: "a request to " + qwen},
		{name: "whole state", faults: []exosim.Fault{{Kind: exosim.StatePathsMissing}}, setup: func(t *testing.T, s *sim, _ *Manager) {
			s.load(t, qwen)
			s.chat(t, qwen, 1000)
		}, busy: "a request to " + qwen},
		{name: "our own request", setup: func(t *testing.T, s *sim, m *Manager) {
			s.load(t, qwen)
			m.Mine("", s.chat(t, qwen, 1000))
			s.Reword("GET /state/runners", strings.NewReplacer("RunnerRunning", "RunnerReady").Replace)
		}},
		{name: "booting", faults: []exosim.Fault{boots}, setup: func(t *testing.T, s *sim, _ *Manager) {
			s.place(t, qwen)
		}, busy: qwen + " is being loaded"},
		{name: "started again", faults: []exosim.Fault{{Kind: exosim.RunnerFails}}, setup: func(t *testing.T, s *sim, _ *Manager) {
			s.place(t, qwen)
			s.await(t, func(i exosim.InstanceInfo) bool { return i.Status == "RunnerFailed" })
		}, busy: qwen + " is being loaded"},
		{name: "request to a dead instance", setup: func(t *testing.T, s *sim, m *Manager) {
			s.KillRunner(s.load(t, qwen))
			s.chat(t, qwen, 1000)
			if busy, _, _ := m.Busy(t.Context()); !busy {
				t.Error("dead at first sight")
			}
			pass(m.deadBound())
		}},
		{name: "request to an instance that is gone", setup: func(t *testing.T, s *sim, _ *Manager) {
			s.KillRunner(s.load(t, qwen))
			s.chat(t, qwen, 1000)
			s.inject(t, exosim.Fault{Kind: exosim.InstancesHidden})
		}},
		{
			name: "loading", faults: []exosim.Fault{{Kind: exosim.RunnerStuck, State: "RunnerWarmingUp"}},
			setup: func(t *testing.T, s *sim, _ *Manager) {
				s.place(t, qwen)
				pass(time.Minute)
			}, busy: qwen + " is being loaded",
		},
		{
			name:   "generating",
			faults: []exosim.Fault{{Kind: exosim.HTTPError, Path: "GET /state/tasks", Status: http.StatusNotFound}},
			setup: func(t *testing.T, s *sim, _ *Manager) {
				s.load(t, qwen)
				s.chat(t, qwen, 1000)
				pass(time.Second)
			}, busy: qwen + " is generating",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSim(t, exosim.Options{}, c.faults...)
				m := newTestManager(t, s, t.TempDir())
				c.setup(t, s, m)
				pass(100 * time.Millisecond)
				busy, why, err := m.Busy(t.Context())
				if err != nil || busy != (c.busy != "") || !strings.Contains(why, c.busy) || strings.Contains(why, exosim.StrangerPrompt) {
					t.Errorf("got %v %q %v, want %q", busy, why, err, c.busy)
				}
			})
		})
	}
}

func TestWaitIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, exosim.Options{})
		s.load(t, qwen)
		m := newTestManager(t, s, t.TempDir())
		start := time.Now()
		s.chat(t, qwen, 30*51)
		if err := m.WaitIdle(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < 29*time.Second || took > 33*time.Second {
			t.Errorf("waited %s", took)
		}
		s.inject(t, exosim.Fault{Kind: exosim.RunnerStuck, State: "RunnerLoading"})
		s.place(t, llama)
		pass(time.Minute)
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

// ask puts a request to a model that exo takes for one of ours, under a lease's watch, and says
// whether that was contended. during is done two seconds into it, after when its answer is there.
func (s *sim) ask(t *testing.T, lease *Lease, tokens int, during, after func()) (contended bool, why string) {
	t.Helper()
	stop := lease.Watch(t.Context())
	id := s.chat(t, llama, tokens)
	pass(2 * time.Second)
	if during != nil {
		during()
	}
	pass(10 * time.Second)
	for open := true; open; {
		answer, _ := s.Truth(id)
		if open = answer.Done.IsZero(); open {
			pass(time.Second)
		}
	}
	if after != nil {
		after()
	}
	pass(200 * time.Millisecond)
	return stop(workload.Result{Outcome: workload.OutcomeOK, ResponseID: id, TokenEvents: tokens, OutputTokens: tokens})
}

func TestWatch(t *testing.T) {
	noCount := exosim.Fault{Kind: exosim.HTTPError, Path: "GET /state/lastEventAppliedIdx", Status: http.StatusNotFound}
	for _, c := range []struct {
		name   string
		faults []exosim.Fault
		before func(*testing.T, *sim)
		during func(*testing.T, *sim) // two seconds into a request of twelve
		after  func(*testing.T, *sim)
		why    string
		owned  bool
		looks  int // at the state, at most; 3 when 0
	}{
		{name: "alone"},
		{name: "alone on our own", owned: true},
		{name: "during", during: func(t *testing.T, s *sim) { s.chat(t, llama, 1e5) }, why: "a request to " + llama},
		{name: "a short chat", during: func(t *testing.T, s *sim) { s.chat(t, llama, 8) }, why: "came and went", looks: 4},
		{name: "canceled", during: func(t *testing.T, s *sim) {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			s.stream(t, ctx, llama, "hello")
		}, why: "a request to " + llama},
		{name: "a load that began", after: func(t *testing.T, s *sim) { s.place(t, qwen) }, why: "exo loaded or unloaded some model"},
		{name: "a load that came and went", during: func(t *testing.T, s *sim) {
			s.DeleteStranger(s.load(t, qwen))
		}, why: "exo loaded or unloaded some model"},
		{
			name: "an unload on our node", faults: []exosim.Fault{noCount}, before: func(t *testing.T, s *sim) { s.load(t, qwen) }, looks: 5,
			during: func(_ *testing.T, s *sim) { s.DeleteStranger(s.strangers()[1]) }, why: "exo loaded or unloaded " + qwen + " (Shutdown)",
		},
		{
			name: "an unload on another node", faults: []exosim.Fault{noCount}, looks: 5,
			before: func(t *testing.T, s *sim) {
				id := s.load(t, qwen)
				there := s.await(t, func(i exosim.InstanceInfo) bool { return i.ID == id })
				here, elsewhere := `{"`+s.ID()+`":"`+there.RunnerID+`"}`, `{"node-z":"`+there.RunnerID+`"}`
				s.Reword("GET /state", func(said string) string { return strings.ReplaceAll(said, here, elsewhere) })
			},
			during: func(_ *testing.T, s *sim) { s.DeleteStranger(s.strangers()[1]) },
		},
		{name: "a download", during: func(t *testing.T, s *sim) {
			if err := s.StartDownload(mistral); err != nil {
				t.Error(err)
			}
		}},
		{
			name: "another instance of our model", owned: true, before: func(t *testing.T, s *sim) { s.load(t, llama) },
			why: "another instance of " + llama, looks: 7,
		},
		{name: "looks fail", during: func(t *testing.T, s *sim) { s.inject(t, exosim.Fault{Kind: exosim.Unreachable}) }, looks: 2},
		{name: "no count of events", faults: []exosim.Fault{noCount}, looks: 2, during: func(t *testing.T, s *sim) { s.chat(t, llama, 8) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSim(t, exosim.Options{NotDownloaded: []string{mistral}}, c.faults...)
				if !c.owned {
					s.load(t, llama)
				}
				m := newTestManager(t, s, t.TempDir())
				lease, err := m.Acquire(t.Context(), llama)
				if err != nil {
					t.Fatal(err)
				}
				do := func(change func(*testing.T, *sim)) func() {
					if change == nil {
						return nil
					}
					return func() { change(t, s) }
				}
				for range 3 { // the first has no look before it
					if contended, why := s.ask(t, lease, 100, nil, nil); contended {
						t.Errorf("warm-up contended: %s", why)
					}
				}
				if c.before != nil {
					c.before(t, s)
				}
				before := s.called("GET /state")
				contended, why := s.ask(t, lease, 100, do(c.during), do(c.after))
				if contended != (c.why != "") || !strings.Contains(why, c.why) || strings.Contains(why, exosim.StrangerPrompt) {
					t.Errorf("got %v %q, want %q", contended, why, c.why)
				}
				if looks := s.called("GET /state") - before; looks > cmp.Or(c.looks, 3) {
					t.Errorf("%d looks", looks)
				}
			})
		})
	}
}

// TestWatchWaits puts no request beside other people's work, or to a model that is not ready.
func TestWatchWaits(t *testing.T) {
	for _, c := range []struct {
		name        string
		setup       func(t *testing.T, s *sim, ours string)
		failed      bool // our last request has failed
		least, most time.Duration
		why         string
	}{
		{
			name: "a chat", setup: func(t *testing.T, s *sim, _ string) { s.chat(t, llama, 20*245) },
			least: 19 * time.Second, most: 22 * time.Second,
		},
		{
			name: "a chat that does not end", setup: func(t *testing.T, s *sim, _ string) { s.chat(t, llama, 1e6) },
			least: 5 * time.Minute, most: 5*time.Minute + 2*time.Second, why: "a request to",
		},
		{name: "a runner that is started again", setup: func(t *testing.T, s *sim, _ string) {
			s.stream(t, t.Context(), llama, "EXO RUNNER MUST FAIL")
			pass(700 * time.Millisecond) // exo lets some time pass before the next runner
		}, least: time.Second, most: 3 * time.Second},
		{name: "a runner that stays dead", failed: true, setup: func(_ *testing.T, s *sim, ours string) {
			s.KillRunner(ours)
		}, least: 150 * time.Second, most: 152 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, id, lease := borrow(t)
				last := workload.OutcomeOK
				if c.failed {
					last = workload.OutcomeStreamError
				}
				lease.Watch(t.Context())(workload.Result{Outcome: last})
				c.setup(t, s, id)
				pass(50 * time.Millisecond)
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
func borrow(t *testing.T) (s *sim, id string, lease *Lease) {
	t.Helper()
	s = newSim(t, exosim.Options{})
	id = s.load(t, llama)
	lease, err := newTestManager(t, s, t.TempDir()).Acquire(t.Context(), llama)
	if err != nil {
		t.Fatal(err)
	}
	return s, id, lease
}

// TestWatchWaitsInATurn waits for chats that follow one another for no longer than for one that
// does not end.
func TestWatchWaitsInATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, lease := borrow(t)
		start := time.Now()
		for i := range 10 {
			s.chat(t, llama, 120*245)
			pass(10 * time.Millisecond)
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
		s, id, lease := borrow(t)
		before := s.called("GET /state")
		stop := lease.Watch(t.Context())
		s.KillRunner(id)
		pass(time.Second)
		if contended, why := stop(workload.Result{Outcome: workload.OutcomeStreamError}); contended {
			t.Errorf("contended: %s", why)
		}
		if err := lease.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "not ready any more") {
			t.Errorf("got %v", err)
		}
		if looks := s.called("GET /state") - before; looks != 3 {
			t.Errorf("%d looks", looks)
		}
	})
}
