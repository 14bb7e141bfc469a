package exporter

import (
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/workload"
)

// promptGauges are the gauges of one prompt of llama-3.2-1b and their values after okResult.
var promptGauges = map[string]string{
	`output_tokens_per_second{model="llama-3.2-1b",prompt="short"}`:         "100",
	`prefill_tokens_per_second{model="llama-3.2-1b",prompt="short"}`:        "200",
	`server_output_tokens_per_second{model="llama-3.2-1b",prompt="short"}`:  "104",
	`server_prefill_tokens_per_second{model="llama-3.2-1b",prompt="short"}`: "260",
}

// turnGauges are the gauges of llama-3.2-1b and their values after goodTurn.
var turnGauges = map[string]string{
	`model_output_tokens_per_second{model="llama-3.2-1b"}`:    "100",
	`model_time_to_first_token_seconds{model="llama-3.2-1b"}`: "0.2",
	`model_resident_memory_bytes{model="llama-3.2-1b"}`:       "9e+08",
	`model_resident_memory_peak_bytes{model="llama-3.2-1b"}`:  "1e+09",
	`model_resident_memory_delta_bytes{model="llama-3.2-1b"}`: "9e+08",
	`model_unreleased_memory_bytes{model="llama-3.2-1b"}`:     "3e+07",
	`model_footprint_bytes{model="llama-3.2-1b"}`:             "9.5e+08",
	`model_footprint_peak_bytes{model="llama-3.2-1b"}`:        "1.01e+09",
	`model_gpu_memory_bytes{model="llama-3.2-1b"}`:            "7e+08",
	`model_proportional_memory_bytes{model="llama-3.2-1b"}`:   "8e+08",
	`model_reported_peak_memory_bytes{model="llama-3.2-1b"}`:  "8e+08",
	`model_load_seconds{model="llama-3.2-1b"}`:                "3",
}

func absent(series map[string]string) map[string]string {
	none := make(map[string]string)
	for name := range series {
		none[name] = ""
	}
	return none
}

func TestPromptGaugesAreRemoved(t *testing.T) {
	contended := okResult("llama-3.2-1b", "short")
	contended.Contended = true
	document := okResult("llama-3.2-1b", "short")
	document.Timed, document.Gaps, document.Server = false, nil, nil
	steps := map[string]func(Observer){
		"contended request":      func(o Observer) { o.RequestDone(contended) },
		"answer as one document": func(o Observer) { o.RequestDone(document) },
		"turn without the prompt": func(o Observer) {
			o.TurnDone(turnOf("llama-3.2-1b", workload.TurnPartial, okResult("llama-3.2-1b", "long")))
		},
		"turn without requests": func(o Observer) { o.TurnDone(workload.Turn{Model: "llama-3.2-1b", Outcome: workload.TurnSkipped}) },
	}
	for _, outcome := range workload.Outcomes() {
		if outcome != workload.OutcomeOK && outcome != workload.OutcomeCanceled {
			steps["request "+string(outcome)] = func(o Observer) { o.RequestDone(failedResult("llama-3.2-1b", "short", outcome)) }
		}
	}
	for name, step := range steps {
		t.Run(name, func(t *testing.T) {
			m, reg := newTestMetrics(t, testOptions())
			o := NewObserver(m)
			goodTurn(o, "llama-3.2-1b")
			expect(t, reg, promptGauges)
			step(o)
			expect(t, reg, absent(promptGauges))
		})
	}
}

func TestPromptGaugesStay(t *testing.T) {
	for name, r := range map[string]workload.Result{
		"another prompt fails": failedResult("llama-3.2-1b", "long", workload.OutcomeTruncated),
		"another model fails":  failedResult("mistral-7b", "short", workload.OutcomeTruncated),
		"canceled":             failedResult("llama-3.2-1b", "short", workload.OutcomeCanceled),
	} {
		t.Run(name, func(t *testing.T) {
			m, reg := newTestMetrics(t, testOptions())
			o := NewObserver(m)
			goodTurn(o, "llama-3.2-1b")
			o.RequestDone(r)
			expect(t, reg, promptGauges)
		})
	}
}

