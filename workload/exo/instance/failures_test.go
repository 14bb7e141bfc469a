package instance

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
)

var instanceID = regexp.MustCompile(`"instanceId":"[^"]*"`)

// ofOurs reports whether an instance is no stranger's, and its runner has this status.
func ofOurs(status string) func(exosim.InstanceInfo) bool {
	return func(i exosim.InstanceInfo) bool { return !i.Stranger && i.Status == status }
}

// TestAcquireFails goes through every way in which a model cannot be had.
func TestAcquireFails(t *testing.T) {
	const notATurn = workload.TurnOutcome("")
	const placing, previews, placement = "POST /instance", "GET /instance/previews", "GET /instance/placement"
	answers := func(path string, status int, message string) exosim.Fault {
		return exosim.Fault{Kind: exosim.HTTPError, Path: path, Status: status, Message: message}
	}
	type faults = []exosim.Fault
	missing := func(d time.Duration) exosim.Options {
		return exosim.Options{NotDownloaded: []string{llama}, DownloadRate: 729_808_896 / d.Seconds()}
	}
	for _, c := range []struct {
		name    string
		model   string // llama when empty
		node    exosim.Options
		faults  faults
		setup   func(*testing.T, *sim)
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
			name: "unknown model cannot be added", model: mistral, options: func(o *Options) { o.AddModels = true },
			node: exosim.Options{CatalogueOnly: true, Offline: true}, want: workload.TurnUnavailable,
			message: []string{"could not add " + mistral, "huggingface.co"}, within: quietToAdd + time.Second, posts: 1,
		},
		{
			name: "exo's own model is missing", options: func(o *Options) { o.AddModels = true },
			node: exosim.Options{Profiles: exosim.Profiles()[2:]}, want: workload.TurnUnavailable,
			message: []string{"exo's releases bring it along", "not added"}, within: quietToMiss + time.Second,
		},
		{
			name:   "previews all refuse",
			faults: faults{{Kind: exosim.PlacementRefused, Message: "No cycle where every node supports a backend"}},
			want:   workload.TurnUnavailable, message: []string{"cannot place", "No cycle where every node supports a backend"}, within: time.Second,
		},
		{
			name: "previews refuse for memory", faults: faults{{Kind: exosim.MemoryLow, Bytes: 512 << 20}},
			want: workload.TurnSkipped, message: []string{"sufficient memory", "0.50 GiB on node ", "unload"}, within: time.Second,
		},
		{
			name: "margin of memory", faults: faults{{Kind: exosim.MemoryLow, Bytes: 1 << 30}}, want: workload.TurnSkipped, within: time.Second,
			message: []string{"not enough memory", "1.00 GiB available", "1.18 GiB wanted", "0.68 GiB of weights", "0.50 GiB"},
		},
		{
			name: "too few nodes", options: func(o *Options) { o.MinNodes = 3 },
			want: workload.TurnUnavailable, message: []string{"at most 1 nodes", "at least 3"}, within: time.Second,
		},
		{
			name: "no node ever", setup: func(_ *testing.T, s *sim) { s.says(previews, `{"previews":[]}`) },
			want: workload.TurnUnavailable, message: []string{"no placement", "1m0s"}, within: 65 * time.Second,
		},
		{
			name: "model card cannot be loaded", faults: faults{answers(previews, 400, "Failed to load model card: x")},
			want: workload.TurnUnavailable, message: []string{"Failed to load model card"}, within: time.Second,
		},
		{
			name:   "placement refused",
			faults: faults{answers(previews, 404, ""), {Kind: exosim.PlacementRefused, Message: "Expected something"}},
			want:   workload.TurnUnavailable, message: []string{"Expected something"}, within: time.Second,
		},
		{
			name:   "placement refused for memory",
			faults: faults{answers(previews, 404, ""), {Kind: exosim.MemoryLow, Bytes: 512 << 20}},
			want:   workload.TurnSkipped, message: []string{"sufficient memory", "0.50 GiB"}, within: time.Second,
		},
		{
			name: "POST: 400 memory", faults: faults{{Kind: exosim.PlacementRefused, Skip: 1}},
			want: workload.TurnSkipped, message: []string{"want of memory", "Required: 0.7 GB, Available: "}, within: 2 * time.Second, posts: 1,
		},
		{
			name: "POST: 400", faults: faults{answers(placing, 400, "no")},
			want: workload.TurnUnavailable, message: []string{"refused to place", "HTTP 400"}, within: 2 * time.Second, posts: 1,
		},
		{
			name: "POST: answer lost, then 400",
			faults: faults{
				{Kind: exosim.AnswerLost, Path: placing, Count: 1}, answers(placing, 400, "no"), {Kind: exosim.PlacementLate, Seconds: 3},
			},
			want: workload.TurnUnavailable, message: []string{"HTTP 400"}, within: 2 * time.Second, posts: 2,
		},
		{
			name: "POST: no answer ever", faults: faults{{Kind: exosim.AnswerLost, Path: placing}},
			want: notATurn, message: []string{"asking exo for an instance of " + llama, "connection reset"},
			within: 30 * time.Second, posts: 41, // every half second
		},
		{
			name: "POST: 404", faults: faults{answers(placing, 404, "Not Found")},
			want: workload.TurnUnavailable, message: []string{"refused to place", "HTTP 404"}, within: 2 * time.Second, posts: 1,
		},
		{
			name: "POST: 422", faults: faults{{Kind: exosim.Unprocessable, Path: placing}},
			want: workload.TurnFailed, message: []string{"did not understand", "body.simulated: Extra inputs are not permitted"},
			within: 2 * time.Second, posts: 1,
		},
		{
			name: "POST: text 500", faults: faults{{Kind: exosim.Text500, Path: placing}},
			want: workload.TurnFailed, message: []string{"HTTP 500", "Internal Server Error", "exo's log"}, within: 2 * time.Second, posts: 1,
		},
		{
			name: "state: text 500", faults: faults{{Kind: exosim.Text500, Path: "GET /state/instances"}},
			want: workload.TurnFailed, message: []string{"HTTP 500"}, within: 25 * time.Second,
		},
		{
			name: "downloads: text 500", faults: faults{{Kind: exosim.Text500, Path: "GET /state/downloads"}},
			want: workload.TurnFailed, message: []string{"exo's downloads cannot be read", "HTTP 500"}, within: 25 * time.Second,
		},
		{
			name: "state is no JSON", setup: func(_ *testing.T, s *sim) { s.says("GET /state/instances", "<html>") },
			want: workload.TurnFailed, message: []string{"not the JSON expected"}, within: 25 * time.Second,
		},
		{
			name: "no exo", faults: faults{{Kind: exosim.Unreachable}},
			want: notATurn, message: []string{"connection refused"}, within: 25 * time.Second,
		},
		{
			name: "accepted, never listed", faults: faults{{Kind: exosim.InstanceVanishes}},
			want: workload.TurnFailed, message: []string{"accepted instance", "#2047", "1m0s"}, within: 65 * time.Second, posts: 1,
		},
		{
			name: "runner failed", faults: faults{{Kind: exosim.RunnerFails, Message: "exitcode=1"}},
			setup: func(_ *testing.T, s *sim) {
				s.Reword("GET /state/runners", func(said string) string {
					return strings.ReplaceAll(said, `"diagnostics":[]`,
						`"diagnostics":[{"RunnerMetalGpuTimeout":{"message":"GPU Timeout","evidence":["secret"]}}]`)
				})
			},
			want: workload.TurnFailed, message: []string{"runner", "failed", "Terminated (exitcode=1)", "RunnerMetalGpuTimeout: GPU Timeout"},
			within: 8 * time.Second, posts: 1,
		},
		{
			name: "runner failed without words", faults: faults{{Kind: exosim.RunnerFails, Message: "x"}},
			setup: func(_ *testing.T, s *sim) {
				s.Reword("GET /state/runners", strings.NewReplacer("Terminated (x)", "").Replace)
			},
			want: workload.TurnFailed, message: []string{"exo does not say why"}, within: 8 * time.Second, posts: 1,
		},
		{
			name: "download failed for good", node: missing(time.Minute),
			faults: faults{{Kind: exosim.DownloadFails, Message: "HTTP 401"}, {Kind: exosim.BootSlow, Seconds: 12}},
			want:   workload.TurnFailed, message: []string{"could not download", "HTTP 401", "restart exo"},
			within: 30 * time.Second, posts: 1,
		},
		{
			name: "download stalls", node: missing(time.Minute), setup: func(t *testing.T, s *sim) {
				time.AfterFunc(31*time.Second, func() { s.inject(t, exosim.Fault{Kind: exosim.DownloadStalls}) })
			},
			want: workload.TurnFailed, message: []string{"no progress", "2m0s", "GiB of 0.68 GiB"}, within: 160 * time.Second, posts: 1,
		},
		{
			name: "download too long", node: missing(time.Hour), options: func(o *Options) { o.DownloadTimeout = 5 * time.Minute },
			want: workload.TurnFailed, message: []string{"not downloaded within 5m0s", "goes on from there"}, within: 6 * time.Minute, posts: 1,
		},
		{
			name: "stuck idle", faults: faults{{Kind: exosim.RunnerStuck}},
			want: workload.TurnFailed, message: []string{"not ready after 10m0s", "RunnerIdle", "nothing being downloaded"},
			within: 10*time.Minute + 6*time.Second, posts: 1,
		},
		{
			name: "stuck loading", faults: faults{{Kind: exosim.RunnerStuck, State: "RunnerLoading"}},
			want: workload.TurnFailed, message: []string{"not ready after 10m0s", "RunnerLoading", "EXOBENCH_LOAD_TIMEOUT"},
			within: 10*time.Minute + 9*time.Second, posts: 1,
		},
		{
			name: "stuck warming up", faults: faults{{Kind: exosim.RunnerStuck, State: "RunnerWarmingUp"}},
			options: func(o *Options) { o.LoadTimeout = 90 * time.Second },
			want:    workload.TurnFailed, message: []string{"not ready after 1m30s", "RunnerWarmingUp"}, within: 100 * time.Second, posts: 1,
		},
		{
			name: "stuck in a state nobody knows", faults: faults{{Kind: exosim.RunnerStuck, State: "RunnerLoading"}},
			setup: func(_ *testing.T, s *sim) {
				s.Reword("GET /state/runners", strings.NewReplacer("RunnerLoading", "RunnerPondering").Replace)
			},
			want: workload.TurnFailed, message: []string{"not ready after", "RunnerPondering"}, within: 10*time.Minute + 9*time.Second, posts: 1,
		},
		{
			name: "listed but dead",
			setup: func(t *testing.T, s *sim) {
				go func() { s.KillRunner(s.await(t, ofOurs("RunnerLoading")).ID) }()
			},
			want: workload.TurnFailed, message: []string{"not ready after 10m0s", "absent", "#2120"}, within: 10*time.Minute + 6*time.Second,
			posts: 1,
		},
		{
			name: "vanishes while loading",
			setup: func(t *testing.T, s *sim) {
				go func() { s.DeleteStranger(s.await(t, ofOurs("RunnerLoading")).ID) }()
			},
			want: workload.TurnFailed, message: []string{"vanished"}, within: 12 * time.Second, posts: 1,
		},
		{
			name: "outage while loading",
			setup: func(t *testing.T, s *sim) {
				time.AfterFunc(time.Second, func() { s.inject(t, exosim.Fault{Kind: exosim.Unreachable, Seconds: 29}) })
			},
			want: notATurn, message: []string{"connection refused", "while"}, within: 40 * time.Second, posts: 1,
		},
		{
			name: "stranger's instance dead", setup: func(t *testing.T, s *sim) { s.KillRunner(s.load(t, llama)) },
			want: workload.TurnFailed, message: []string{"not ours", "not alive", "absent", "#2120", "left alone", "DELETE /instance/"},
			within: 155 * time.Second,
		},
		{
			// exo starts its runner five times, and waits eight seconds after the last time.
			name: "stranger's instance failed", faults: faults{{Kind: exosim.RunnerFails, Message: "boom"}},
			setup: func(t *testing.T, s *sim) {
				s.place(t, llama)
				pass(15500 * time.Millisecond)
			},
			options: func(o *Options) { o.BusyTimeout = 10 * time.Second },
			want:    workload.TurnFailed, message: []string{"not ours", "boom"}, within: 6 * time.Second,
		},
		{
			name: "stranger's instance idle for ever", faults: faults{{Kind: exosim.RunnerStuck}},
			setup: func(t *testing.T, s *sim) {
				s.place(t, llama)
				pass(5 * time.Second)
			},
			want: workload.TurnSkipped, message: []string{"not ours", "not ready after 5m0s", "RunnerIdle"}, within: 5*time.Minute + 2*time.Second,
		},
		{
			name: "one of two instances dead",
			setup: func(t *testing.T, s *sim) {
				s.load(t, llama)
				s.KillRunner(s.load(t, llama))
			},
			want: workload.TurnFailed, message: []string{"not alive"}, within: 155 * time.Second,
		},
		{
			name: "others' request",
			setup: func(t *testing.T, s *sim) {
				s.load(t, qwen)
				s.chat(t, qwen, 1e6)
			},
			want: workload.TurnSkipped, message: []string{"busy for 5m0s", "a request to " + qwen}, within: 5*time.Minute + 3*time.Second,
		},
		{
			name: "others' load", faults: faults{{Kind: exosim.RunnerStuck, State: "RunnerLoading"}},
			setup: func(t *testing.T, s *sim) {
				s.place(t, qwen)
				pass(5 * time.Second)
			},
			want: workload.TurnSkipped, message: []string{"busy", qwen + " is being loaded"}, within: 5*time.Minute + 3*time.Second,
		},
		{
			name: "exo proposes an instance that exists",
			setup: func(t *testing.T, s *sim) {
				id := s.load(t, qwen)
				s.Reword(previews, func(said string) string { return instanceID.ReplaceAllString(said, `"instanceId":"`+id+`"`) })
			},
			want: workload.TurnFailed, message: []string{"cannot be told from others'", "nothing was placed"}, within: time.Second,
		},
		{
			name: "no id in advance", faults: faults{{Kind: exosim.NoPlacements}},
			want: workload.TurnUnavailable, message: []string{
				"neither /instance/previews nor /instance/placement", "upgrade exo", "dashboard",
			}, within: time.Second,
		},
		{
			name: "placed under another id than asked for",
			setup: func(_ *testing.T, s *sim) {
				s.Wrap(func(exo http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if r.Method == http.MethodPost {
							body, _ := io.ReadAll(r.Body)
							r.Body = io.NopCloser(strings.NewReader(instanceID.ReplaceAllString(string(body), `"instanceId":"nobody's for sure"`)))
						}
						exo.ServeHTTP(w, r)
					})
				})
			},
			want: workload.TurnFailed, message: []string{"accepted instance", "#2047"}, within: 65 * time.Second, posts: 1,
		},
		{
			name: "others' download", node: slowly(30 * time.Minute), setup: func(t *testing.T, s *sim) { s.download(t, qwen) },
			want: workload.TurnSkipped, message: []string{"downloading " + qwen, "still after 5m0s", "cancel"},
			within: 5*time.Minute + 6*time.Second,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, dir := newSim(t, c.node, c.faults...), t.TempDir()
				if c.setup != nil {
					c.setup(t, s)
				}
				if c.options == nil {
					c.options = func(*Options) {}
				}
				if c.model == "" {
					c.model = llama
				}
				m := newTestManager(t, s, dir, c.options)
				start := time.Now()
				lease, err := m.Acquire(t.Context(), c.model)
				if err == nil {
					t.Fatalf("leased %+v", lease.Info)
				}
				if got, _ := outcome(err); got != c.want {
					t.Errorf("outcome %q, want %q", got, c.want)
				}
				for _, words := range c.message {
					if !strings.Contains(err.Error(), words) {
						t.Errorf("message lacks %q: %s", words, err)
					}
				}
				for _, words := range []string{exosim.StrangerPrompt, "secret"} {
					if strings.Contains(err.Error(), words) {
						t.Errorf("message tells what it must not: %s", err)
					}
				}
				if took := time.Since(start); took > c.within {
					t.Errorf("took %s, want at most %s", took, c.within)
				}
				if got := s.called("POST"); got != c.posts {
					t.Errorf("%d POSTs, want %d", got, c.posts)
				}
				s.wantNothingLeft(t)
				pass(lateBound) // then whatever was in doubt is settled
				s.Clear("")
				if err := m.Sweep(t.Context()); err != nil {
					t.Errorf("sweep: %v", err)
				}
				s.wantNothingLeft(t)
				wantNoRecords(t, dir)
			})
		})
	}
}
