package app

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/exporter/machine"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// buffer is a log for one writer and another's looking on.
type buffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// environ returns a hermetic environment with the given variables, names without prefix and
// values by turns.
func environ(t *testing.T, pairs ...string) map[string]string {
	t.Helper()
	// Nothing listens there: no test measures an exo that this machine may have.
	e := map[string]string{"HOME": t.TempDir(), exporter.EnvPrefix + "EXO_URL": "http://127.0.0.1:1"}
	for i := 0; i < len(pairs); i += 2 {
		e[exporter.EnvPrefix+pairs[i]] = pairs[i+1]
	}
	return e
}

// configure returns the configuration that such an environment asks for.
func configure(t *testing.T, pairs ...string) exporter.Config {
	t.Helper()
	cfg, err := exporter.LoadConfig(environ(t, pairs...))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// cool is a Linux machine on which nobody waits for anything.
var cool = machine.SourceFunc(func(context.Context) machine.Reading {
	limit, none, never := 1.0, uint64(0), time.Duration(0)
	r := machine.Reading{FrequencyLimit: &limit, CoreThrottles: &none, PackageThrottles: &none}
	r.Pressure = map[workload.Resource]machine.Stalls{}
	for _, resource := range workload.Resources() {
		r.Pressure[resource] = machine.Stalls{Stalled: &never}
	}
	return r
})

// setting says what a stack is put to, and in what it differs from a program without variables.
type setting struct {
	node  *exosim.Node
	suite workload.Suite
	vars  []string // variables, names without prefix and values by turns
	seams Seams
}

// stack is the program put to a simulated node in virtual time. It must be made in a bubble.
type stack struct {
	*Bench
	*Rig // the first one
	log  *buffer
	stop func()
	wg   sync.WaitGroup
}

// newStack builds a stack of which nothing runs yet.
func newStack(t *testing.T, s setting) *stack {
	t.Helper()
	log := &buffer{}
	s.seams.Log = log
	if s.seams.Transport == nil {
		s.seams.Transport = s.node.Transport()
	}
	if s.seams.Processes == nil {
		s.seams.Processes = processesOf(s.node)
		s.vars = append(s.vars, "EXO_PID", strconv.Itoa(s.node.Processes()[0].PID))
	}
	if s.seams.Machine == nil {
		s.seams.Machine = cool
	}
	if len(s.suite.Prompts) > 0 {
		s.vars = append(s.vars, "SUITE", suiteFile(t, s.suite))
	}
	vars := append([]string{"EXO_URL", "http://exo.test:52415", "LOG_LEVEL", "debug"}, s.vars...)
	p, err := Open(environ(t, vars...), false, s.seams)
	if err != nil {
		t.Fatal(err)
	}
	b := p.(*Bench)
	return &stack{Bench: b, Rig: b.Rig(), log: log}
}

// startStack starts all but the runner, whose cycles the caller runs.
func startStack(t *testing.T, how setting) *stack {
	t.Helper()
	s := newStack(t, how)
	ctx, cancel := context.WithCancel(t.Context())
	s.stop = cancel
	s.wg.Go(func() {
		defer s.feed.Close()
		s.watch(ctx)
	})
	s.wg.Go(func() { s.clerk.Run(ctx) })
	return s
}

// close ends what startStack began.
func (s *stack) close(t *testing.T) {
	t.Helper()
	s.stop()
	s.wg.Wait()
	s.Close()
	if strings.Contains(s.log.String(), "Could not close") {
		t.Errorf("log:\n%s", s.log)
	}
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

// suiteFile returns the path of a file that holds the suite.
func suiteFile(t *testing.T, s workload.Suite) string {
	t.Helper()
	content, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "suite.json")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// get returns what a browser or Prometheus is shown.
func (s *stack) get(t *testing.T, path string) string {
	t.Helper()
	return get(t, s.front, path)
}

func get(t *testing.T, front http.Handler, path string) string {
	t.Helper()
	w := httptest.NewRecorder()
	front.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
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
	return scrape(t, s.front)
}

func scrape(t *testing.T, front http.Handler) map[string]float64 {
	t.Helper()
	samples := map[string]float64{}
	for line := range strings.Lines(get(t, front, "/metrics")) {
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

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
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
