package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/record"
)

// made makes turns whose true speed is known.
type made struct {
	seed    uint64
	turns   int
	prompts int
	// change is the true factor on speed of all prompts, of prompt 0 alone if one.
	change float64
	one    bool
	turn   float64 // standard deviation of what all requests of a turn have in common, in logarithms
	carry  float64 // how much of that the next turn shows
	each   float64 // and of what a request has by itself
	odd    float64 // share of turns that are 30 % slower
}

// reference is the noise of the alarms' bars, with what requests have by themselves beside it.
func reference(seed uint64, turns int) made {
	return made{seed: seed, turns: turns, prompts: 10, change: 1, turn: 0.015, each: 0.01, odd: 0.01}
}

func (m made) changed(factor float64) made {
	m.change = factor
	m.seed += 1 << 32
	return m
}

var (
	madeEpoch = workload.Epoch{SHA256: "5", Dialect: "exo1", Endpoint: workload.EndpointBench, Nonce: true, Engine: "exo"}
	madeStart = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
)

func (m made) run(model string) (all []workload.Turn) {
	r := rand.New(rand.NewPCG(m.seed, uint64(len(model))))
	shared := r.NormFloat64() * m.turn
	for i := range m.turns {
		shared = m.carry*shared + math.Sqrt(1-m.carry*m.carry)*m.turn*r.NormFloat64()
		level := shared
		if r.Float64() < m.odd {
			level += math.Log(0.7)
		}
		start := madeStart.Add(time.Duration(i) * 15 * time.Minute)
		t := workload.Turn{
			Cycle: i, Model: model, ExoModel: "id/" + model, Start: start, Outcome: workload.TurnOK,
			Memory: workload.Memory{Samples: 9, Median: uint64(5e9 * math.Exp(r.NormFloat64()*0.002))},
		}
		for p := range m.prompts {
			speed := 50 * math.Exp(level+r.NormFloat64()*m.each) * (1 + float64(p)/20)
			if !m.one || p == 0 {
				speed *= m.change
			}
			t.Results = append(t.Results, answer(model, p, start, speed))
		}
		all = append(all, t)
	}
	return all
}

func (m made) records(model string) (all []record.Record) {
	for _, t := range m.run(model) {
		all = append(all, record.Record{
			Schema: record.Schema, ID: record.TurnID(t), Cycle: t.Cycle, Turn: &t,
			Source: record.Source{Version: "1", Target: "http://localhost:52415", Suite: record.Suite{Version: "v", SHA256: "5"}},
		})
	}
	return all
}

// answer is of 201 tokens that came at speed.
func answer(model string, prompt int, start time.Time, speed float64) workload.Result {
	decode := time.Duration(200 / speed * float64(time.Second))
	ttft := time.Duration(20 / speed * float64(time.Second))
	return workload.Result{
		Model: model, ExoModel: "id/" + model, Prompt: fmt.Sprintf("p%d", prompt), Endpoint: workload.EndpointBench, Start: start,
		Outcome: workload.OutcomeOK, Timed: true, TTFT: ttft, Decode: decode, E2E: ttft + decode, Gaps: []time.Duration{decode / 200},
		AskedTokens: 201, OutputTokens: 201, TokenEvents: 201, PromptTokens: 100, Epoch: madeEpoch,
	}
}

func (m made) side(name string) Side {
	s, err := NewSide(name, m.records("m"))
	if err != nil {
		panic(err)
	}
	return s
}
