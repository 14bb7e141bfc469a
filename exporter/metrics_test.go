package exporter

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"exo-bench-exporter/workload"
)

func ptr[T any](v T) *T { return &v }

func newTestMetrics(t *testing.T, opts Options) (*Metrics, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	m := NewMetrics(reg, opts)
	m.Reloaded(true, epoch)
	return m, reg
}

// exposition returns what reg exposes as text, every error being fatal.
func exposition(t *testing.T, reg prometheus.Gatherer) string {
	t.Helper()
	w := httptest.NewRecorder()
	promhttp.HandlerFor(reg, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatal(w.Body.String())
	}
	return w.Body.String()
}

// series returns the samples of an exposition by "name{labels}".
func series(t *testing.T, reg prometheus.Gatherer) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for line := range strings.Lines(exposition(t, reg)) {
		if i := strings.LastIndex(line, " "); i > 0 && !strings.HasPrefix(line, "#") {
			all[line[:i]] = strings.TrimSpace(line[i:])
		}
	}
	return all
}

// expect fails for every series of want that has another value; "" means that it must be absent.
func expect(t *testing.T, reg prometheus.Gatherer, want map[string]string) {
	t.Helper()
	got := series(t, reg)
	for name, value := range want {
		if got["exobench_"+name] != value {
			t.Errorf("exobench_%s = %q, want %q", name, got["exobench_"+name], value)
		}
	}
}

// observeSequence plays two cycles with good and bad requests and turns.
func observeSequence(m *Metrics) {
	o := NewObserver(m)
	m.SetStatus(workload.Status{
		Up: true, Dialect: workload.DialectExo1, RTT: 2 * time.Millisecond,
		Nodes: []workload.NodeStatus{
			{
				Name: "studio", MemoryTotal: ptr(uint64(64e9)), MemoryAvailable: ptr(uint64(40e9)),
				Machine: "Mac Studio", Chip: "Apple M3 Ultra", OS: "26.2",
				PowerWatts: ptr(38.5), GPUUtilization: ptr(0.9), TemperatureCelsius: ptr(61.0),
			},
			{Name: "mini", MemoryTotal: ptr(uint64(16e9))},
		},
	})
	models := testOptions().Models
	o.CycleStarted(0, models, epoch)
	goodTurn(o, "llama-3.2-1b")
	o.TurnStarted("mistral-7b", epoch)
	unavailable := workload.Turn{Model: "mistral-7b", Outcome: workload.TurnUnavailable, Reason: "not in exo's catalogue"}
	o.TurnDone(unavailable)
	o.CycleDone(workload.Cycle{Number: 0, Start: epoch, Duration: 90 * time.Second, Outcome: workload.TurnPartial})

	o.CycleStarted(1, models, epoch.Add(15*time.Minute))
	late := okResult("mistral-7b", "short")
	late.Start, late.TokenMismatch, late.TokenSource = epoch.Add(15*time.Minute), true, workload.TokensFromStats
	late.EnergyJoules, late.EnergySource = 31.5, workload.EnergyFromPower
	failed := failedResult("mistral-7b", "long", workload.OutcomeTruncated)
	o.RequestDone(late)
	o.RequestDone(failed)
	o.TurnDone(turnOf("mistral-7b", workload.TurnPartial, late, failed))
}

func TestGoldenExposition(t *testing.T) {
	opts := testOptions()
	opts.Memory = func() (ExoMemory, bool) {
		return ExoMemory{
			Roles: map[string]RoleMemory{"node": {Bytes: 200e6, Processes: 2}, "runner": {Bytes: 5e9, Proportional: 49e8, Processes: 1}},
			By:    "procfs", Footprint: workload.FootprintPSS,
		}, true
	}
	opts.Machine = strained
	m, reg := newTestMetrics(t, opts)
	observeSequence(m)
	got := strings.ReplaceAll(exposition(t, reg), opts.Suite.SHA256(), "SHA256")
	golden := filepath.Join("testdata", "metrics.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the exposition is not that of %s (go test -run %s -update ./exporter writes it):\n%s",
			golden, t.Name(), firstDifference(got, string(want)))
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "got  " + g[i] + "\nwant " + w[i]
		}
	}
	return "one is the beginning of the other"
}

