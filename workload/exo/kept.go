package exo

import (
	"math"

	"exo-bench-exporter/workload"
)

// No two measurements give the same to the last digit: a node whose figures of an answer are those of the answer before was not
// asked, and what came is an answer that something on the way has kept. exo repeats the rate of a prompt that it finds in its
// cache, but of no answer.

// maxFigures bounds the answers whose figures are remembered; a suite has far fewer prompts.
const maxFigures = 1 << 12

// question is what an answer is kept by.
type question struct {
	model, prompt string
	tokens        int // asked for
}

// kept makes res, of r, one of which nothing was timed where its figures are those of the answer before to the same prompt.
func (s *session) kept(r workload.Request, res *workload.Result) {
	if !res.OK() || res.Server == nil || !uneven(res.Server.GenerationTPS) {
		return
	}
	if s.client.repeats(question{s.id, r.Prompt.ID, r.Prompt.MaxTokens}, *res.Server) {
		res.Outcome = workload.OutcomeBuffered
		res.Err = "the node's own figures are, to the last digit, those of its last answer to this prompt: something on the way plays that again"
	}
}

// uneven reports whether a rate has more digits than a server that rounds would give it.
func uneven(rate float64) bool {
	const most = 1e4 // of its decimals
	return math.Abs(rate*most-math.Round(rate*most)) > 1e-3
}

// repeats reports whether the figures are those of the last answer to a question, and remembers them.
func (c *Client) repeats(q question, figures workload.ServerStats) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	last, known := c.figures[q]
	if !known && len(c.figures) >= maxFigures {
		clear(c.figures)
	}
	c.figures[q] = figures
	return known && last == figures
}
