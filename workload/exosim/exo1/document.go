package exo1

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/wire"
)

// collected is the sink of an answer that comes as one document.
type collected struct {
	event              func() // told of every token
	content, reasoning strings.Builder
}

// KeepAlive implements pace.Sink.
func (*collected) KeepAlive() error { return nil }

// Progress implements pace.Sink.
func (c *collected) Progress(_, _ int) error {
	c.event()
	return nil
}

// Token implements pace.Sink.
func (c *collected) Token(g *pace.Generation, t pace.Token) error {
	c.event()
	if t.Reasoning {
		c.reasoning.WriteString(t.Text)
	} else {
		c.content.WriteString(t.Text)
	}
	now := time.Now()
	g.Record.Wrote(now, now)
	return nil
}

// completion returns the answer as a document.
func (q *request) completion(c *collected) wire.Completion {
	content := c.content.String()
	var reasoning *string
	if c.reasoning.Len() > 0 {
		reasoning = new(c.reasoning.String())
	}
	return wire.Completion{
		ID: q.id, Object: "chat.completion", Created: time.Now().Unix(), Model: q.model,
		Choices: []wire.CompletionChoice{{
			Message:      wire.Message{Role: "assistant", Content: &content, ReasoningContent: reasoning},
			FinishReason: &q.Answer.Finish,
		}},
	}
}

// document answers /v1/chat/completions without a stream. The header is sent before
// anything is generated, so that an error leaves an empty body under status 200.
func (q *request) document(w http.ResponseWriter, r *http.Request) {
	c := &collected{event: q.node.event}
	q.Out = c
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush()
	err := q.run(r.Context())
	breakOff(w, err)
	if err == nil {
		doc := q.completion(c)
		doc.Usage = q.usage()
		_, _ = w.Write(wire.Document(q.node.opts.Variant, doc))
	}
}

// benchDocument answers /bench/chat/completions without a stream.
func (q *request) benchDocument(w http.ResponseWriter, r *http.Request) {
	c := &collected{event: q.node.event}
	q.Out = c
	err := q.run(r.Context())
	breakOff(w, err)
	var a *pace.Interruption
	switch {
	case err == nil:
		wire.WriteJSON(w, http.StatusOK, wire.BenchCompletion{
			Completion: q.completion(c), GenerationStats: q.stats(), PowerUsage: q.power(),
		})
	case errors.As(err, &a) && !a.Silent:
		wire.WriteJSON(w, http.StatusInternalServerError, map[string]wire.APIError{
			"error": {Message: a.Event, Type: "InternalServerError", Code: http.StatusInternalServerError},
		})
	case q.node.opts.Variant == wire.V1071: // an assertion of its own fails
		wire.Text500(w)
	default: // HEAD takes the end of the stream for the end of the answer
		doc := q.completion(c)
		doc.Choices[0].FinishReason = nil
		wire.WriteJSON(w, http.StatusOK, wire.BenchCompletion{Completion: doc, PowerUsage: q.power()})
	}
}

func (q *request) stats() *wire.Stats[wire.Memory] {
	return &wire.Stats[wire.Memory]{
		PromptTPS: q.PromptTPS, GenerationTPS: q.DecodeTPS(),
		PromptTokens: q.Prompt.Tokens, GenerationTokens: q.Answer.Length,
		PeakMemoryUsage: wire.Memory{InBytes: q.peakMemory()}, PrefixCacheHit: q.hit,
	}
}

// power returns what exo says a request cost, which here is what it did cost: exo's sampler of 1 Hz is taken for
// exact. What each of the two phases cost is known at HEAD only.
func (q *request) power() wire.PowerUsage {
	now := time.Now()
	span := func(from, to time.Time) (seconds, joules, watts float64) {
		seconds, joules = to.Sub(from).Seconds(), q.node.Joules(from, to)
		if seconds > 0 {
			watts = joules / seconds
		}
		return seconds, joules, watts
	}
	elapsed, joules, watts := span(q.received, now)
	node := wire.NodePower{NodeID: q.node.id, Samples: max(2, int(elapsed*q.node.Speed)+1), AvgSysPower: watts}
	p := wire.PowerUsage{ElapsedSeconds: elapsed, TotalAvgSysPowerWatts: watts, TotalEnergyJoules: joules}
	if q.node.opts.Variant != wire.V1071 {
		first := now // as exo has it: until the first token
		if !q.FirstToken.IsZero() {
			first = q.FirstToken
		}
		prefill, prefillJoules, prefillWatts := span(q.received, first)
		generation, generationJoules, generationWatts := span(first, now)
		p.PowerSplit = &wire.PowerSplit{
			PrefillSeconds: &prefill, GenerationSeconds: &generation,
			PrefillEnergyJoules: &prefillJoules, GenerationEnergyJoules: &generationJoules,
			PrefillAvgSysPowerWatts: &prefillWatts, GenerationAvgSysPowerWatts: &generationWatts,
		}
		node.NodePowerSplit = &wire.NodePowerSplit{
			PrefillAvgSysPower: &prefillWatts, GenerationAvgSysPower: &generationWatts,
			PrefillEnergyJoules: &prefillJoules, GenerationEnergyJoules: &generationJoules,
		}
	}
	p.Nodes = []wire.NodePower{node}
	return p
}