func TestTurnGauges(t *testing.T) {
	const model = "llama-3.2-1b"
	good := turnOf(model, workload.TurnOK, okResult(model, "short"), okResult(model, "long"))
	loaded := good
	loaded.Load = workload.Load{}
	loaded.Memory.HasBefore, loaded.Memory.HasAfter = false, false
	unseen := good
	unseen.Memory = workload.Memory{}
	shrunk := good
	shrunk.Memory.Before, shrunk.Memory.After = 1100e6, 1050e6
	silent := good
	silent.Results = []workload.Result{okResult(model, "short")}
	silent.Results[0].Server = nil
	contended := good
	contended.Results = []workload.Result{okResult(model, "short")}
	contended.Results[0].Contended = true

	tests := map[string]struct {
		turn workload.Turn
		want map[string]string
	}{
		"loaded already": {loaded, map[string]string{
			`model_load_seconds{model="llama-3.2-1b"}`:                "",
			`model_resident_memory_delta_bytes{model="llama-3.2-1b"}`: "",
			`model_unreleased_memory_bytes{model="llama-3.2-1b"}`:     "",
			`model_resident_memory_bytes{model="llama-3.2-1b"}`:       "9e+08",
		}},
		"memory not seen": {unseen, map[string]string{
			`model_resident_memory_bytes{model="llama-3.2-1b"}`:       "",
			`model_resident_memory_peak_bytes{model="llama-3.2-1b"}`:  "",
			`model_resident_memory_delta_bytes{model="llama-3.2-1b"}`: "",
			`model_unreleased_memory_bytes{model="llama-3.2-1b"}`:     "",
			`model_reported_peak_memory_bytes{model="llama-3.2-1b"}`:  "8e+08",
			`model_load_seconds{model="llama-3.2-1b"}`:                "3",
		}},
		"more memory before than after": {shrunk, map[string]string{
			`model_resident_memory_delta_bytes{model="llama-3.2-1b"}`: "-1e+08",
			`model_unreleased_memory_bytes{model="llama-3.2-1b"}`:     "-5e+07",
		}},
		"exo reports nothing": {silent, map[string]string{
			`model_reported_peak_memory_bytes{model="llama-3.2-1b"}`: "",
			`model_output_tokens_per_second{model="llama-3.2-1b"}`:   "100",
		}},
		"all requests contended": {contended, map[string]string{
			`model_output_tokens_per_second{model="llama-3.2-1b"}`:    "",
			`model_time_to_first_token_seconds{model="llama-3.2-1b"}`: "",
			`model_up{model="llama-3.2-1b"}`:                          "1",
		}},
	}
	for _, outcome := range workload.TurnOutcomes() {
		if outcome.Good() || outcome == workload.TurnCanceled {
			continue
		}
		want := absent(turnGauges)
		want[`model_up{model="llama-3.2-1b"}`] = "0"
		want[`turns_total{model="llama-3.2-1b",outcome="`+string(outcome)+`"}`] = "1"
		bad := good
		bad.Outcome = outcome
		tests["turn "+string(outcome)] = struct {
			turn workload.Turn
			want map[string]string
		}{bad, want}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m, reg := newTestMetrics(t, testOptions())
			o := NewObserver(m)
			o.TurnDone(good)
			expect(t, reg, turnGauges)
			o.TurnDone(test.turn)
			expect(t, reg, test.want)
		})
	}
}

func TestOnlySuccessEntersHistograms(t *testing.T) {
	m, reg := newTestMetrics(t, testOptions())
	o := NewObserver(m)
	for _, outcome := range workload.Outcomes() {
		r := okResult("llama-3.2-1b", "short")
		r.Outcome = outcome
		o.RequestDone(r)
	}
	warmup := okResult("llama-3.2-1b", "short")
	warmup.Warmup = true
	o.RequestDone(warmup)
	const labels = `{model="llama-3.2-1b",prompt="short"}`
	expect(t, reg, map[string]string{
		"time_to_first_token_seconds_count" + labels:                              "1",
		"inter_token_latency_seconds_count" + labels:                              "4",
		"inter_token_latency_seconds_sum" + labels:                                "0.04",
		"time_per_output_token_seconds_count" + labels:                            "1",
		"request_duration_seconds_count" + labels:                                 "1",
		"request_duration_seconds_sum" + labels:                                   "0.24",
		"output_tokens_total" + labels:                                            "5",
		"prompt_tokens_total" + labels:                                            "50",
		"cached_prompt_tokens_total" + labels:                                     "10",
		"decode_tokens_total" + labels:                                            "4",
		"decode_seconds_total" + labels:                                           "0.04",
		"prefill_tokens_total" + labels:                                           "40",
		"prefill_seconds_total" + labels:                                          "0.2",
		`requests_total{model="llama-3.2-1b",outcome="ok",prompt="short"}`:        "1",
		`requests_total{model="llama-3.2-1b",outcome="truncated",prompt="short"}`: "1",
	})
}

