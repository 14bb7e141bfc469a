package exporter

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"exo-bench-exporter/workload"
)

// by returns r as it would be by the method e.
func by(e workload.Epoch, r workload.Result) workload.Result {
	r.Epoch = e
	return r
}

// methods returns the ids of the epochs that reg shows.
func methods(t *testing.T, reg prometheus.Gatherer) []string {
	t.Helper()
	var ids []string
	for name := range series(t, reg) {
		if _, rest, ok := strings.Cut(name, `exobench_epoch_info{`); ok {
			_, id, _ := strings.Cut(rest, `epoch="`)
			ids = append(ids, id[:strings.Index(id, `"`)])
		}
	}
	return ids
}

func TestEpochInfo(t *testing.T) {
	m, reg := newTestMetrics(t, testOptions())
	o := NewObserver(m)
	if got := methods(t, reg); len(got) != 0 {
		t.Errorf("before any result: %q", got)
	}
	marked := okResult("mistral-7b", "short")
	marked.Starved = true
	o.RequestDone(failedResult("mistral-7b", "short", workload.OutcomeTruncated))
	o.RequestDone(marked)
	if got := methods(t, reg); len(got) != 0 {
		t.Errorf("after results that are not clean: %q", got)
	}
	o.RequestDone(okResult("mistral-7b", "short"))
	expect(t, reg, map[string]string{
		`epoch_info{dialect="exo1",endpoint="v1",engine="exo",epoch="` + firstMethod.ID() + `",sha256="` + firstMethod.SHA256 +
			`",version="1.0.71"}`: "1",
	})
}

// Whatever part of the method changes, the figures by the old one go.
func TestAnotherMethodBeginsAnew(t *testing.T) {
	for part, change := range map[string]func(*workload.Epoch){
		"workload": func(e *workload.Epoch) { e.SHA256 = strings.Repeat("6", 64) },
		"dialect":  func(e *workload.Epoch) { e.Dialect = workload.DialectOpenAI },
		"endpoint": func(e *workload.Epoch) { e.Endpoint = workload.EndpointBench },
		"nonce":    func(e *workload.Epoch) { e.Nonce = false },
		"form":     func(e *workload.Epoch) { e.Form = "max_completion_tokens" },
		"engine":   func(e *workload.Epoch) { e.Engine = "llama.cpp" },
		"version":  func(e *workload.Epoch) { e.Version = "1.0.72" },
	} {
		t.Run(part, func(t *testing.T) {
			m, reg := newTestMetrics(t, testOptions())
			o := NewObserver(m)
			for _, model := range []string{"llama-3.2-1b", "mistral-7b"} {
				goodTurn(o, model)
			}
			o.CycleDone(workload.Cycle{})
			after := firstMethod
			change(&after)
			cycles := func(e workload.Epoch, model string) string {
				return fmt.Sprintf(`model_good_cycles_total{epoch=%q,model=%q}`, e.ID(), model)
			}

			o.CycleStarted(1, nil, epoch)
			o.RequestDone(by(after, okResult("llama-3.2-1b", "long")))
			expect(t, reg, absent(turnGauges))
			expect(t, reg, absent(promptGauges))
			expect(t, reg, map[string]string{
				`output_tokens_per_second{model="llama-3.2-1b",prompt="long"}`:           "100",
				cycles(firstMethod, "llama-3.2-1b"):                                      "",
				cycles(after, "llama-3.2-1b"):                                            "0",
				`model_output_tokens_per_second{model="mistral-7b"}`:                     "100", // not measured otherwise yet
				cycles(firstMethod, "mistral-7b"):                                        "1",
				`requests_total{model="llama-3.2-1b",outcome="ok",prompt="short"}`:       "1",
				`time_to_first_token_seconds_count{model="llama-3.2-1b",prompt="short"}`: "1",
				`model_up{model="llama-3.2-1b"}`:                                         "1",
			})
			if got := methods(t, reg); len(got) != 2 {
				t.Errorf("while models are measured by two methods: %q", got)
			}
			o.TurnDone(turnOf("llama-3.2-1b", workload.TurnOK, by(after, okResult("llama-3.2-1b", "long"))))
			expect(t, reg, map[string]string{cycles(after, "llama-3.2-1b"): "1"})
			o.CycleDone(workload.Cycle{})
			if got := methods(t, reg); len(got) != 1 || got[0] != after.ID() {
				t.Errorf("after a cycle by the new method: %q, want %q", got, after.ID())
			}

			o.CycleStarted(2, nil, epoch)
			o.RequestDone(failedResult("mistral-7b", "short", workload.OutcomeConnectError))
			o.CycleDone(workload.Cycle{})
			if got := methods(t, reg); len(got) != 1 || got[0] != after.ID() {
				t.Errorf("a cycle without a good result changes nothing, got %q", got)
			}
		})
	}
}

