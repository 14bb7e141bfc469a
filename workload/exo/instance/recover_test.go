package instance

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
)

// TestRecover goes through what a failed request may find of its instance.
func TestRecover(t *testing.T) {
	for _, c := range []struct {
		name     string
		borrowed bool
		times    int // that somebody deletes the instance
		broken   func(s *sim, id string)
		fault    *exosim.Fault
		words    string
		over     bool
		posts    int
	}{
		{name: "nothing is the matter", posts: 1},
		{name: "its runner has died", broken: func(s *sim, id string) { s.KillRunner(id) }, words: "not ready any more", posts: 1},
		{name: "deleted by somebody", times: 1, words: "it was placed again", posts: 2},
		{name: "deleted twice", times: 2, words: "for the second time in this turn", over: true, posts: 2},
		{name: "a borrowed one was deleted", borrowed: true, times: 1, words: "is gone", over: true},
		{
			name: "deleted, and no room", times: 1, fault: &exosim.Fault{Kind: exosim.PlacementRefused, Skip: 1},
			words: "could not be placed again: exo refused", over: true, posts: 2,
		},
		{name: "exo cannot be asked", fault: &exosim.Fault{Kind: exosim.Unreachable}, posts: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, dir := newSim(t, exosim.Options{}), t.TempDir()
				if c.borrowed {
					s.load(t, llama)
				}
				m := newTestManager(t, s, dir)
				lease, err := m.Acquire(t.Context(), llama)
				if err != nil {
					t.Fatal(err)
				}
				if c.broken != nil {
					c.broken(s, lease.Info.Instance)
				}
				if c.fault != nil {
					s.inject(t, *c.fault)
				}
				var why string
				var over bool
				for range max(1, c.times) {
					if c.times > 0 {
						s.DeleteStranger(lease.Info.Instance)
					}
					pass(time.Second)
					why, over = lease.Recover(t.Context())
				}
				if over != c.over || (why == "") != (c.words == "") || !strings.Contains(why, c.words) {
					t.Errorf("over: %v, %q", over, why)
				}
				if got := s.called("POST /instance"); got != c.posts {
					t.Errorf("placed %d times, want %d", got, c.posts)
				}
				s.Clear("")
				if err := lease.Release(t.Context()); err != nil && !c.over {
					t.Error(err)
				}
				if err := m.Sweep(t.Context()); err != nil {
					t.Error(err)
				}
				s.wantNothingLeft(t)
				wantNoRecords(t, dir)
			})
		})
	}
}

// TestStopIsQuick has the caller stop in mid-generation: nothing untrue is said of it, and the
// instance is asked to go at once.
func TestStopIsQuick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dir := newSim(t, exosim.Options{}), t.TempDir()
		m := newTestManager(t, s, dir)
		ctx, cancel := context.WithCancel(t.Context())
		lease, err := m.Acquire(ctx, llama)
		if err != nil {
			t.Fatal(err)
		}
		stop := lease.Watch(ctx)
		time.AfterFunc(100*time.Millisecond, cancel)
		s.stream(t, ctx, llama, "hello")
		looks, start := s.called("GET /state"), time.Now()
		if contended, why := stop(workload.Result{Outcome: workload.OutcomeCanceled}); contended || s.called("GET /state") != looks {
			t.Errorf("contended: %v %s", contended, why)
		}
		if err := lease.Release(ctx); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %s", took)
		}
		s.wantNothingLeft(t)
		wantNoRecords(t, dir)
	})
}

// TestRecoverWaitsForAQuietMoment loads in the place of an instance that is gone as any other.
func TestRecoverWaitsForAQuietMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, exosim.Options{})
		s.load(t, qwen)
		m := newTestManager(t, s, t.TempDir(), func(o *Options) { o.Reload = ReloadIdle })
		lease, err := m.Acquire(t.Context(), llama)
		if err != nil {
			t.Fatal(err)
		}
		s.DeleteStranger(lease.Info.Instance)
		pass(time.Second)
		start := time.Now()
		for i := range 10 {
			time.AfterFunc(time.Duration(4*i)*time.Second, func() { s.chat(t, qwen, 51) })
		}
		why, over := lease.Recover(t.Context())
		if took := time.Since(start); over || !strings.Contains(why, "placed again") || took < 40*time.Second || took > time.Minute {
			t.Errorf("%q, over %v, after %s: somebody chatted for 37 s", why, over, took)
		}
	})
}
