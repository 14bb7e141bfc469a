package exosim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// legacyDefault is what legacy exo runs when it does not know the model that was asked for.
const legacyDefault = "llama-3.2-1b"

// legacyTimeout is legacy exo's --chatgpt-api-response-timeout.
const legacyTimeout = 900 * time.Second

// legacyCrash is what aiohttp answers when a handler raises.
func legacyCrash(w http.ResponseWriter) {
	writeBody(w, http.StatusInternalServerError, "text/plain; charset=utf-8",
		[]byte("500 Internal Server Error\n\nServer got itself in trouble"))
}

// legacyModel returns the model that serves a request for id: unknown ones are silently
// replaced by the default.
func (n *Node) legacyModel(id string) *Profile {
	var standIn *Profile
	for _, p := range n.registered() {
		if p.LegacyID == id {
			return p
		}
		if p.LegacyID == legacyDefault {
			standIn = p
		}
	}
	return standIn
}

// legacyChat answers POST /v1/chat/completions. Everything up to the first token happens
// before the header; max_tokens is ignored; and the generation runs on to its end even when
// the client has gone, for which this goroutine stays.
func (n *Node) legacyChat(w http.ResponseWriter, r *http.Request) {
	received := time.Now()
	var req chatRequest
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&req) != nil {
		legacyCrash(w)
		return
	}
	p := n.legacyModel(req.Model)
	if p == nil || !n.supports(p) {
		n.refuseLegacy(w, req.Model)
		return
	}
	fault := n.strikeRequest(p.LegacyID)
	if fault != nil && n.answerFault(w, r, *fault) {
		return
	}
	g := n.newGeneration(r.Context(), p, req, n.opts.MaxGenerateTokens, false)
	g.answer.thinks, g.answer.eos = 0, p.endOfText() // nothing is parsed
	g.fault, g.share = fault, n.legacyShare
	if fault != nil && fault.Kind == Empty {
		g.answer.length = 0
	}
	t := g.truth
	t.Received, t.Route, t.Streamed = received, r.URL.Path, req.Stream
	t.ID, t.Model = "chatcmpl-"+newUUID(), p.LegacyID
	n.mu.Lock()
	n.truths.add(t)
	n.mu.Unlock()
	s := &legacySink{node: n, w: w, stream: req.Stream}
	g.out = s
	n.finishLegacy(s, g, n.generateLegacy(g))
}

// refuseLegacy answers for a model that the engine has no weights for.
func (n *Node) refuseLegacy(w http.ResponseWriter, id string) {
	var supported []string
	for _, p := range n.registered() {
		if n.supports(p) {
			supported = append(supported, "'"+p.LegacyID+"'")
		}
	}
	writePython(w, http.StatusBadRequest, map[string]string{"detail": fmt.Sprintf(
		"Unsupported model: %s with inference engine %s. Supported models for this engine: [%s]",
		id, n.opts.Engine, strings.Join(supported, ", "),
	)})
}

// errTimedOut ends an answer that did not begin within legacyTimeout.
var errTimedOut = errors.New("request timed out")

func (n *Node) generateLegacy(g *generation) error {
	if f := g.fault; f != nil && f.Kind == Stall && f.After == 0 && f.Seconds == 0 {
		if err := sleepUntil(g.client, time.Now().Add(n.scaled(legacyTimeout))); err != nil {
			return err
		}
		return errTimedOut
	}
	if err := n.acquire(n.ctx, g); err != nil {
		return err
	}
	defer n.release(g)
	n.mu.Lock()
	g.kvTokens = g.prompt.tokens
	n.mu.Unlock()
	g.due = time.Now()
	if err := g.prefill(n.ctx); err != nil {
		return err
	}
	return g.decode(n.ctx)
}

// finishLegacy ends the answer and the request's truth.
func (n *Node) finishLegacy(s *legacySink, g *generation, err error) {
	end := "ok"
	if err != nil {
		end = err.Error()
	} else if s.deaf {
		end = "client disconnected"
	}
	n.mu.Lock()
	g.truth.End, g.truth.Done = end, time.Now()
	if err == nil {
		g.truth.Finish = g.answer.finish
	}
	n.mu.Unlock()
	if n.ctx.Err() != nil {
		err = errClosed
	}
	breakOff(s.w, err)
	switch {
	case errors.Is(err, errCut), s.begun, s.deaf, g.client.Err() != nil:
	case errors.Is(err, errTimedOut):
		writePython(s.w, http.StatusRequestTimeout, map[string]string{"detail": "Request timed out"})
	case err != nil:
		writePython(s.w, http.StatusInternalServerError, map[string]string{
			"detail": "Error processing prompt (see logs with DEBUG>=2): " + err.Error(),
		})
	case s.stream:
		s.begin()
	default:
		doc := newLegacyAnswer(g, s.text.String(), g.answer.finish)
		doc.Usage = &legacyUsage{g.prompt.tokens, g.answer.length, g.prompt.tokens + g.answer.length}
		writePython(s.w, http.StatusOK, doc)
	}
}

// endOfText returns the text of the model's end-of-sequence token.
func (p *Profile) endOfText() string {
	switch p.Family {
	case "llama":
		return "<|eot_id|>"
	case "mistral":
		return "</s>"
	case "deepseek":
		return "<｜end▁of▁sentence｜>"
	}
	return "<|im_end|>"
}

// legacySink takes the tokens of a legacy answer.
type legacySink struct {
	node   *Node
	w      http.ResponseWriter
	events sse
	stream bool
	begun  bool // the header is out
	deaf   bool // the client has gone
	text   strings.Builder
}

func (*legacySink) keepAlive() error        { return nil }
func (*legacySink) progress(_, _ int) error { return nil }

// begin sends the header of a stream.
func (s *legacySink) begin() {
	s.w.Header().Set("Content-Type", "text/event-stream")
	s.w.Header().Set("Cache-Control", "no-cache")
	s.w.WriteHeader(http.StatusOK)
	s.events, s.begun = newSSE(s.w), true
}

func (s *legacySink) token(g *generation, t token) error {
	if s.deaf {
		return nil
	}
	before := time.Now()
	if s.stream {
		if !s.begun {
			s.begin()
		}
		if s.events.send(dataEvent(pythonJSON(legacyChunk(g, t)))) != nil {
			s.deaf = true
			return nil
		}
	} else {
		s.text.WriteString(t.text)
	}
	after := time.Now()
	s.node.mu.Lock()
	defer s.node.mu.Unlock()
	g.truth.wrote(before, after)
	return nil
}
