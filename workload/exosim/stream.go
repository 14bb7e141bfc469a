package exosim

import (
	"errors"
	"net/http"
	"time"
)

// sse writes server-sent events, each with one write and one flush.
type sse struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func newSSE(w http.ResponseWriter) sse { return sse{w: w, rc: http.NewResponseController(w)} }

func (s sse) send(event []byte) error {
	if _, err := s.w.Write(event); err != nil {
		return err
	}
	return s.rc.Flush()
}

func dataEvent(payload []byte) []byte {
	return append(append([]byte("data: "), payload...), "\n\n"...)
}

func comment(name string, payload []byte) []byte {
	return append(append([]byte(": "+name+" "), payload...), "\n\n"...)
}

// startStream sends the header of an exo 1.x stream and its first keep-alive.
func startStream(w http.ResponseWriter) (sse, error) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("Connection", "close")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	s := newSSE(w)
	return s, s.send([]byte(": keep-alive\n\n"))
}

// chatStream is the sink of a streamed exo 1.x answer.
type chatStream struct {
	sse
	node      *Node
	id, model string
}

func (s *chatStream) keepAlive() error { return s.send([]byte(": keep-alive\n\n")) }

func (s *chatStream) progress(done, total int) error {
	type progress struct {
		Model           string `json:"model"`
		ProcessedTokens int    `json:"processed_tokens"`
		TotalTokens     int    `json:"total_tokens"`
	}
	return s.send(comment("prefill_progress", encode(map[string]progress{
		"PrefillProgressChunk": {s.model, done, total},
	})))
}

func (s *chatStream) token(g *generation, t token) error {
	var u *usage
	if t.finish != "" {
		u = g.usage()
	}
	before := time.Now()
	err := s.send(dataEvent(encodeChunk(s.node.opts.Variant, s.id, s.model, before, t, u)))
	if err != nil {
		return err
	}
	after := time.Now()
	s.node.mu.Lock()
	defer s.node.mu.Unlock()
	g.truth.wrote(before, after)
	return nil
}

// streamChat answers with a stream.
func (n *Node) streamChat(w http.ResponseWriter, r *http.Request, g *generation, t *textTask) {
	events, err := startStream(w)
	s := &chatStream{sse: events, node: n, id: g.truth.ID, model: g.truth.Model}
	g.out, g.lastEvent = s, time.Now()
	if err != nil {
		n.leave(g, t, err)
		return
	}
	err = n.generate(r.Context(), g, t)
	breakOff(w, err)
	var a *interruption
	switch {
	case err == nil:
		s.finish(g)
	case errors.As(err, &a) && !a.silent:
		if s.send(dataEvent(encodeStreamError(n.opts.Variant, a.event))) == nil {
			_ = s.send([]byte("data: [DONE]\n\n"))
		}
	}
}

// finish sends what follows the last token.
func (s *chatStream) finish(g *generation) {
	if g.answer.length == 0 { // struck by Empty
		last := encode(chunk{
			ID: s.id, Object: "chat.completion", Created: time.Now().Unix(), Model: s.model, Usage: g.usage(),
			Choices: []chunkChoice{{Delta: chunkDelta{Role: "assistant"}, FinishReason: new("stop")}},
		})
		if s.send(dataEvent(last)) != nil {
			return
		}
	}
	figures := stats[memorySnake]{
		PromptTPS: g.promptTPS, GenerationTPS: g.serverTPS(),
		PromptTokens: g.prompt.tokens, GenerationTokens: g.answer.length,
		PeakMemoryUsage: memorySnake{g.peakMemory()}, PrefixCacheHit: g.hit,
	}
	if s.send(comment("generation_stats", encode(figures))) == nil {
		_ = s.send([]byte("data: [DONE]\n\n"))
	}
}