// A turn in which the method changes yields the figures of the last one: of two methods there is
// no mean.
func TestAMethodThatChangesWithinATurn(t *testing.T) {
	m, reg := newTestMetrics(t, testOptions())
	o := NewObserver(m)
	after := firstMethod
	after.Endpoint = workload.EndpointBench
	fast := by(after, okResult("llama-3.2-1b", "long"))
	fast.Decode, fast.TTFT, fast.Gaps = 20*time.Millisecond, 100*time.Millisecond, []time.Duration{5e6, 5e6, 5e6, 5e6}
	fast.Server = nil
	slow := okResult("llama-3.2-1b", "short")
	o.RequestDone(slow)
	o.RequestDone(fast)
	o.TurnDone(turnOf("llama-3.2-1b", workload.TurnOK, slow, fast))
	expect(t, reg, absent(promptGauges))
	expect(t, reg, map[string]string{
		`model_output_tokens_per_second{model="llama-3.2-1b"}`:                           "200",
		`model_time_to_first_token_seconds{model="llama-3.2-1b"}`:                        "0.1",
		`output_tokens_per_second{model="llama-3.2-1b",prompt="long"}`:                   "200",
		`model_good_cycles_total{epoch="` + after.ID() + `",model="llama-3.2-1b"}`:       "1",
		`model_good_cycles_total{epoch="` + firstMethod.ID() + `",model="llama-3.2-1b"}`: "",
		`decode_tokens_total{model="llama-3.2-1b",prompt="short"}`:                       "4",
	})
}

// A server that calls itself something else with every answer fills neither memory nor Prometheus.
func TestMethodsAreBounded(t *testing.T) {
	m, reg := newTestMetrics(t, testOptions())
	o := NewObserver(m)
	for i := range 1000 {
		e := firstMethod
		e.Version = fmt.Sprint(i)
		o.RequestDone(by(e, okResult("llama-3.2-1b", "short")))
	}
	if got := len(methods(t, reg)); got != maxEpochs {
		t.Errorf("%d methods are shown, want %d", got, maxEpochs)
	}
	cycles := 0
	for name := range series(t, reg) {
		if strings.HasPrefix(name, "exobench_model_good_cycles_total{") {
			cycles++
		}
	}
	if cycles != 1 {
		t.Errorf("%d series count good cycles, want 1", cycles)
	}
	expect(t, reg, map[string]string{`dropped_total{what="series"}`: fmt.Sprint(1000 - maxEpochs)})
}

// After a restart the figures of the last turn go on as if there had been none: the first result by
// the same method withdraws nothing.
func TestResumedFiguresStayUnderTheirMethod(t *testing.T) {
	for _, after := range []workload.Epoch{firstMethod, {SHA256: firstMethod.SHA256, Dialect: workload.DialectOpenAI}} {
		m, reg := newTestMetrics(t, testOptions())
		m.Resume([]workload.Turn{turnOf("llama-3.2-1b", workload.TurnOK, okResult("llama-3.2-1b", "short"), okResult("llama-3.2-1b", "long"))})
		expect(t, reg, turnGauges)
		expect(t, reg, promptGauges)
		expect(t, reg, map[string]string{
			`model_good_cycles_total{epoch="` + firstMethod.ID() + `",model="llama-3.2-1b"}`: "0",
			`decode_tokens_total{model="llama-3.2-1b",prompt="short"}`:                       "0",
			`model_up{model="llama-3.2-1b"}`:                                                 "1",
		})
		NewObserver(m).RequestDone(by(after, okResult("llama-3.2-1b", "long")))
		if after == firstMethod {
			expect(t, reg, turnGauges)
			expect(t, reg, promptGauges)
		} else {
			expect(t, reg, absent(turnGauges))
			expect(t, reg, absent(promptGauges))
		}
	}
}
