package report_test

import (
	"math"
	"math/rand/v2"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/record"
)

var (
	begin = time.Date(2026, 1, 26, 0, 0, 0, 0, time.UTC) // a Monday
	epoch = workload.Epoch{SHA256: "5", Dialect: workload.DialectExo1, Endpoint: workload.EndpointBench, Engine: "exo"}
	mini  = workload.Machine{Kind: "Mac mini", Chip: "Apple M4 Pro", OS: "26.1", MemoryBytes: 64 << 30}
)

// made are cycles of models whose true speed is known.
type made struct {
	cycles int
	speed  map[string]float64 // tokens per second; 0 for a model that the node does not know
	memory map[string]uint64
	// edit changes a turn before it is kept; may be nil.
	edit func(cycle int, t *workload.Turn, s *record.Source)
	seed uint64
}

var two = made{
	cycles: 12, speed: map[string]float64{"llama-3.1-8b": 48, "llama-3.2-1b": 245},
	memory: map[string]uint64{"llama-3.1-8b": 5000 << 20, "llama-3.2-1b": 800 << 20},
}

// records returns them with noise of one per cent a turn and half a per cent a request.
func (m made) records() (all []record.Record) {
	r := rand.New(rand.NewPCG(m.seed, 7))
	for c := range m.cycles {
		at := begin.Add(time.Duration(c) * 15 * time.Minute)
		for _, model := range workload.DefaultModels() {
			speed, ok := m.speed[model.Name]
			if !ok {
				continue
			}
			t := workload.Turn{
				Cycle: c, Model: model.Name, ExoModel: "mlx-community/" + model.Name, Start: at, Duration: 40 * time.Second, Outcome: workload.TurnOK,
				Load: workload.Load{Loaded: true, Duration: 4 * time.Second}, Host: workload.Host{Machines: []workload.Machine{mini}},
				Memory: workload.Memory{Samples: 9, Median: uint64(float64(m.memory[model.Name]) * math.Exp(r.NormFloat64()*0.001))},
			}
			turn := r.NormFloat64() * 0.01
			for p, prompt := range []string{"one", "two", "three", "four"} {
				t.Results = append(t.Results, answer(model.Name, prompt, at, speed*math.Exp(turn+r.NormFloat64()*0.005)*(1+float64(p)/50)))
			}
			s := record.Source{Version: "1", Target: "http://secret-mac.local:52415", Suite: record.Suite{Version: "v", SHA256: "5"}}
			if speed == 0 {
				t.Outcome, t.Reason, t.Results = workload.TurnUnavailable, "http://secret-mac.local:52415 does not know it", nil
				t.Memory = workload.Memory{}
			}
			if m.edit != nil {
				m.edit(c, &t, &s)
			}
			all = append(all, record.Record{Schema: record.Schema, ID: record.TurnID(t), Cycle: c, Source: s, Turn: &t})
			at = at.Add(time.Minute)
		}
	}
	return all
}

// answer is of 51 tokens.
func answer(model, prompt string, start time.Time, speed float64) workload.Result {
	gap := time.Duration(float64(time.Second) / speed)
	r := workload.Result{
		Model: model, ExoModel: "mlx-community/" + model, Prompt: prompt, Kind: "kind of " + prompt, Endpoint: workload.EndpointBench,
		Start: start, ResponseID: "secret-response-id", Outcome: workload.OutcomeOK,
		Timed: true, TTFT: 20 * gap, Decode: 50 * gap, E2E: 70 * gap, AskedTokens: 51,
		OutputTokens: 51, TokenEvents: 51, FirstTokens: 1, PromptTokens: 100, Epoch: epoch,
	}
	for range 50 {
		r.Gaps = append(r.Gaps, gap)
	}
	return r
}
