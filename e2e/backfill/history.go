package main

import (
	"math"
	"math/rand/v2"
	"time"

	"exo-bench-exporter/workload"
)

const (
	scrapeInterval = 15 * time.Second
	cycleInterval  = 15 * time.Minute
	// restartEvery is how many cycles pass between restarts of the exporter, which reset counters.
	restartEvery = 700
)

// profile is how a model behaves on one simulated machine.
type profile struct {
	decode, prefill float64 // tokens per second
	weights         float64 // bytes
}

var profiles = map[string]profile{
	"llama-3.1-8b": {48, 410, 4.64e9},
	"llama-3.2-1b": {245, 2600, 0.73e9},
	"mistral-7b":   {55, 450, 4.1e9},
	"qwen-1.5-7b":  {51, 440, 4.3e9},
	"deepseek-r1":  {52, 440, 4.3e9},
}

// request is one request of the history.
type request struct {
	end          int64 // ms
	restarted    bool  // first after a restart of the exporter
	ok           bool
	promptTokens float64
	outputTokens float64
	ttft, decode float64 // seconds; decode is from the first token to the last
	gaps         []float64
}

// turn is one model's part of a cycle.
type turn struct {
	end                int64 // ms
	restarted          bool
	decodeRate, ttft   float64
	rss, reported      float64
	unreleased, joules float64
	tokens             float64 // of output
	load               float64
}

// history is everything that happened to one model.
type history struct {
	turns    []turn
	requests map[string][]request // by prompt
}

// promptTokens is about how many tokens the prompts of a shape of the suite have.
func promptTokens(p workload.Prompt) float64 {
	chars := 0
	for _, m := range p.Messages {
		chars += len(m.Content)
	}
	return math.Round(float64(chars) / 4)
}

// newHistory lets a model be measured in every cycle from start (inclusive) to end.
func newHistory(m workload.Model, place int, suite workload.Suite, start, end time.Time) history {
	rng := rand.New(rand.NewPCG(1, uint64(place)))
	p, h := profiles[m.Name], history{requests: map[string][]request{}}
	for cycle := 0; ; cycle++ {
		at := start.Add(time.Duration(cycle) * cycleInterval)
		if !at.Before(end) {
			return h
		}
		restarted := cycle > 0 && cycle%restartEvery == 0
		// The order of models rotates; a turn takes about two minutes.
		at = at.Add(time.Duration((cycle+place)%len(profiles)) * 2 * time.Minute)
		noise := math.Exp(0.015 * rng.NormFloat64())
		var tokens, seconds, ttft float64
		for _, prompt := range suite.Prompts {
			r := request{
				restarted: restarted, ok: rng.Float64() > 0.003, promptTokens: promptTokens(prompt),
				outputTokens: float64(prompt.MaxTokens),
			}
			r.ttft = 0.1*rng.Float64() + r.promptTokens/p.prefill
			for range prompt.MaxTokens - 1 {
				gap := noise * math.Exp(0.05*rng.NormFloat64()) / p.decode
				r.gaps = append(r.gaps, gap)
				r.decode += gap
			}
			at = at.Add(time.Duration((r.ttft + r.decode) * float64(time.Second)))
			r.end = at.UnixMilli()
			h.requests[prompt.ID] = append(h.requests[prompt.ID], r)
			tokens, seconds, ttft = tokens+r.outputTokens-1, seconds+r.decode, ttft+r.ttft
		}
		h.turns = append(h.turns, turn{
			end: at.UnixMilli(), restarted: restarted, decodeRate: tokens / seconds, ttft: ttft / float64(len(suite.Prompts)),
			rss: p.weights + 1e8*rng.Float64(), reported: p.weights * 1.2, unreleased: 1e7 * rng.Float64(),
			joules: 30 * seconds, tokens: tokens, load: 2 + rng.Float64(),
		})
	}
}
