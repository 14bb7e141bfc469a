package exo_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo"
	"exo-bench-exporter/workload/exosim"
)

// openSim starts a simulator and opens a session for a model, both until the test ends.
func openSim(t *testing.T, o exosim.Options, model string, change ...func(*exo.Options)) (*exosim.Node, workload.Session) {
	t.Helper()
	node := exosim.New(o)
	t.Cleanup(func() { _ = node.Close() })
	options := exo.Options{BaseURL: "http://sim.test", Transport: node.Transport(), StateDir: t.TempDir()}
	for _, f := range change {
		f(&options)
	}
	c, err := exo.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	s, err := c.Open(t.Context(), workload.Model{Name: model})
	if err != nil {
		t.Fatal(err)
	}
	return node, s
}

// Against the simulator the client must say what the simulator did, for every model, by
// every dialect and wire variant.
func TestAgainstTheSimulator(t *testing.T) {
	for _, tc := range []struct {
		name     string
		options  exosim.Options
		dialect  workload.Dialect
		endpoint workload.Endpoint
	}{
		{"HEAD", exosim.Options{Variant: exosim.HEAD}, workload.DialectExo1, workload.EndpointBench},
		{"v1.0.71", exosim.Options{Variant: exosim.V1071}, workload.DialectExo1, workload.EndpointV1},
		{"legacy", exosim.Options{Dialect: exosim.Exo0, MaxGenerateTokens: 200}, workload.DialectExo0, workload.EndpointV1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				node := exosim.New(tc.options)
				t.Cleanup(func() { _ = node.Close() })
				c, err := exo.New(exo.Options{BaseURL: "http://sim.test", Transport: node.Transport(), StateDir: t.TempDir()})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = c.Close() })
				for _, m := range workload.DefaultModels() {
					s, err := c.Open(t.Context(), m)
					if !knows(tc.dialect, m.Name) {
						var turn *workload.TurnError
						if !errors.As(err, &turn) || turn.Outcome != workload.TurnUnavailable {
							t.Errorf("%s: %v, want it to be unavailable", m.Name, err)
						}
						continue
					}
					if err != nil {
						t.Fatalf("%s: %v", m.Name, err)
					}
					for i := range 3 {
						r := s.Measure(t.Context(), workload.Request{Model: m.Name, Seed: 42, Warmup: i == 0, Prompt: workload.Prompt{
							ID: "p", Kind: "chat", MaxTokens: 64, Messages: []workload.Message{
								{Role: "user", Content: strings.Repeat("Tell me more about the sea. ", 20)},
							},
						}})
						truth, ok := node.Truth(r.ResponseID)
						if !r.OK() || !ok || r.Contended {
							t.Errorf("%s: %s (%s), contended %v, known to the simulator: %v", m.Name, r.Outcome, r.Err, r.Contended, ok)
							continue
						}
						if i > 0 {
							compare(t, r, truth, tc.endpoint)
						}
					}
					if err := s.Close(t.Context()); err != nil {
						t.Errorf("%s: close: %v", m.Name, err)
					}
					if left := node.Instances(); tc.dialect == workload.DialectExo1 && len(left) != 0 {
						t.Errorf("%s: %d instances left behind", m.Name, len(left))
					}
				}
				if c.Dialect() != tc.dialect || c.Endpoint() != tc.endpoint {
					t.Errorf("dialect %s by %s, want %s by %s", c.Dialect(), c.Endpoint(), tc.dialect, tc.endpoint)
				}
			})
		})
	}
}

// knows reports whether a simulated node of the dialect has the model of that name.
func knows(dialect workload.Dialect, name string) bool {
	return slices.ContainsFunc(exosim.Profiles(), func(p exosim.Profile) bool {
		id := p.ExoID
		if dialect == workload.DialectExo0 {
			id = p.LegacyID
		}
		return p.Name == name && id != ""
	})
}

// Somebody else's work beside a request shows in its result, whichever model it is for.
func TestContendedAgainstTheSimulator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := exosim.New(exosim.Options{})
		t.Cleanup(func() { _ = node.Close() })
		c, err := exo.New(exo.Options{BaseURL: "http://sim.test", Transport: node.Transport(), StateDir: t.TempDir(), BusyTimeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		s, err := c.Open(t.Context(), workload.Model{Name: "llama-3.2-1b"})
		if err != nil {
			t.Fatal(err)
		}
		if !s.Load().Loaded || s.Load().Duration <= 0 {
			t.Errorf("load %+v, want a load of this turn", s.Load())
		}
		req := workload.Request{
			Model: "llama-3.2-1b", Prompt: workload.Prompt{ID: "p", MaxTokens: 64, Messages: []workload.Message{{Role: "user", Content: "Hi"}}},
		}
		if r := s.Measure(t.Context(), req); !r.OK() || r.Contended {
			t.Errorf("alone: %s (%s), contended %v", r.Outcome, r.Err, r.Contended)
		}
		if _, err := node.StartStranger("llama-3.2-1b", 40_000); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		for i, least := range []time.Duration{time.Minute, 0} {
			start := time.Now()
			r := s.Measure(t.Context(), req)
			if !r.OK() || !r.Contended {
				t.Errorf("beside a stranger: %s (%s), contended %v", r.Outcome, r.Err, r.Contended)
			}
			if took := time.Since(start); took < least || took > least+30*time.Second {
				t.Errorf("request %d took %v: the node's being busy is waited for once, for a minute", i, took)
			}
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// compare wants a result to equal the truth exactly: time is virtual, so nothing lies
// between the simulator's writing and the client's reading.
func compare(t *testing.T, r workload.Result, truth exosim.Truth, endpoint workload.Endpoint) {
	t.Helper()
	if !r.Timed || r.Endpoint != endpoint {
		t.Fatalf("%s: timed %v by %s, want %s", r.Model, r.Timed, r.Endpoint, endpoint)
	}
	if r.TTFT != truth.TTFT() {
		t.Errorf("%s: TTFT %v, the simulator says %v", r.Model, r.TTFT, truth.TTFT())
	}
	if r.TokenEvents > len(truth.Starts) || r.TokenEvents < 64 {
		t.Fatalf("%s: %d token events, the simulator wrote %d", r.Model, r.TokenEvents, len(truth.Starts))
	}
	at, left := 0, r.Withheld // gaps may be withheld, but none comes out of its order
	for i, g := range r.Gaps {
		for left > 0 && truth.Starts[at+1].Sub(truth.Starts[at]) != g {
			at, left = at+1, left-1
		}
		if want := truth.Starts[at+1].Sub(truth.Starts[at]); g != want {
			t.Fatalf("%s: gap %d is %v, the simulator says %v", r.Model, i, g, want)
		}
		at++
	}
	if got := len(r.Gaps) + r.Withheld; got != r.TokenEvents-1 {
		t.Errorf("%s: %d gaps of %d events, %d of them withheld", r.Model, got, r.TokenEvents, r.Withheld)
	}
	if r.OutputTokens != 64 {
		t.Errorf("%s: %d tokens, want max_tokens", r.Model, r.OutputTokens)
	}
	if r.PromptTokens != truth.PromptTokens && r.PromptTokens != 0 || r.CachedTokens != truth.CachedTokens {
		t.Errorf(
			"%s: prompt %d, cached %d, the simulator says %d, %d", r.Model, r.PromptTokens, r.CachedTokens, truth.PromptTokens, truth.CachedTokens,
		)
	}
}