func TestAnswerAsOneDocumentHasNoLatencies(t *testing.T) {
	m, reg := newTestMetrics(t, testOptions())
	r := okResult("llama-3.2-1b", "short")
	r.Endpoint, r.Timed, r.TTFT, r.Decode, r.Gaps = workload.EndpointBenchJSON, false, 0, 0, nil
	NewObserver(m).RequestDone(r)
	const labels = `{model="llama-3.2-1b",prompt="short"}`
	expect(t, reg, map[string]string{
		"time_to_first_token_seconds_count" + labels: "0",
		"request_duration_seconds_count" + labels:    "0",
		"decode_tokens_total" + labels:               "0",
		"prefill_tokens_total" + labels:              "0",
		"output_tokens_total" + labels:               "5",
		"output_tokens_per_second" + labels:          "",
		"server_output_tokens_per_second" + labels:   "104",
	})
}

// Other people's work makes a request slower: nothing but how it ended is taken from it.
func TestContendedRequestsCountNowhereElse(t *testing.T) {
	m, reg := newTestMetrics(t, testOptions())
	r := okResult("llama-3.2-1b", "short")
	r.Contended = true
	NewObserver(m).RequestDone(r)
	expect(t, reg, map[string]string{
		`contended_requests_total{model="llama-3.2-1b"}`:                         "1",
		`time_to_first_token_seconds_count{model="llama-3.2-1b",prompt="short"}`: "0",
		`inter_token_latency_seconds_count{model="llama-3.2-1b",prompt="short"}`: "0",
		`decode_tokens_total{model="llama-3.2-1b",prompt="short"}`:               "0",
		`output_tokens_total{model="llama-3.2-1b",prompt="short"}`:               "0",
		`output_tokens_per_second{model="llama-3.2-1b",prompt="short"}`:          "",
		`requests_total{model="llama-3.2-1b",outcome="ok",prompt="short"}`:       "1",
		`last_success_timestamp_seconds{model="llama-3.2-1b"}`:                   "1.78290720024e+09",
	})
}

func TestStampLateness(t *testing.T) {
	m, reg := newTestMetrics(t, testOptions())
	o := NewObserver(m)
	o.RequestDone(okResult("llama-3.2-1b", "short"))
	expect(t, reg, map[string]string{"stamp_lateness_seconds_count": ""}) // the kernel does not tell
	r := okResult("llama-3.2-1b", "short")
	r.Starved, r.StampLateness = true, []time.Duration{30 * time.Microsecond, 2 * time.Second}
	o.RequestDone(r)
	expect(t, reg, map[string]string{
		"stamp_lateness_seconds_count":              "2",
		"stamp_lateness_seconds_sum":                "2.00003",
		`stamp_lateness_seconds_bucket{le="5e-05"}`: "1",
		`stamp_lateness_seconds_bucket{le="1"}`:     "1",
	})
}

func TestGoodCycles(t *testing.T) {
	m, reg := newTestMetrics(t, testOptions())
	o := NewObserver(m)
	name := `model_good_cycles_total{epoch="` + firstMethod.ID() + `",model="llama-3.2-1b"}`
	expect(t, reg, map[string]string{name: ""})
	goodTurn(o, "llama-3.2-1b")
	goodTurn(o, "llama-3.2-1b")
	expect(t, reg, map[string]string{name: "2"})
	o.TurnDone(turnOf("llama-3.2-1b", workload.TurnFailed, okResult("llama-3.2-1b", "short")))
	contended := okResult("llama-3.2-1b", "short")
	contended.Contended = true
	o.TurnDone(turnOf("llama-3.2-1b", workload.TurnOK, contended))
	expect(t, reg, map[string]string{name: "2"})

	opts := testOptions()
	opts.Suite.Seed++
	m.Apply(opts)
	expect(t, reg, map[string]string{name: ""})
	goodTurn(o, "llama-3.2-1b")
	expect(t, reg, map[string]string{name: "1"})
}

