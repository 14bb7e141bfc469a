package exosim

import (
	"errors"
	"net/http"
	"strings"
	"time"
)

// collected is the sink of an answer that comes as one document.
type collected struct {
	node               *Node
	content, reasoning strings.Builder
}

func (*collected) keepAlive() error        { return nil }
func (*collected) progress(_, _ int) error { return nil }

func (c *collected) token(g *generation, t token) error {
	if t.reasoning {
		c.reasoning.WriteString(t.text)
	} else {
		c.content.WriteString(t.text)
	}
	now := time.Now()
	c.node.mu.Lock()
	defer c.node.mu.Unlock()
	g.truth.wrote(now, now)
	return nil
}

// completion returns the answer as a document.
func (c *collected) completion(g *generation) completion {
	content := c.content.String()
	var reasoning *string
	if c.reasoning.Len() > 0 {
		reasoning = new(c.reasoning.String())
	}
	return completion{
		ID: g.truth.ID, Object: "chat.completion", Created: time.Now().Unix(), Model: g.truth.Model,
		Choices: []completionChoice{{
			Message:      fullMessage{Role: "assistant", Content: &content, ReasoningContent: reasoning},
			FinishReason: &g.answer.finish,
		}},
	}
}

// documentChat answers /v1/chat/completions without a stream. The header is sent before
// anything is generated, so that an error leaves an empty body under status 200.
func (n *Node) documentChat(w http.ResponseWriter, r *http.Request, g *generation, t *textTask) {
	c := &collected{node: n}
	g.out = c
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush()
	err := n.generate(r.Context(), g, t)
	breakOff(w, err)
	if err == nil {
		doc := c.completion(g)
		doc.Usage = g.usage()
		_, _ = w.Write(encode(doc))
	}
}

// benchJSON answers /bench/chat/completions without a stream.
func (n *Node) benchJSON(w http.ResponseWriter, r *http.Request, g *generation, t *textTask) {
	c := &collected{node: n}
	g.out = c
	err := n.generate(r.Context(), g, t)
	breakOff(w, err)
	if err == nil {
		writeJSON(w, http.StatusOK, benchCompletion{
			completion: c.completion(g),
			GenerationStats: stats[memory]{
				PromptTPS: g.promptTPS, GenerationTPS: g.serverTPS(),
				PromptTokens: g.prompt.tokens, GenerationTokens: g.answer.length,
				PeakMemoryUsage: memory{g.peakMemory()}, PrefixCacheHit: g.hit,
			},
			PowerUsage: n.power(g),
		})
		return
	}
	message := "The simulated stream ended early"
	if a := (*interruption)(nil); errors.As(err, &a) && !a.silent {
		message = a.event
	}
	writeJSON(w, http.StatusInternalServerError, map[string]apiError{
		"error": {Message: message, Type: "InternalServerError", Code: http.StatusInternalServerError},
	})
}

// power returns what exo says a request cost, from a 1 Hz sampler that saw the machine busy
// all the time. What each of the two phases cost is known at HEAD only.
func (n *Node) power(g *generation) powerUsage {
	end := time.Now()
	elapsed := end.Sub(g.truth.Received).Seconds()
	samples := max(2, int(elapsed*n.opts.Speed)+1)
	node := nodePower{NodeID: n.id, Samples: samples, AvgSysPower: busyWatts}
	p := powerUsage{
		ElapsedSeconds: elapsed, TotalAvgSysPowerWatts: busyWatts, TotalEnergyJoules: busyWatts * elapsed,
	}
	if n.opts.Variant != V1071 {
		prefill := elapsed // as exo has it: until the first token
		if !g.firstToken.IsZero() {
			prefill = g.firstToken.Sub(g.truth.Received).Seconds()
		}
		generation := elapsed - prefill
		watts := busyWatts
		prefillJoules, generationJoules := watts*prefill, watts*generation
		p.powerSplit = &powerSplit{&prefill, &generation, &prefillJoules, &generationJoules, &watts, &watts}
		node.nodePowerSplit = &nodePowerSplit{&watts, &watts, &prefillJoules, &generationJoules}
	}
	p.Nodes = []nodePower{node}
	return p
}
