package app

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// defaultModels is what EXOBENCH_MODELS would have to be for what it is by default.
var defaultModels = func() string {
	var names []string
	for _, m := range workload.DefaultModels() {
		names = append(names, m.Name)
	}
	return strings.Join(names, ",")
}()

// runPipeline runs one cycle of the standard workload against a node with these options. It must
// be called inside a bubble.
func runPipeline(t *testing.T, o exosim.Options, models string) (*stack, *exosim.Node, workload.Cycle) {
	t.Helper()
	node := exosim.New(o)
	t.Cleanup(func() { _ = node.Close() })
	s := startStack(t, setting{node: node, vars: []string{"MODELS", models}})
	c := s.runner.Cycle(t.Context())
	s.close(t)
	return s, node, c
}

// What the client measured must be what the simulator did, in every dialect and variant: no
// figure of the whole chain may depend on how exo happens to put it on the wire.
func TestPipelineMeasuresWhatTheNodeDid(t *testing.T) {
	for name, tt := range map[string]struct {
		options  exosim.Options
		models   string
		endpoint workload.Endpoint
	}{
		"exo 1.x head":    {exosim.Options{}, defaultModels, workload.EndpointBench},
		"exo 1.x v1.0.71": {exosim.Options{Variant: exosim.V1071}, defaultModels, workload.EndpointV1},
		"legacy exo": {
			exosim.Options{Dialect: exosim.Exo0, MaxGenerateTokens: 300},
			"llama-3.1-8b,llama-3.2-1b,deepseek-r1,qwen-1.5-7b=qwen-2.5-7b",
			workload.EndpointV1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, node, c := runPipeline(t, tt.options, tt.models)
				if c.Outcome != workload.TurnOK || len(c.Turns) != len(s.Config.Models) {
					t.Fatalf("cycle %s with %d turns:\n%s", c.Outcome, len(c.Turns), s.log)
				}
				for _, turn := range c.Turns {
					for _, r := range turn.Results {
						compareWithTruth(t, node, r)
						if r.Endpoint != tt.endpoint {
							t.Errorf("%s/%s went to %s, want %s", r.Model, r.Prompt, r.Endpoint, tt.endpoint)
						}
					}
					if turn.Memory.Samples == 0 || turn.Memory.Peak < turn.Memory.Median {
						t.Errorf("%s: memory %+v", turn.Model, turn.Memory)
					}
				}
				if left := node.Instances(); len(left) != 0 {
					t.Errorf("instances left behind: %v", left)
				}
			})
		})
	}
}

func compareWithTruth(t *testing.T, node *exosim.Node, r workload.Result) {
	t.Helper()
	truth, ok := node.Truth(r.ResponseID)
	if !ok {
		t.Errorf("%s/%s: the node knows no answer %q", r.Model, r.Prompt, r.ResponseID)
		return
	}
	if diff := r.TTFT - truth.TTFT(); diff.Abs() > time.Millisecond {
		t.Errorf("%s/%s: TTFT %s, in truth %s", r.Model, r.Prompt, r.TTFT, truth.TTFT())
	}
	last := min(r.TokenEvents, len(truth.Writes)) - 1
	want := float64(r.OutputTokens-1) / truth.Writes[last].Sub(truth.FirstToken).Seconds()
	if got, ok := r.DecodeRate(); !ok || got < want*0.995 || got > want*1.005 {
		t.Errorf("%s/%s: decode rate %v, in truth %v", r.Model, r.Prompt, got, want)
	}
	if r.PromptTokens != 0 && r.PromptTokens != truth.PromptTokens {
		t.Errorf("%s/%s: %d prompt tokens, in truth %d", r.Model, r.Prompt, r.PromptTokens, truth.PromptTokens)
	}
}

// The exposition of the demo, with everything that changes from run to run taken out, is a
// contract: dashboards and rules hold on to every name and label in it.
func TestDemoExposition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, c := runPipeline(t, exosim.Options{Seed: demoSeed}, defaultModels)
		if c.Outcome != workload.TurnOK {
			t.Fatalf("cycle %s:\n%s", c.Outcome, s.log)
		}
		synctest.Wait() // until it is judged
		problems, err := testutil.GatherAndLint(s.reg)
		if err != nil || len(problems) > 0 {
			t.Errorf("lint: %v %v", problems, err)
		}
		families, err := s.reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		documented := make(map[string]bool)
		for _, f := range exporter.Families() {
			documented[f.FullName()] = true
		}
		var b strings.Builder
		for _, f := range families {
			if !strings.HasPrefix(f.GetName(), "exobench_") || f.GetName() == "exobench_build_info" {
				continue // of the process and the build, not of what it measures
			}
			if !documented[f.GetName()] {
				t.Errorf("%s is not one of exporter.Families, and so not in docs/metrics.md", f.GetName())
			}
			if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
				t.Fatal(err)
			}
		}
		got := stable(b.String())
		golden := filepath.Join("testdata", "demo.metrics")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("the exposition has changed; if that is meant, run the test with -update and look at the difference. First difference: %s",
				firstDifference(got, string(want)))
		}
	})
}

var (
	bucketLine  = regexp.MustCompile(`(?m)^\S+_bucket\{.*\n`)
	measurement = regexp.MustCompile(
		`(?m)^(exobench_\w*(?:_seconds|_per_second|_bytes|_seconds_sum|_seconds_total|_ratio|_watts|_celsius)(?:\{.*\})?) .*$`,
	)
	hash = regexp.MustCompile(`sha256="[0-9a-f]{64}"`)
)

// stable takes out what a measurement may change: values of times, rates and sizes, and
// which buckets they fall into. Names, labels, counts and the presence of series stay.
func stable(exposition string) string {
	s := bucketLine.ReplaceAllString(exposition, "")
	s = measurement.ReplaceAllString(s, "$1 <measured>")
	return hash.ReplaceAllString(s, `sha256="<hash>"`)
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "got " + g[i] + ", want " + w[i]
		}
	}
	return "one is longer than the other"
}