func TestLint(t *testing.T) {
	opts := testOptions()
	opts.Memory = func() (ExoMemory, bool) { return ExoMemory{Roles: map[string]RoleMemory{"node": {}}}, true }
	opts.Machine = strained
	m, reg := newTestMetrics(t, opts)
	observeSequence(m)
	newProcessSet(reg)
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestNoSecretsOrIDsInLabels(t *testing.T) {
	m, reg := newTestMetrics(t, testOptions())
	observeSequence(m)
	for _, forbidden := range []string{"http://", "it went wrong", "not in exo's catalogue"} {
		if strings.Contains(exposition(t, reg), forbidden) {
			t.Errorf("the exposition contains %q", forbidden)
		}
	}
}

func TestHistogramsAreClassicAndNative(t *testing.T) {
	want := map[string][]float64{
		"exobench_time_to_first_token_seconds": {.01, .02, .04, .06, .08, .1, .15, .25, .5, .75, 1, 1.5, 2.5, 5, 7.5, 10, 20, 40, 80, 160},
		"exobench_inter_token_latency_seconds": {
			.001, .002, .004, .006, .008, .01, .0125, .015, .02, .025, .03, .04, .06, .08, .1, .2, .4, .8, 2, 5,
		},
		"exobench_time_per_output_token_seconds": {
			.001, .002, .004, .006, .008, .01, .0125, .015, .02, .025, .03, .04, .06, .08, .1, .2, .4, .8, 2, 5,
		},
		"exobench_request_duration_seconds": {.1, .25, .5, .75, 1, 1.5, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 45, 60, 120, 300, 600},
	}
	_, reg := newTestMetrics(t, testOptions())
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		bounds, ok := want[f.GetName()]
		if !ok {
			continue
		}
		delete(want, f.GetName())
		if len(f.GetMetric()) != 4 {
			t.Errorf("%s has %d series, want one for each of 2 models and 2 prompts", f.GetName(), len(f.GetMetric()))
		}
		h := f.GetMetric()[0].GetHistogram()
		if h.Schema == nil || h.GetSchema() != 3 { // the coarsest schema within a factor of 1.1
			t.Errorf("%s: native schema %v, want 3", f.GetName(), h.Schema)
		}
		var got []float64
		for _, b := range h.GetBucket() {
			got = append(got, b.GetUpperBound())
		}
		if len(got) != len(bounds) {
			t.Fatalf("%s: buckets %v, want %v", f.GetName(), got, bounds)
		}
		for i := range got {
			if got[i] != bounds[i] {
				t.Errorf("%s: bucket %d is %v, want %v", f.GetName(), i, got[i], bounds[i])
			}
		}
	}
	for name := range want {
		t.Errorf("%s is missing", name)
	}
}

func TestSeriesFromTheStart(t *testing.T) {
	_, reg := newTestMetrics(t, testOptions())
	got := series(t, reg)
	for _, model := range []string{"llama-3.2-1b", "mistral-7b"} {
		for _, o := range turnOutcomes {
			name := `exobench_turns_total{model="` + model + `",outcome="` + o + `"}`
			if got[name] != "0" {
				t.Errorf("%s = %q, want 0", name, got[name])
			}
		}
		for _, prompt := range []string{"short", "long"} {
			for _, o := range requestOutcomes {
				name := `exobench_requests_total{model="` + model + `",outcome="` + o + `",prompt="` + prompt + `"}`
				if got[name] != "0" {
					t.Errorf("%s = %q, want 0", name, got[name])
				}
			}
		}
	}
	expect(t, reg, map[string]string{
		`cycles_total{outcome="ok"}`:                            "0",
		`cycle_running`:                                         "0",
		`cycle_interval_seconds`:                                "900",
		`simulated`:                                             "0",
		`config_last_reload_successful`:                         "1",
		`token_count_mismatches_total{model="mistral-7b"}`:      "0",
		`output_tokens_total{model="mistral-7b",prompt="long"}`: "0",
		`cycle_duration_seconds`:                                "",
		`model_up{model="mistral-7b"}`:                          "",
		`energy_joules_total{model="mistral-7b"}`:               "",
		`last_success_timestamp_seconds{model="mistral-7b"}`:    "",
		`exo_up`: "",
		`output_tokens_per_second{model="mistral-7b",prompt="long"}`: "",
	})
}

func TestReloaded(t *testing.T) {
	m, reg := newTestMetrics(t, testOptions())
	m.Reloaded(false, epoch.Add(time.Hour))
	expect(t, reg, map[string]string{
		"config_last_reload_successful":                "0",
		"config_last_reload_success_timestamp_seconds": "1.7829072e+09",
	})
}
