package instance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

func TestTaskList(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"none", `{}`, "[]"},
		{"null", `null`, "[]"},
		{"HEAD", `{"1":{"TextGeneration":{"taskStatus":"Running","instanceId":"i","commandId":"c","taskParams":{"taskStatus":"Pending","commandId":"x"}}}}`, "[{i c}]"},
		{"snake case", `{"1":{"ImageEdits":{"task_status":"Pending","instance_id":"i","command_id":"c"}}}`, "[{i c}]"},
		{"unknown tag", `{"1":{"VideoGeneration":{"taskStatus":"Running","instanceId":"i","commandId":"c"}}}`, "[{i c}]"},
		{"no tag", `{"1":{"taskStatus":"Running","instanceId":"i","commandId":"c","taskParams":{}}}`, "[{i c}]"},
		{"list", `[{"TextGeneration":{"taskStatus":"Running","commandId":"c"}}]`, "[{ c}]"},
		{"over", `{"1":{"TextGeneration":{"taskStatus":"Complete","commandId":"c"}},"2":{"TextGeneration":{"taskStatus":"Cancelled","commandId":"d"}}}`, "[]"},
		{"exo's own errand", `{"1":{"DownloadModel":{"taskStatus":"Running","instanceId":"i"}}}`, "[]"},
		{"nonsense", `{"1":7,"2":{"A":3},"3":null,"4":{"TextGeneration":{"taskStatus":5}}}`, "[]"},
		{"more nonsense", `"x"`, "[]"},
	} {
		var l taskList
		if err := json.Unmarshal([]byte(c.in), &l); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := fmt.Sprint(l); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
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
		{name: "request to a dead instance", setup: func(f *fakeNode, _ *Manager) {
			f.tasks["t"] = textTask("Running", f.stranger(qwen, always("")), "c")
		}},
		{name: "request to an instance that is gone", setup: func(f *fakeNode, _ *Manager) { f.tasks["t"] = textTask("Pending", "gone", "c") }},
		{name: "loading", setup: func(f *fakeNode, _ *Manager) { f.stranger(qwen, always("RunnerWarmingUp")) }, busy: qwen + " is being loaded"},
		{name: "generating", setup: func(f *fakeNode, _ *Manager) { f.tasks = nil; f.stranger(qwen, always("RunnerRunning")) }, busy: qwen + " is generating"},
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

func TestWatch(t *testing.T) {
	for _, c := range []struct {
		name   string
		during func(f *fakeNode, ours string) // two seconds into a request of 12 s
		before func(f *fakeNode, ours string)
		after  func(f *fakeNode, ours string)
		why    string
		owned  bool
	}{
		{name: "alone"},
		{name: "alone on our own", owned: true},
		{name: "before", before: func(f *fakeNode, ours string) { f.tasks["x"] = textTask("Running", ours, "other") }, why: "a request to"},
		{name: "during", during: func(f *fakeNode, ours string) { f.tasks["x"] = textTask("Running", ours, "other") }, why: "a request to"},
		{name: "short, between two looks", during: func(f *fakeNode, ours string) {
			f.tasks["x"] = textTask("Running", ours, "other")
			time.AfterFunc(time.Second, func() { f.mu.Lock(); delete(f.tasks, "x"); f.mu.Unlock() })
		}},
		{name: "short, at a look", during: func(f *fakeNode, ours string) {
			f.tasks["x"] = textTask("Running", ours, "other")
			time.AfterFunc(4*time.Second, func() { f.mu.Lock(); delete(f.tasks, "x"); f.mu.Unlock() })
		}, why: "a request to"},
		{name: "loading at the end", after: func(f *fakeNode, _ string) {
			in := f.propose(qwen, 1)
			f.accept(in, "stranger")
			in.lifetime, in.listed = always("RunnerLoading"), 0
		}, why: "is being loaded"},
		{name: "sent to another instance than ours", owned: true, during: func(f *fakeNode, _ string) {
			f.tasks["own"] = textTask("Running", "elsewhere", "own")
		}, why: "another instance of " + llama},
		{name: "sent to the other of a stranger's two", before: func(f *fakeNode, _ string) {
			in := f.propose(llama, 1)
			f.accept(in, "stranger")
			in.lifetime, in.listed = always("RunnerRunning"), 0
			f.tasks["own"] = textTask("Running", in.id, "own")
		}, during: func(f *fakeNode, ours string) { f.instances[ours].lifetime = always("RunnerReady") }},
		{name: "looks fail", during: func(f *fakeNode, _ string) { f.outage = func() bool { return true } }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
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
				do(c.before)
				stop := lease.Watch(t.Context())
				do(func(f *fakeNode, ours string) {
					if f.tasks["own"] == nil {
						f.tasks["own"] = textTask("Running", ours, "own")
					}
					f.instances[ours].lifetime = always("RunnerRunning")
				})
				pass(2 * time.Second)
				do(c.during)
				pass(10 * time.Second)
				do(c.after)
				contended, why := stop("own")
				if contended != (c.why != "") || !strings.Contains(why, c.why) {
					t.Errorf("got %v %q, want %q", contended, why, c.why)
				}
				pass(time.Minute)
			})
		})
	}
}
