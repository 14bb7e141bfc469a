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

// TestAcquireFails goes through every way in which a model cannot be had.
func TestAcquireFails(t *testing.T) {
	const notATurn = workload.TurnOutcome("")
	for _, c := range []struct {
		name    string
		model   string // llama when empty
		setup   func(*fakeNode)
		options func(*Options)
		want    workload.TurnOutcome
		message []string // each must be in it
		within  time.Duration
		posts   int // calls that place
	}{
		{
			name: "unknown model", model: "org/Other's", want: workload.TurnUnavailable, within: quietToMiss + time.Second,
			message: []string{
				`catalogue does not have org/Other's`, `curl -X POST`, `{"model_id":"org/Other'\''s"}`, "/models/add", "EXOBENCH_ADD_MODELS",
			},
		},
		{
			name: "unknown model cannot be added", model: "org/x", options: func(o *Options) { o.AddModels = true },
			setup: func(f *fakeNode) {
				f.override["POST /models/add"] = status(400, `{"error":{"message":"Failed to fetch model: offline"}}`)
			},
			want: workload.TurnUnavailable, message: []string{"could not add org/x", "offline"}, within: quietToAdd + time.Second, posts: 1,
		},
		{
			name: "exo's own model is missing", options: func(o *Options) { o.AddModels = true },
			setup: func(f *fakeNode) { delete(f.catalogue, llama) },
			want:  workload.TurnUnavailable, message: []string{"exo's releases bring it along", "not added"}, within: quietToMiss + time.Second,
		},
		{
			name: "previews all refuse",
			setup: func(f *fakeNode) {
				f.override["GET /instance/previews"] = status(
					200,
					`{"previews":[{"sharding":"Pipeline","instance":null,"error":"No cycle where every node supports a backend"},{"sharding":"Tensor",`+
						`"error":"other"}]}`,
				)
			},
			want: workload.TurnUnavailable, message: []string{"cannot place", "No cycle where every node supports a backend"}, within: time.Second,
		},
		{
			name: "previews refuse for memory",
			setup: func(f *fakeNode) {
				f.free["node-a"] = 700 << 20
				f.override["GET /instance/previews"] = status(
					200, `{"previews":[{"sharding":"Pipeline","instance":null,"error":"No cycles found with sufficient memory"}]}`,
				)
			},
			want: workload.TurnSkipped, message: []string{"sufficient memory", "0.68 GiB on node node-a", "unload"}, within: time.Second,
		},
		{
			name:  "margin of memory",
			setup: func(f *fakeNode) { f.free["node-a"] = gig + gig/4 },
			want:  workload.TurnSkipped, within: time.Second,
			message: []string{"not enough memory", "node node-a", "1.25 GiB available", "1.50 GiB wanted", "1.00 GiB of weights", "0.50 GiB"},
		},
		{
			name:    "too few nodes",
			options: func(o *Options) { o.MinNodes = 3 },
			want:    workload.TurnUnavailable, message: []string{"at most 1 nodes", "at least 3"}, within: time.Second,
		},
		{
			name:  "no node ever",
			setup: func(f *fakeNode) { f.override["GET /instance/previews"] = status(200, `{"previews":[]}`) },
			want:  workload.TurnUnavailable, message: []string{"no placement", "1m0s"}, within: 65 * time.Second,
		},
		{
			name: "model card cannot be loaded",
			setup: func(f *fakeNode) {
				f.override["GET /instance/previews"] = status(400, `{"error":{"message":"Failed to load model card: x"}}`)
			},
			want: workload.TurnUnavailable, message: []string{"Failed to load model card"}, within: time.Second,
		},
		{
			name: "placement refused",
			setup: func(f *fakeNode) {
				f.override["GET /instance/previews"] = status(404, "{}")
				f.override["GET /instance/placement"] = status(400, `{"error":{"message":"Expected something"}}`)
			},
			want: workload.TurnUnavailable, message: []string{"Expected something"}, within: time.Second,
		},
		{
			name: "placement refused for memory",
			setup: func(f *fakeNode) {
				f.override["GET /instance/previews"] = status(404, "{}")
				f.override["GET /instance/placement"] = status(400, `{"error":{"message":"No cycles found with sufficient memory"}}`)
			},
			want: workload.TurnSkipped, message: []string{"sufficient memory", "16.00 GiB"}, within: time.Second,
		},
		{
			name: "POST: 400 memory",
			setup: func(f *fakeNode) {
				f.override["POST /instance"] = status(
					400, `{"error":{"message":"Insufficient memory to create instance. Required: 1.0GB, Available: 0.5GB"}}`,
				)
			},
			want: workload.TurnSkipped, message: []string{"want of memory", "Required: 1.0GB, Available: 0.5GB"}, within: 2 * time.Second, posts: 1,
		},
		{
			name:  "POST: 400",
			setup: func(f *fakeNode) { f.override["POST /instance"] = status(400, `{"error":{"message":"no"}}`) },
			want:  workload.TurnUnavailable, message: []string{"refused to place", "HTTP 400"}, within: 2 * time.Second, posts: 1,
		},
		{
			name: "POST: answer lost, then 400",
			setup: func(f *fakeNode) {
				f.appear = 3 * time.Second
				f.override["POST /instance"] = first(-2, 400)
			},
			want: workload.TurnUnavailable, message: []string{"HTTP 400"}, within: 2 * time.Second, posts: 2,
		},
		{
			name:  "POST: 404",
			setup: func(f *fakeNode) { f.override["POST /instance"] = status(404, `{"detail":"Not Found"}`) },
			want:  workload.TurnUnavailable, message: []string{"refused to place", "HTTP 404"}, within: 2 * time.Second, posts: 1,
		},
		{
			name: "POST: 422",
			setup: func(f *fakeNode) {
				f.override["POST /instance"] = status(
					422, `{"detail":[{"type":"extra_forbidden","loc":["body","instance","x"],"msg":"Extra inputs are not permitted"}]}`,
				)
			},
			want: workload.TurnFailed, message: []string{
				"did not understand", "body.instance.x: Extra inputs are not permitted",
			}, within: 2 * time.Second, posts: 1,
		},
		{
			name:  "POST: text 500",
			setup: func(f *fakeNode) { f.override["POST /instance"] = status(500, "Internal Server Error") },
			want:  workload.TurnFailed, message: []string{"HTTP 500", "Internal Server Error", "exo's log"}, within: 2 * time.Second, posts: 1,
		},
		{
			name:  "state: text 500",
			setup: func(f *fakeNode) { f.override["GET /state/instances"] = status(500, "Internal Server Error") },
			want:  workload.TurnFailed, message: []string{"HTTP 500"}, within: 25 * time.Second,
		},
		{
			name:  "state is no JSON",
			setup: func(f *fakeNode) { f.override["GET /state/instances"] = status(200, "<html>") },
			want:  workload.TurnFailed, message: []string{"not the JSON expected"}, within: 25 * time.Second,
		},
		{
			name:  "no exo",
			setup: func(f *fakeNode) { f.outage = func() bool { return true } },
			want:  notATurn, message: []string{"connection refused"}, within: 25 * time.Second,
		},
		{
			name:  "accepted, never listed",
			setup: func(f *fakeNode) { f.appear = -1 },
			want:  workload.TurnFailed, message: []string{"accepted instance", "#2047", "1m0s"}, within: 65 * time.Second, posts: 1,
		},
		{
			name: "runner failed",
			setup: func(f *fakeNode) {
				f.lifetime = script(usual, time.Second, j{"RunnerFailed": j{
					"errorMessage": "Terminated (exitcode=1)",
					"diagnostics":  []any{j{"RunnerMetalGpuTimeout": j{"message": "GPU Timeout", "evidence": []any{"secret"}}}},
				}})
			},
			want: workload.TurnFailed, message: []string{
				"runner", "failed", "Terminated (exitcode=1)", "RunnerMetalGpuTimeout: GPU Timeout",
			}, within: 7 * time.Second, posts: 1,
		},
		{
			name:  "runner failed without words",
			setup: func(f *fakeNode) { f.lifetime = script(usual, time.Second, j{"RunnerFailed": j{}}) },
			want:  workload.TurnFailed, message: []string{"exo does not say why"}, within: 7 * time.Second, posts: 1,
		},
		{
			name: "download failed for good",
			setup: func(f *fakeNode) {
				f.lifetime = always("RunnerIdle")
				f.downloads = []any{j{"DownloadFailed": j{"shardMetadata": j{"P": j{"modelCard": j{"modelId": llama}}}, "errorMessage": "HTTP 401"}}}
			},
			want: workload.TurnFailed, message: []string{"could not download", "HTTP 401", "restart exo"}, within: 17 * time.Second, posts: 1,
		},
		{
			name: "download stalls",
			setup: func(f *fakeNode) {
				f.downloads = []any{nil}
				f.lifetime = func(time.Duration) any {
					f.downloads[0] = ongoing(llama, gig/2, gig)
					return j{"RunnerIdle": j{}}
				}
			},
			want: workload.TurnFailed, message: []string{"no progress", "2m0s", "0.50 GiB of 1.00 GiB"}, within: 130 * time.Second, posts: 1,
		},
		{
			name: "download too long",
			setup: func(f *fakeNode) {
				done := uint64(0)
				f.downloads = []any{nil}
				f.lifetime = func(time.Duration) any {
					done++
					f.downloads[0] = ongoing(llama, done, gig)
					return j{"RunnerIdle": j{}}
				}
			},
			options: func(o *Options) { o.DownloadTimeout = 5 * time.Minute },
			want:    workload.TurnFailed, message: []string{"not downloaded within 5m0s", "goes on from there"}, within: 6 * time.Minute, posts: 1,
		},
		{
			name:  "stuck idle",
			setup: func(f *fakeNode) { f.lifetime = always("RunnerIdle") },
			want:  workload.TurnFailed, message: []string{
				"not ready after 10m0s", "RunnerIdle", "nothing being downloaded",
			}, within: 10*time.Minute + 6*time.Second, posts: 1,
		},
		{
			name:  "stuck loading",
			setup: func(f *fakeNode) { f.lifetime = always("RunnerLoading") },
			want:  workload.TurnFailed, message: []string{
				"not ready after 10m0s", "RunnerLoading", "EXOBENCH_LOAD_TIMEOUT",
			}, within: 10*time.Minute + 5*time.Second, posts: 1,
		},
		{
			name:  "stuck in a state nobody knows",
			setup: func(f *fakeNode) { f.lifetime = always("RunnerPondering") },
			want:  workload.TurnFailed, message: []string{"not ready after", "RunnerPondering"}, within: 10*time.Minute + 5*time.Second, posts: 1,
		},
		{
			name:  "listed but dead",
			setup: func(f *fakeNode) { f.lifetime = script(usual, time.Second, nil) },
			want:  workload.TurnFailed, message: []string{"not ready after 10m0s", "absent", "#2120"}, within: 10*time.Minute + 6*time.Second,
			posts: 1,
		},
		{
			name: "vanishes while loading",
			setup: func(f *fakeNode) {
				f.lifetime = func(age time.Duration) any {
					if age > time.Second {
						for _, in := range f.instances {
							if in.deleted.IsZero() {
								in.deleted = time.Now()
							}
						}
					}
					return usual(age)
				}
			},
			want: workload.TurnFailed, message: []string{"vanished"}, within: 10 * time.Second, posts: 1,
		},
		{
			name: "outage while loading",
			setup: func(f *fakeNode) {
				start := time.Now()
				f.outage = func() bool { return time.Since(start) > time.Second && time.Since(start) < 30*time.Second }
			},
			want: notATurn, message: []string{"connection refused", "while"}, within: 40 * time.Second, posts: 1,
		},
		{
			name:  "stranger's instance dead",
			setup: func(f *fakeNode) { f.stranger(llama, always("")) },
			want:  workload.TurnFailed, message: []string{
				"not ours", "not alive", "absent", "#2120", "left alone", "DELETE /instance/instance-1",
			}, within: 155 * time.Second,
		},
		{
			name: "stranger's instance failed",
			setup: func(f *fakeNode) {
				f.stranger(llama, func(time.Duration) any { return j{"RunnerFailed": j{"errorMessage": "boom"}} })
			},
			want: workload.TurnFailed, message: []string{"not ours", "boom"}, within: 155 * time.Second,
		},
		{
			name:  "stranger's instance idle for ever",
			setup: func(f *fakeNode) { f.stranger(llama, always("RunnerIdle")) },
			want:  workload.TurnSkipped, message: []string{"not ours", "not ready after 5m0s", "RunnerIdle"}, within: 5*time.Minute + 2*time.Second,
		},
		{
			name: "one of two instances dead",
			setup: func(f *fakeNode) {
				f.stranger(llama, always("RunnerReady"))
				f.stranger(llama, always(""))
			},
			want: workload.TurnFailed, message: []string{"instance-2", "not alive"}, within: 155 * time.Second,
		},
		{
			name: "others' request",
			setup: func(f *fakeNode) {
				id := f.stranger(qwen, always("RunnerReady"))
				f.tasks["t"] = j{
					"TextGeneration": j{"taskStatus": "Running", "instanceId": id, "commandId": "c9", "taskParams": j{"x": "private words"}},
				}
			},
			want: workload.TurnSkipped, message: []string{"busy for 5m0s", "a request to " + qwen}, within: 5*time.Minute + 3*time.Second,
		},
		{
			name:  "others' load",
			setup: func(f *fakeNode) { f.stranger(qwen, always("RunnerLoading")) },
			want:  workload.TurnSkipped, message: []string{"busy", qwen + " is being loaded"}, within: 5*time.Minute + 3*time.Second,
		},
		{
			name: "exo proposes an instance that exists",
			setup: func(f *fakeNode) {
				id := f.stranger(qwen, always("RunnerReady"))
				f.override["GET /instance/previews"] = status(200, `{"previews":[{"sharding":"Pipeline","instance":{"MlxRingInstance":{"instanceId":"`+
					id+
					`","shardAssignments":{"modelId":"`+llama+`","nodeToRunner":{"node-a":"r"}}}}}]}`)
			},
			want: workload.TurnFailed, message: []string{"cannot be told from others'", "nothing was placed"}, within: time.Second,
		},
		{
			name:  "no id in advance",
			setup: blind,
			want:  workload.TurnUnavailable, message: []string{
				"neither /instance/previews nor /instance/placement", "upgrade exo", "dashboard",
			}, within: time.Second,
		},
		{
			name: "placed under another id than asked for",
			setup: func(f *fakeNode) {
				f.override["POST /instance"] = func(*http.Request) (int, string) {
					f.accept(f.propose(llama, 1), "nobody's for sure")
					return 200, `{"message":"Command received."}`
				}
			},
			want: workload.TurnFailed, message: []string{"accepted instance", "#2047"}, within: 65 * time.Second, posts: 1,
		},
		{
			name: "others' download",
			setup: func(f *fakeNode) {
				start := time.Now()
				f.downloads = []any{nil}
				f.outage = func() bool { // on every call
					f.downloads[0] = ongoing(qwen, uint64(time.Since(start)), 4*gig)
					return false
				}
			},
			want: workload.TurnSkipped, message: []string{
				"downloading " + qwen, "still after 5m0s", "cancel",
			}, within: 5*time.Minute + 6*time.Second,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, dir := newFake(), t.TempDir()
				if c.setup != nil {
					c.setup(f)
				}
				if c.options == nil {
					c.options = func(*Options) {}
				}
				if c.model == "" {
					c.model = llama
				}
				before := f.listed("stranger")
				m := newTestManager(t, f, dir, c.options)
				start := time.Now()
				lease, err := m.Acquire(t.Context(), c.model)
				if err == nil {
					t.Fatalf("leased %+v", lease.Info)
				}
				if got, _ := outcome(err); got != c.want {
					t.Errorf("outcome %q, want %q", got, c.want)
				}
				for _, s := range c.message {
					if !strings.Contains(err.Error(), s) {
						t.Errorf("message lacks %q: %s", s, err)
					}
				}
				for _, s := range []string{"private words", "secret"} {
					if strings.Contains(err.Error(), s) {
						t.Errorf("message tells what it must not: %s", err)
					}
				}
				if took := time.Since(start); took > c.within {
					t.Errorf("took %s, want at most %s", took, c.within)
				}
				if got := f.called("POST"); got != c.posts {
					t.Errorf("%d POSTs, want %d", got, c.posts)
				}
				wantNothingLeft(t, f)
				for _, id := range before {
					if f.called("DELETE /instance/"+id) != 0 {
						t.Errorf("a stranger's instance was deleted")
					}
				}
				if len(f.crimes) != 0 {
					t.Error(f.crimes)
				}
				pass(lateBound) // then whatever was in doubt is settled
				f.outage, f.override["GET /state/instances"] = nil, nil
				if err := m.Sweep(context.Background()); err != nil {
					t.Errorf("sweep: %v", err)
				}
				wantNothingLeft(t, f)
				if left := records(t, dir); len(left) != 0 {
					t.Errorf("records left: %v", left)
				}
			})
		})
	}
}

// script is life until at, then status for ever.
func script(life func(time.Duration) any, at time.Duration, status any) func(time.Duration) any {
	return func(age time.Duration) any {
		if age < at {
			return life(age)
		}
		return status
	}
}

func ongoing(model string, done, total uint64) any {
	return j{"DownloadOngoing": j{
		"shardMetadata":    j{"P": j{"modelCard": j{"modelId": model}}},
		"downloadProgress": j{"total": j{"inBytes": total}, "downloaded": j{"inBytes": done}, "speed": 1e6, "files": j{}},
	}}
}
