package drill

import (
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/e2e/internal/stack"
)

var rounds = flag.Int("rounds", 1, "how often to go through the drill, on the same stack")

// models decode at 48 to 55 tokens per second on the simulated machine, and this many times
// faster here: a token every four milliseconds.
var models = []string{"llama-3.1-8b", "mistral-7b", "deepseek-r1"}

const simSpeed = 5

func TestDrill(t *testing.T) {
	begin := time.Now()
	d := start(t)
	d.settle(t)
	t.Logf("the models are judged and all is quiet %.0f s after the start", time.Since(begin).Seconds())
	for round := range *rounds {
		began := time.Now()
		d.round(t)
		t.Logf("round %d of %d took %.0f s", round+1, *rounds, time.Since(began).Seconds())
	}
}

// drill is everything that runs.
type drill struct {
	exo, address string // of exo-sim and of the exporter
	state        string // directory for the exporter's state
	records      string // file of its results
	sim, exp     *stack.Process
	prometheus   stack.Prometheus
	receiver     *receiver
	polls        *polls
	pace         pace
	seen         int // messages that phases have dealt with
}

func start(t *testing.T) *drill {
	d := &drill{exo: stack.FreeAddress(t), address: stack.FreeAddress(t), state: t.TempDir(), receiver: startReceiver(t)}
	d.records = filepath.Join(d.state, "results.jsonl")
	d.startExo(t)
	d.remember(t)
	d.startExporter(t)
	d.prometheus = stack.StartPrometheus(t, d.address, func(config string) {
		configure(t, config, d.receiver.URL, d.url("/runbook"))
	})
	d.polls = watchPolls(t, d.url("/metrics"), d.pace.see)
	return d
}

// url returns a URL of the exporter.
func (d *drill) url(path string) string { return "http://" + d.address + path }

// startExo starts exo-sim, on which a user has loaded all models: the exporter uses what is
// there, and a turn is short. Until they are loaded, which takes as long as half a cycle here and
// is nothing beside one in life, the node does not answer.
func (d *drill) startExo(t *testing.T) {
	d.sim = stack.Start(t, nil, stack.Simulator, "-listen="+d.exo, fmt.Sprintf("-speed=%d", simSpeed), "-memory-scale=0.001")
	sim := "http://" + d.exo + "/_sim/"
	stack.Eventually(t, 10*time.Second, 10*time.Millisecond, "the simulator answers", func() bool { return stack.Answers(sim) })
	stack.Post(t, sim+"faults", `{"kind":"unreachable"}`)
	for _, m := range models {
		stack.Post(t, sim+"strangers/instances", fmt.Sprintf(`{"model":%q}`, m))
	}
	stack.Eventually(t, 30*time.Second, 50*time.Millisecond, "all models are loaded", func() bool {
		body, err := stack.Get(sim + "instances")
		return err == nil && strings.Count(string(body), `"status":"RunnerReady"`) == len(models)
	})
	stack.Delete(t, sim+"faults")
}

