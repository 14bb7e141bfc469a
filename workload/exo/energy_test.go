package exo_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo"
	"exo-bench-exporter/workload/exo/power"
	"exo-bench-exporter/workload/exosim"
)

// energyRun opens a model on a simulated node and puts prompts of so many tokens to it.
func energyRun(
	t *testing.T, o exosim.Options, c exo.Options, model string, tokens []int, check func(*exosim.Node, workload.Session, []workload.Result),
) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		node := exosim.New(o)
		defer node.Close()
		c.BaseURL, c.Transport, c.StateDir = "http://sim.test", node.Transport(), t.TempDir()
		client, err := exo.New(c)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		s, err := client.Open(t.Context(), workload.Model{Name: model})
		if err != nil {
			t.Fatal(err)
		}
		var results []workload.Result
		for i, n := range append([]int{8}, tokens...) {
			r := s.Measure(t.Context(), workload.Request{Model: model, Seed: 42, Warmup: i == 0, Prompt: workload.Prompt{
				ID: "p", MaxTokens: n, Messages: []workload.Message{{Role: "user", Content: "Tell me more about the sea."}},
			}})
			if !r.OK() || r.Contended {
				t.Fatalf("%s %s, contended: %v", r.Outcome, r.Err, r.Contended)
			}
			if i > 0 {
				results = append(results, r)
			}
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		check(node, s, results)
	})
}

// The energy of a streamed request is the simulator's own integral within two per cent, for every model, and that of a
// turn with it. In shorter answers the tenth of a second weighs more for which exo lets a request lie at rest.
func TestEnergyOfStreamedRequests(t *testing.T) {
	for variant, o := range map[string]exosim.Options{
		"real time": {Variant: exosim.HEAD}, "fast motion": {Variant: exosim.HEAD, Speed: 5},
	} {
		for _, m := range workload.DefaultModels() {
			t.Run(variant+" "+m.Name, func(t *testing.T) {
				tokens := []int{400, 600}
				if m.Name == "llama-3.2-1b" {
					tokens = []int{1500, 2000}
				}
				every := power.Every
				if o.Speed > 0 {
					every /= time.Duration(o.Speed)
				}
				energyRun(t, o, exo.Options{PowerEvery: every}, m.Name, tokens, func(n *exosim.Node, s workload.Session, results []workload.Result) {
					turn := workload.Turn{Results: results}
					var joules float64
					var count int
					for _, r := range results {
						want := n.Joules(r.Start, r.Start.Add(r.E2E))
						if r.EnergySource != workload.EnergyFromPower || math.Abs(r.EnergyJoules/want-1) > 0.02 {
							t.Errorf("%d tokens in %s: %.2f J from %q, the simulator drew %.2f J", r.OutputTokens, r.E2E, r.EnergyJoules, r.EnergySource, want)
						}
						// A look may hold up the token of its gap, which the next gap is shorter by.
						most, gaps := 2*int(r.E2E/every), len(r.Gaps)+r.Withheld
						if r.Withheld < 2 || r.Withheld > most || gaps+r.Coalesced != r.OutputTokens-1 {
							t.Errorf("%d gaps of %d tokens, %d of them withheld; want 2 to %d", gaps, r.OutputTokens, r.Withheld, most)
						}
						joules, count = joules+want, count+r.OutputTokens
						s := r.Sensors
						if s == nil || s.Readings < 2 || *s.Celsius != 61.2 || math.Abs(*s.GPU-0.91) > 1e-9 ||
							math.Abs(*s.Watts*r.E2E.Seconds()/want-1) > 0.03 {
							t.Errorf("%d readings: %v °C, %v in use, %v W, want %v", s.Readings, *s.Celsius, *s.GPU, *s.Watts, want/r.E2E.Seconds())
						}
					}
					if got, ok := turn.EnergyPerToken(); !ok || math.Abs(got/(joules/float64(count))-1) > 0.02 {
						t.Errorf("%.4f J a token, %v; want %.4f", got, ok, joules/float64(count))
					}
					if idle := s.(workload.Hosted).Host().IdleWatts; math.Abs(idle/6.2-1) > 0.05 {
						t.Errorf("%.2f W at rest, want 6.2", idle)
					}
				})
			})
		}
	}
}

// What exo says itself of an answer wins over what is integrated.
func TestEnergyOfExosOwn(t *testing.T) {
	o := exosim.Options{Variant: exosim.V1071}
	own := func(n *exosim.Node, _ workload.Session, r []workload.Result) {
		want := n.Joules(r[0].Start, r[0].Start.Add(r[0].E2E))
		if r[0].EnergySource != workload.EnergyFromAnswer || math.Abs(r[0].EnergyJoules/want-1) > 0.001 {
			t.Errorf("%.2f J from %q, want %.2f J of exo's own", r[0].EnergyJoules, r[0].EnergySource, want)
		}
	}
	energyRun(t, o, exo.Options{Endpoint: exo.EndpointBench}, "llama-3.1-8b", []int{300}, own)
}

func TestEnergyThatIsNotKnown(t *testing.T) {
	unknown := func(_ *exosim.Node, s workload.Session, results []workload.Result) {
		for _, r := range results {
			if r.EnergyJoules != 0 || r.EnergySource != "" || r.Sensors != nil && r.Sensors.Readings > 1 {
				t.Errorf("%.2f J from %q", r.EnergyJoules, r.EnergySource)
			}
		}
		if _, ok := (workload.Turn{Results: results}).EnergyPerToken(); ok {
			t.Error("a turn without energy has some a token")
		}
	}
	t.Run("too short for two readings", func(t *testing.T) {
		energyRun(t, exosim.Options{}, exo.Options{}, "llama-3.2-1b", []int{64, 128}, unknown)
	})
	for kind, fault := range map[string]exosim.Fault{
		"exo shows no power":                    {Kind: exosim.MovedFields},
		"exo only shows the whole of its state": {Kind: exosim.StatePathsMissing},
	} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				node := exosim.New(exosim.Options{})
				defer node.Close()
				if _, err := node.Inject(fault); err != nil {
					t.Fatal(err)
				}
				c, err := exo.New(exo.Options{BaseURL: "http://sim.test", Transport: node.Transport(), StateDir: t.TempDir()})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				s, err := c.Open(t.Context(), workload.Model{Name: "llama-3.1-8b"})
				if err != nil {
					t.Fatal(err)
				}
				r := s.Measure(t.Context(), workload.Request{Model: "llama-3.1-8b", Prompt: workload.Prompt{
					ID: "p", MaxTokens: 300, Messages: []workload.Message{{Role: "user", Content: "Hi"}},
				}})
				if !r.OK() {
					t.Fatal(r.Outcome, r.Err)
				}
				unknown(node, s, []workload.Result{r})
				if idle := s.(workload.Hosted).Host().IdleWatts; idle != 0 {
					t.Errorf("%.2f W at rest that exo does not show", idle)
				}
				if err := s.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