func TestModelInfoFollowsTheID(t *testing.T) {
	m, reg := newTestMetrics(t, testOptions())
	o := NewObserver(m)
	info := func(id string) string {
		return `model_info{architecture="mistral, grouped-query attention",developer="Mistral AI",exo_model="` + id +
			`",model="mistral-7b",parameters="7.2B"}`
	}
	const configured = "mlx-community/Mistral-7B-Instruct-v0.3-4bit"
	expect(t, reg, map[string]string{info(configured): "1"})
	turn := turnOf("mistral-7b", workload.TurnOK, okResult("mistral-7b", "short"))
	o.TurnDone(turn)
	expect(t, reg, map[string]string{info("mlx-community/mistral-7b"): "1", info(configured): ""})
	o.TurnDone(workload.Turn{Model: "mistral-7b", Outcome: workload.TurnUnavailable})
	expect(t, reg, map[string]string{info("mlx-community/mistral-7b"): "", info(configured): "1"})
}

func TestConcurrentUse(t *testing.T) {
	opts := testOptions()
	m, reg := newTestMetrics(t, opts)
	o := NewObserver(m)
	store := NewStore(opts)
	const rounds = 50
	var wg sync.WaitGroup
	run := func(f func()) {
		wg.Go(func() {
			for range rounds {
				f()
			}
		})
	}
	run(func() {
		for _, observer := range []workload.Observer{o, store} {
			observer.CycleStarted(0, opts.Models, epoch)
			goodTurn(observer, "llama-3.2-1b")
			observer.RequestDone(failedResult("mistral-7b", "short", workload.OutcomeEmpty))
			observer.TurnDone(turnOf("mistral-7b", workload.TurnFailed))
			observer.CycleDone(workload.Cycle{Outcome: workload.TurnPartial, Duration: time.Second})
		}
	})
	run(func() {
		status := workload.Status{Up: true, Dialect: workload.DialectExo0, Nodes: []workload.NodeStatus{{Name: "a"}}}
		m.SetStatus(status)
		store.SetStatus(status)
	})
	run(func() {
		fewer := opts
		fewer.Models = opts.Models[:1]
		m.Apply(fewer)
		store.Apply(fewer)
		m.Apply(opts)
		store.Apply(opts)
	})
	for range 2 {
		run(func() {
			if _, err := reg.Gather(); err != nil {
				t.Error(err)
			}
			store.State()
		})
	}
	wg.Wait()
	expect(t, reg, map[string]string{`cycles_total{outcome="partial"}`: "50"})
}

// Between two requests nothing is left for the garbage collector, which could run within the next.
func TestObservingDoesNotAllocate(t *testing.T) {
	o := NewObserver(NewMetrics(prometheus.NewRegistry(), testOptions()))
	good, bad := okResult("llama-3.2-1b", "short"), failedResult("llama-3.2-1b", "short", workload.OutcomeTruncated)
	o.RequestDone(good)
	for _, r := range []workload.Result{good, bad} {
		if n := testing.AllocsPerRun(100, func() { o.RequestDone(r) }); n != 0 {
			t.Errorf("a result that is %s allocates %v times", r.Outcome, n)
		}
	}
}

func BenchmarkObserve256Gaps(b *testing.B) {
	o := NewObserver(NewMetrics(prometheus.NewRegistry(), testOptions()))
	r := okResult("llama-3.2-1b", "short")
	r.Gaps = make([]time.Duration, 256)
	for i := range r.Gaps {
		r.Gaps[i] = time.Duration(3800+i) * time.Microsecond
	}
	b.ReportAllocs()
	for b.Loop() {
		o.RequestDone(r)
	}
}
