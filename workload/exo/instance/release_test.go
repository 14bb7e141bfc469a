package instance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload/exosim"
)

// toLeave is within what time a process that is told to stop leaves, as users are promised.
const toLeave = 2 * time.Second

// TestStopWhileLoading cancels Acquire as SIGTERM does, with exo at its usual speed and slow.
func TestStopWhileLoading(t *testing.T) {
	for name, late := range map[string]time.Duration{"usual": 0, "slow": 9 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, dir := newSim(t, exosim.Options{}), t.TempDir()
				m := newTestManager(t, s, dir)
				ctx, cancel := context.WithCancel(t.Context())
				var stopped time.Time
				go func() {
					s.await(t, ofOurs("RunnerLoading"))
					s.mu.Lock()
					stopped, s.late = time.Now(), late
					s.mu.Unlock()
					cancel()
				}()
				_, err := m.Acquire(ctx, llama)
				if !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
				if took := time.Since(stopped); took > toLeave {
					t.Errorf("took %s", took)
				}
				if s.called("DELETE") == 0 {
					t.Error("no DELETE was sent")
				}
				pass(time.Second)
				s.wantNothingLeft(t)
			})
		})
	}
}

func TestReleaseWithEndedContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dir := newSim(t, exosim.Options{}), t.TempDir()
		m := newTestManager(t, s, dir)
		lease, err := m.Acquire(t.Context(), llama)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := lease.Release(ctx); err != nil {
			t.Error(err)
		}
		s.wantNothingLeft(t)
	})
}

func TestReleaseGoesWrong(t *testing.T) {
	const deleting = "DELETE /instance"
	for _, c := range []struct {
		name    string
		faults  []exosim.Fault
		setup   func(t *testing.T, s *sim, ours string)
		message string // "" when it works out
		later   bool   // a later sweep has work to do
	}{
		{name: "deleted by somebody else", setup: func(_ *testing.T, s *sim, ours string) { s.DeleteStranger(ours) }},
		{name: "DELETE lost in an election", faults: []exosim.Fault{{Kind: exosim.DeleteIgnored, Count: 1}}},
		{name: "hidden by an election", faults: []exosim.Fault{{Kind: exosim.InstancesHidden, Seconds: 2}}},
		{name: "DELETE fails for some seconds", faults: []exosim.Fault{
			{Kind: exosim.HTTPError, Path: deleting, Count: 2},
			{Kind: exosim.Text500, Path: deleting, Count: 1},
			{Kind: exosim.AnswerLost, Path: deleting, Count: 1},
		}},
		{
			name: "DELETE ignored", faults: []exosim.Fault{{Kind: exosim.DeleteIgnored}},
			message: "still lists the instance after 1m0s", later: true,
		},
		{name: "DELETE fails", faults: []exosim.Fault{{Kind: exosim.Text500, Path: deleting}}, message: "HTTP 500", later: true},
		{
			name: "worker does not come to it", faults: []exosim.Fault{{Kind: exosim.BootSlow, Seconds: 3600}},
			setup: func(t *testing.T, s *sim, _ string) {
				s.place(t, qwen)
				pass(time.Second)
			},
			message: "worker has not shut its runners down after 10m0s (EXOBENCH_LOAD_TIMEOUT)",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, dir := newSim(t, exosim.Options{}), t.TempDir()
				m := newTestManager(t, s, dir)
				lease, err := m.Acquire(t.Context(), llama)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range c.faults {
					s.inject(t, f)
				}
				if c.setup != nil {
					c.setup(t, s, lease.Info.Instance)
				}
				err = lease.Release(t.Context())
				if (err != nil) != (c.message != "") || err != nil && !strings.Contains(err.Error(), c.message) {
					t.Errorf("got %v, want %q", err, c.message)
				}
				if got := len(records(t, dir)) == 1; got != c.later {
					t.Errorf("record kept: %v, want %v", got, c.later)
				}
				pass(2 * time.Second) // nothing may come back
				s.Clear("")
				if err := m.Sweep(t.Context()); err != nil {
					t.Error(err)
				}
				s.wantNothingLeft(t)
				wantNoRecords(t, dir)
			})
		})
	}
}

// TestCreatedTwice has a POST whose answer was lost take effect again after the DELETE, as
// commands that waited for the end of a master election may.
func TestCreatedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dir := newSim(t, exosim.Options{}, exosim.Fault{Kind: exosim.AnswerLost, Path: "POST /instance", Count: 1}), t.TempDir()
		m := newTestManager(t, s, dir)
		lease, err := m.Acquire(t.Context(), llama)
		if err != nil {
			t.Fatal(err)
		}
		if err := lease.Release(t.Context()); err != nil {
			t.Error(err)
		}
		pass(20 * time.Second)
		post, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://exo.test/instance",
			strings.NewReader(string(s.asked[lease.Info.Instance])))
		res, err := s.RoundTrip(post)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if pass(time.Second); len(s.left()) != 1 {
			t.Fatalf("there are %v", s.left())
		}
		if err := m.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
		s.wantNothingLeft(t)
	})
}

func TestCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, id, lease := borrow(t)
		s.KillRunner(id)
		pass(time.Second)
		if err := lease.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "not ready any more (runners: absent)") {
			t.Errorf("dead: %v", err)
		}
		s.DeleteStranger(id)
		pass(time.Second)
		if err := lease.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "is gone") {
			t.Errorf("gone: %v", err)
		}
	})
}

// TestReleased waits for what was placed to be gone, and for nothing else: exo goes on listing
// the runner.
func TestReleased(t *testing.T) {
	for _, c := range []struct {
		name        string
		seen        bool          // runners' processes can be seen
		others      bool          // one of somebody else's appears in the same time
		busy        time.Duration // for which the worker is at something else
		least, most time.Duration
	}{
		{"not seen", false, false, 0, settleTime, settleTime + time.Second},
		{"worker busy", false, false, 40 * time.Second, 39*time.Second + settleTime, 42*time.Second + settleTime},
		{"seen", true, false, 0, 400 * time.Millisecond, 2 * time.Second},
		{"seen, worker busy", true, false, 20 * time.Second, 20 * time.Second, 22 * time.Second},
		{"somebody else's among them", true, true, 0, settleTime, settleTime + 2*time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSim(t, exosim.Options{})
				m := newTestManager(t, s, t.TempDir(), func(o *Options) {
					if c.seen {
						o.Runners = func() (names []string, ok bool) {
							for _, p := range s.Processes()[2:] { // behind exo itself and its tracker
								names = append(names, fmt.Sprint(p.PID))
							}
							return names, true
						}
					}
				})
				if c.others {
					time.AfterFunc(500*time.Millisecond, func() { s.place(t, mistral) })
				}
				lease, err := m.Acquire(t.Context(), llama)
				if err != nil {
					t.Fatal(err)
				}
				if c.busy > 0 {
					s.inject(t, exosim.Fault{Kind: exosim.BootSlow, Seconds: c.busy.Seconds()})
					s.place(t, qwen)
					pass(time.Second)
				}
				deleted := time.Now()
				if err := lease.Release(t.Context()); err != nil {
					t.Error(err)
				}
				if took := time.Since(deleted); took < c.least || took > c.most {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}
