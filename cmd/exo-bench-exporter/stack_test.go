package main

import (
	"context"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/exporter/cluster"
	"exo-bench-exporter/exporter/memory"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo"
	"exo-bench-exporter/workload/exosim"
)

// stack is one whole exporter, from suite to status page, put to a simulated node in virtual
// time. It must be made inside a bubble.
type stack struct {
	runner *workload.Runner
	reg    *prometheus.Registry
	front  *exporter.Front
	log    *buffer
	client *exo.Client
	stop   func()
	wg     sync.WaitGroup
}

// shortSuite is a suite of so many short prompts, none the beginning of another.
func shortSuite(prompts, tokens int) workload.Suite {
	s := workload.Suite{Version: "short-1", Seed: 1}
	for i := range prompts {
		s.Prompts = append(s.Prompts, workload.Prompt{
			ID: fmt.Sprint("p", i+1), Kind: "chat", MaxTokens: tokens,
			Messages: []workload.Message{{Role: "user", Content: strings.Repeat(fmt.Sprint(i+1, " is the number of this prompt. "), 10)}},
		})
	}
	return s
}

// startStack starts all but the runner, whose cycles the caller runs.
func startStack(t *testing.T, node *exosim.Node, o exo.Options, suite workload.Suite, models []workload.Model, more ...workload.Observer) *stack {
	t.Helper()
	return startStackWatching(t, node, (&demo{node: node}).memoryConfig(memory.Config{}), o, suite, models, more...)
}

// startStackWatching is startStack with another view of exo's processes than the node's own.
func startStackWatching(t *testing.T, node *exosim.Node, watch memory.Config, o exo.Options, suite workload.Suite, models []workload.Model, more ...workload.Observer) *stack {
	t.Helper()
	s := &stack{reg: prometheus.NewRegistry(), log: &buffer{}}
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.BaseURL, o.Logger = "http://exo.test:52415", log
	if o.Transport == nil {
		o.Transport = node.Transport()
	}
	if o.StateDir == "" {
		o.StateDir = t.TempDir()
	}
	client, err := exo.New(o)
	if err != nil {
		t.Fatal(err)
	}
	watch.PSS, watch.Logger = true, log
	sampler := memory.New(watch)
	feed := cluster.NewFeed("test", client.Simulated)
	opts := exporter.Options{
		Models: models, Suite: suite, Interval: 15 * time.Minute, Target: o.BaseURL, Memory: residentMemory(sampler),
	}
	metrics, store := exporter.NewMetrics(s.reg, opts), exporter.NewStore(opts)
	s.client, s.front = client, exporter.NewFront(s.reg, store, log)
	s.front.Handle("GET "+cluster.Path, feed)
	monitor := client.NewMonitor(func(status workload.Status) {
		metrics.SetStatus(status)
		store.SetStatus(status)
	})
	s.runner = workload.NewRunner(workload.RunnerOptions{
		Models: models, Suite: suite, Target: client, Meter: feed.Meter(sampler), Logger: log,
		Observers: append([]workload.Observer{exporter.NewObserver(metrics), store, feed}, more...),
	})
	ctx, cancel := context.WithCancel(t.Context())
	s.stop = func() {
		cancel()
		feed.Close()
	}
	s.wg.Go(func() { sampler.Run(ctx) })
	s.wg.Go(func() { monitor.Run(ctx) })
	return s
}

// close ends what startStack began.
func (s *stack) close(t *testing.T) {
	t.Helper()
	s.stop()
	s.wg.Wait()
	if err := s.client.Close(); err != nil {
		t.Error(err)
	}
}

// get returns what a browser or Prometheus is shown.
func (s *stack) get(t *testing.T, path string) string {
	t.Helper()
	w := httptest.NewRecorder()
	s.front.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		t.Errorf("%s answers %d", path, w.Code)
	}
	return w.Body.String()
}

// page returns the text of the status page.
func (s *stack) page(t *testing.T) string {
	t.Helper()
	return html.UnescapeString(s.get(t, "/"))
}

// scrape returns every sample of /metrics by name{label="value",…}.
func (s *stack) scrape(t *testing.T) map[string]float64 {
	t.Helper()
	samples := map[string]float64{}
	for line := range strings.Lines(s.get(t, "/metrics")) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		v, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			t.Errorf("sample %q: %v", line, err)
		}
		samples[line[:at]] = v
	}
	return samples
}

// hooks is an Observer for tests that act while a cycle runs.
type hooks struct {
	request func(workload.Result)
	turn    func(workload.Turn)
}

func (hooks) CycleStarted(int, []workload.Model, time.Time) {}
func (hooks) TurnStarted(string, time.Time)                 {}
func (hooks) CycleDone(workload.Cycle)                      {}

func (h hooks) RequestDone(r workload.Result) {
	if h.request != nil {
		h.request(r)
	}
}

func (h hooks) TurnDone(turn workload.Turn) {
	if h.turn != nil {
		h.turn(turn)
	}
}