// settings returns the exporter's environment.
func (d *drill) settings(t *testing.T) []string {
	t.Helper()
	suite, err := filepath.Abs(filepath.Join("testdata", "suite.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		"EXOBENCH_EXO_URL=http://" + d.exo, "EXOBENCH_LISTEN_ADDRESS=" + d.address, "EXOBENCH_SUITE=" + suite,
		"EXOBENCH_MODELS=" + strings.Join(models, ","), "EXOBENCH_CYCLE_INTERVAL=" + cycle.String(), "EXOBENCH_STATE_DIR=" + d.state,
		"EXOBENCH_RESULTS=" + d.records,
	}
}

func (d *drill) startExporter(t *testing.T) { d.exp = stack.Start(t, d.settings(t), stack.Exporter) }

// settle waits until the exporter judges all models and nothing fires.
func (d *drill) settle(t *testing.T) {
	// Prometheus takes five seconds to find its targets, which is long enough here for the
	// exporter to be missed. That is over when a message about it would have come too.
	begin := time.Now()
	stack.Eventually(t, time.Minute, time.Second, "Prometheus scrapes the exporter, and nothing fires", func() bool {
		return time.Since(begin) > 2*quiet && len(d.prometheus.At(t, time.Now(), `up == 1 unless on() ALERTS`)) == 1
	})
	d.seen = len(d.receiver.after(0))
	d.phase(t, phase{
		name: "nothing happens", within: time.Minute,
		until: func() bool {
			return len(d.prometheus.At(t, time.Now(), `exobench_judge_learning{quantity="decode"} == 0`)) == len(models) &&
				time.Since(begin) > 3*quiet
		},
	})
}

func (d *drill) round(t *testing.T) {
	// The same model in every round: for a quarter of an hour Prometheus goes on to tell
	// Alertmanager of an alert that is over, so that a message about a second model would say once
	// more that the first is well.
	victim := models[1]
	drop := expected{
		name: "ExoBenchThroughputDrop", severity: "warning", model: victim, kind: "drop",
		summary: `^\[SIMULATED\] ` + victim + ` on exo decodes (1[5-9]|2[0-5])(\.\d+)?% slower than usual$`,
		description: `^Of ` + victim + `, judged turn by turn .*Speed of decode against a baseline of \d+ tokens/s: -(1[5-9]|2[0-5])\.\d % ` +
			`\(-\d+\.\d to -\d+\.\d % with 95 % confidence\), \d+\.\d times the evidence that an alarm takes, ` +
			`where a cycle scatters by [0-9.]+ %; drop since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d.* UTC\.$`,
	}
	over := drop // what is told last dates from just before it was over
	exoDown := expected{name: "ExoBenchExoDown", severity: "critical", summary: `^\[SIMULATED\] exo does not answer exo$`}
	exporterDown := expected{name: "ExoBenchExporterDown", severity: "critical", summary: `^The exporter exo cannot be scraped$`}

	d.phase(t, phase{
		name: "a model is slow", want: drop.firing(), within: time.Minute + 20*cycle,
		do: func() {
			stack.Post(t, "http://"+d.exo+"/_sim/faults", fmt.Sprintf(`{"kind":"slow","model":%q,"percent":20}`, victim))
		},
	})
	d.phase(t, phase{
		name: "the exporter is restarted", still: &drop, within: time.Minute,
		do: func() {
			d.exp.Kill()
			d.startExporter(t)
		},
		until: d.judged(t),
	})
	d.phase(t, phase{
		name: "the model is fast again", want: over.resolved(), within: time.Minute + 20*cycle,
		do: func() { stack.Delete(t, "http://"+d.exo+"/_sim/faults") },
	})
	d.phase(t, phase{
		name: "exo is killed", want: exoDown.firing(), silenced: silencedByExoDown, within: time.Minute,
		do: func() {
			// The exporter looks every 15 seconds whether exo is there, which in life is nothing
			// beside a cycle and here is five. It is killed shortly before the next look.
			d.polls.beforeNext(t)
			d.sim.Kill()
		},
	})
	d.phase(t, phase{
		name: "exo runs again", want: exoDown.resolved(), silenced: silencedByExoDown, within: time.Minute,
		do: func() { d.startExo(t) },
	})
	d.phase(t, phase{
		name: "the exporter is killed", want: exporterDown.firing(), within: time.Minute,
		do: func() { d.exp.Kill() },
	})
	d.phase(t, phase{
		name: "the exporter runs again", want: exporterDown.resolved(), within: time.Minute,
		do: func() { d.startExporter(t) },
	})
}

// judged returns whether since now the exporter has gone through some cycles and says of every model what it knows.
func (d *drill) judged(t *testing.T) func() bool {
	began := time.Now()
	return func() bool {
		done, running := d.cycles()
		return running && done >= quietCycles && time.Since(began) > quiet &&
			len(d.prometheus.At(t, time.Now(), `exobench_judge_learning{quantity="decode"} == 0`)) == len(models)
	}
}

// silencedByExoDown may fire, unheard, while exo is down.
var silencedByExoDown = []string{"ExoBenchModelFailing", "ExoBenchStale"}
