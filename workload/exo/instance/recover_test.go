package instance

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
)

// TestRecover goes through what a failed request may find of its instance.
func TestRecover(t *testing.T) {
	for _, c := range []struct {
		name     string
		borrowed bool
		times    int // that somebody deletes the instance
		broken   func(f *fakeNode, id string)
		words    string
		over     bool
		posts    int
	}{
		{name: "nothing is the matter", posts: 1},
		{
			name: "its runner has failed", broken: func(f *fakeNode, id string) { f.instances[id].lifetime = always("RunnerFailed") },
			words: "not ready any more", posts: 1,
		},
		{name: "deleted by somebody", times: 1, words: "it was placed again", posts: 2},
		{name: "deleted twice", times: 2, words: "for the second time in this turn", over: true, posts: 2},
		{name: "a borrowed one was deleted", borrowed: true, times: 1, words: "is gone", over: true},
		{name: "deleted, and no room", times: 1, broken: func(f *fakeNode, _ string) {
			f.override["POST /instance"] = status(400, `{"error":{"message":"Insufficient memory"}}`)
		}, words: "could not be placed again: exo refused", over: true, posts: 2},
		{name: "exo cannot be asked", broken: func(f *fakeNode, _ string) { f.outage = func() bool { return true } }, posts: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, dir := newFake(), t.TempDir()
				if c.borrowed {
					f.stranger(llama, always("RunnerReady"))
				}
				m := newTestManager(t, f, dir)
				lease, err := m.Acquire(t.Context(), llama)
				if err != nil {
					t.Fatal(err)
				}
				if c.broken != nil {
					c.broken(f, lease.Info.Instance)
				}
				var why string
				var over bool
				for range max(1, c.times) {
					if c.times > 0 {
						f.vanish(lease.Info.Instance)
					}
					pass(time.Second)
					why, over = lease.Recover(t.Context())
				}
				if over != c.over || (why == "") != (c.words == "") || !strings.Contains(why, c.words) {
					t.Errorf("over: %v, %q", over, why)
				}
				if got := f.called(http.MethodPost + " /instance"); got != c.posts {
					t.Errorf("placed %d times, want %d", got, c.posts)
				}
				f.outage = nil
				if err := lease.Release(t.Context()); err != nil && !c.over {
					t.Error(err)
				}
				if err := m.Sweep(t.Context()); err != nil {
					t.Error(err)
				}
				wantNothingLeft(t, f)
				if left := records(t, dir); len(left) != 0 {
					t.Errorf("records left: %v", left)
				}
				if len(f.crimes) != 0 {
					t.Error(f.crimes)
				}
			})
		})
	}
}

// TestStopIsQuick has the caller stop in mid-generation: nothing untrue is said of it, and the
// instance is asked to go at once.
func TestStopIsQuick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, dir := newFake(), t.TempDir()
		m := newTestManager(t, f, dir)
		ctx, cancel := context.WithCancel(t.Context())
		lease, err := m.Acquire(ctx, llama)
		if err != nil {
			t.Fatal(err)
		}
		stop := lease.Watch(ctx)
		f.tasks["own"] = textTask("Cancelled", lease.Info.Instance, "own")
		looks := f.called("GET /state")
		cancel()
		start := time.Now()
		if contended, why := stop(workload.Result{Outcome: workload.OutcomeCanceled}); contended || f.called("GET /state") != looks {
			t.Errorf("contended: %v %s", contended, why)
		}
		if err := lease.Release(ctx); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %s", took)
		}
		wantNothingLeft(t, f)
		if left := records(t, dir); len(left) != 0 {
			t.Errorf("records left: %v", left)
		}
	})
}

// TestRecoverWaitsForAQuietMoment loads in the place of an instance that is gone as any other.
func TestRecoverWaitsForAQuietMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		beat(t, f)
		other := f.stranger(qwen, always("RunnerReady"))
		m := newTestManager(t, f, t.TempDir(), func(o *Options) { o.Reload = ReloadIdle })
		lease, err := m.Acquire(t.Context(), llama)
		if err != nil {
			t.Fatal(err)
		}
		f.vanish(lease.Info.Instance)
		pass(time.Second)
		start := time.Now()
		for i := range 10 {
			time.AfterFunc(time.Duration(4*i)*time.Second, func() {
				f.mu.Lock()
				defer f.mu.Unlock()
				chat(f, other, 20, time.Second)
			})
		}
		why, over := lease.Recover(t.Context())
		if took := time.Since(start); over || !strings.Contains(why, "placed again") || took < 40*time.Second || took > time.Minute {
			t.Errorf("%q, over %v, after %s: somebody chatted for 37 s", why, over, took)
		}
	})
}
