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
)

// TestStopWhileLoading cancels Acquire as SIGTERM does, with exo at its usual speed and slow.
func TestStopWhileLoading(t *testing.T) {
	for name, latency := range map[string]time.Duration{"usual": 0, "slow": 9 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, dir := newFake(), t.TempDir()
				m := newTestManager(t, f, dir)
				ctx, cancel := context.WithCancel(t.Context())
				var stopped time.Time
				f.lifetime = func(age time.Duration) any {
					if age > time.Second && stopped.IsZero() {
						stopped = time.Now()
						f.latency = latency
						cancel()
					}
					return usual(age)
				}
				_, err := m.Acquire(ctx, llama)
				if !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
				if took := time.Since(stopped); took > graceAfterStop+100*time.Millisecond {
					t.Errorf("took %s", took)
				}
				if f.called("DELETE") == 0 {
					t.Error("no DELETE was sent")
				}
				pass(time.Second)
				wantNothingLeft(t, f)
			})
		})
	}
}

func TestReleaseWithEndedContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, dir := newFake(), t.TempDir()
		m := newTestManager(t, f, dir)
		lease, err := m.Acquire(t.Context(), llama)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := lease.Release(ctx); err != nil {
			t.Error(err)
		}
		wantNothingLeft(t, f)
	})
}

func TestReleaseGoesWrong(t *testing.T) {
	del := func(f *fakeNode, o func(*http.Request) (int, string)) {
		for id := range f.instances {
			f.override["DELETE /instance/"+id] = o
		}
	}
	for _, c := range []struct {
		name    string
		setup   func(*fakeNode)
		message string // "" when it works out
		later   bool   // a later sweep has work to do
	}{
		{name: "deleted by somebody else", setup: func(f *fakeNode) { f.instances["instance-1"].deleted = time.Now() }},
		{name: "DELETE lost in an election", setup: func(f *fakeNode) {
			lost := false
			del(f, func(*http.Request) (int, string) {
				if lost {
					return -1, ""
				}
				lost = true
				return 200, "{}"
			})
		}},
		{name: "hidden by an election", setup: func(f *fakeNode) {
			start := time.Now()
			for id, in := range f.instances {
				listed := in.listed
				in.listed = -1
				time.AfterFunc(2*time.Second, func() { f.mu.Lock(); in.listed = listed; f.mu.Unlock() })
				f.override["DELETE /instance/"+id] = func(*http.Request) (int, string) {
					if time.Since(start) < 2*time.Second {
						return 404, "{}"
					}
					return -1, ""
				}
			}
		}},
		{name: "DELETE fails for some seconds", setup: func(f *fakeNode) { del(f, first(0, 500, 0, 503, -1)) }},
		{
			name: "DELETE ignored", setup: func(f *fakeNode) { del(f, status(200, "{}")) }, message: "still lists the instance after 1m0s",
			later: true,
		},
		{name: "DELETE fails", setup: func(f *fakeNode) { del(f, status(500, "Internal Server Error")) }, message: "HTTP 500", later: true},
		{
			name: "worker does not come to it", setup: func(f *fakeNode) { f.instances["instance-1"].shutAfter = time.Hour },
			message: "worker has not shut its runners down after 10m0s (EXOBENCH_LOAD_TIMEOUT)",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, dir := newFake(), t.TempDir()
				m := newTestManager(t, f, dir)
				lease, err := m.Acquire(t.Context(), llama)
				if err != nil {
					t.Fatal(err)
				}
				c.setup(f)
				err = lease.Release(t.Context())
				if (err != nil) != (c.message != "") || err != nil && !strings.Contains(err.Error(), c.message) {
					t.Errorf("got %v, want %q", err, c.message)
				}
				if got := len(records(t, dir)) == 1; got != c.later {
					t.Errorf("record kept: %v, want %v", got, c.later)
				}
				pass(2 * time.Second) // nothing may come back
				clear(f.override)
				if err := m.Sweep(t.Context()); err != nil {
					t.Error(err)
				}
				wantNothingLeft(t, f)
				if left := records(t, dir); len(left) != 0 {
					t.Errorf("records left: %v", left)
				}
			})
		})
	}
}

// TestCreatedTwice has a POST whose answer was lost take effect again after the DELETE, as
// commands that waited for the end of a master election may.
func TestCreatedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, dir := newFake(), t.TempDir()
		f.override["POST /instance"] = first(-2, -1)
		m := newTestManager(t, f, dir)
		lease, err := m.Acquire(t.Context(), llama)
		if err != nil {
			t.Fatal(err)
		}
		if err := lease.Release(t.Context()); err != nil {
			t.Error(err)
		}
		pass(20 * time.Second)
		f.instances[lease.Info.Instance].deleted = time.Time{}
		if got := f.listed("guest"); len(got) != 1 {
			t.Fatalf("listed %v", got)
		}
		if err := m.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
		wantNothingLeft(t, f)
	})
}

func TestCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, id, lease := borrow(t)
		f.instances[id].lifetime = always("")
		pass(time.Second)
		if err := lease.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "not ready any more (runners: absent)") {
			t.Errorf("dead: %v", err)
		}
		f.vanish(id)
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
		others      int           // of them that appear in the same time
		gone        time.Duration // from DELETE to the end of the process
		shut        time.Duration // from DELETE to the worker's errand
		least, most time.Duration
	}{
		{"not seen", false, 0, 0, 0, settleTime, settleTime + time.Second},
		{"worker busy", false, 0, 0, 40 * time.Second, 40*time.Second + settleTime, 41*time.Second + settleTime},
		{"seen", true, 0, 1200 * time.Millisecond, 0, 1200 * time.Millisecond, 2 * time.Second},
		{"seen, slow", true, 0, 20 * time.Second, 0, 20 * time.Second, 21 * time.Second},
		{"somebody else's among them", true, 1, 0, 0, settleTime, settleTime + time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				var deleted time.Time
				m := newTestManager(t, f, t.TempDir(), func(o *Options) {
					if !c.seen {
						return
					}
					o.Runners = func() ([]string, bool) {
						now := []string{"1@1"}
						f.mu.Lock()
						defer f.mu.Unlock()
						if len(f.instances) == 0 {
							return now, true
						}
						for i := range c.others {
							now = append(now, fmt.Sprint("other ", i))
						}
						if deleted.IsZero() || time.Since(deleted) < c.gone {
							now = append(now, "2@2")
						}
						return now, true
					}
				})
				lease, err := m.Acquire(t.Context(), llama)
				if err != nil {
					t.Fatal(err)
				}
				f.instances[lease.Info.Instance].shutAfter = c.shut
				deleted = time.Now()
				if err := lease.Release(t.Context()); err != nil {
					t.Error(err)
				}
				if took := time.Since(deleted); took < c.least || took > c.most {
					t.Errorf("took %s", took)
				}
				if f.state()["runners"].(j)["runner-1-0"] == nil {
					t.Error("the runner's record is gone, unlike any real one")
				}
			})
		})
	}
}
