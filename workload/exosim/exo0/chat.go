package exo0

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"exo-bench-exporter/workload/exosim/faults"
	"exo-bench-exporter/workload/exosim/pace"
	"exo-bench-exporter/workload/exosim/truth"
	"exo-bench-exporter/workload/exosim/wire"
	"exo-bench-exporter/workload/exosim/world"
)

const (
	// defaultModel is what legacy exo runs when it does not know the model that was asked for;
	// without it the first one of the registry.
	defaultModel = "llama-3.2-1b"
	// responseTimeout is legacy exo's --chatgpt-api-response-timeout.
	responseTimeout = 900 * time.Second
)

// crash is what aiohttp answers when a handler raises.
func crash(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	wire.WriteBody(w, http.StatusInternalServerError, "text/plain; charset=utf-8",
		[]byte("500 Internal Server Error\n\nServer got itself in trouble"))
}

// model returns the model that serves a request for id: unknown ones are silently replaced
// by the default.
func (n *Node) model(id string) *pace.Profile {
	var standIn *pace.Profile
	for _, p := range n.registered() {
		if p.LegacyID == id {
			return p
		}
		if p.LegacyID == defaultModel || standIn == nil {
			standIn = p
		}
	}
	return standIn
}

// chat answers POST /v1/chat/completions. Everything up to the first token happens before
// the header; max_tokens is ignored; and the generation runs on to its end even when the
// client has gone, for which this goroutine stays.
func (n *Node) chat(w http.ResponseWriter, r *http.Request) {
	received := time.Now()
	var req wire.ChatRequest
	if _, err := wire.DecodeBody(w, r, &req); err != nil {
		crash(w)
		return
	}
	p := n.model(req.Model)
	if p == nil || !n.supports(p) {
		n.unsupported(w, req.Model)
		return
	}
	fault := n.Faults.StrikeRequest(p.LegacyID)
	if fault != nil && n.Faults.Answer(r.Context(), w, *fault, wire.Detail) {
		return
	}
	g := n.generation(world.Request{
		Truth:  truth.Truth{Received: received, Route: r.URL.Path, Streamed: req.Stream},
		Client: r.Context(), Profile: p, Prompt: pace.NewPrompt(req.Messages), Limit: n.opts.MaxGenerateTokens, Fault: fault,
	})
	s := &sink{w: w, stream: req.Stream, fault: fault, let: func() {}}
	g.Out = s
	n.finish(s, g, n.generate(g, fault))
}

// generation prepares an answer.
func (n *Node) generation(q world.Request) *pace.Generation {
	q.Truth.ID, q.Truth.Model = "chatcmpl-"+world.UUID(), q.Profile.LegacyID
	q.Share = n.engine.contention
	q.Strike = func(faults.Fault, *pace.Generation) error { return nil }
	g := n.Generation(q)
	g.Answer.Thinks, g.Answer.EOS = 0, endOfText(q.Profile) // nothing is parsed
	return g
}

// unsupported answers for a model that the engine has no weights for.
func (n *Node) unsupported(w http.ResponseWriter, id string) {
	var supported []string
	for _, p := range n.registered() {
		if n.supports(p) {
			supported = append(supported, "'"+p.LegacyID+"'")
		}
	}
	wire.WritePython(w, http.StatusBadRequest, map[string]string{"detail": fmt.Sprintf(
		"Unsupported model: %s with inference engine %s. Supported models for this engine: [%s]",
		id, n.opts.Engine, strings.Join(supported, ", "),
	)})
}

// errTimedOut ends an answer that did not begin within responseTimeout.
var errTimedOut = errors.New("request timed out")

func (n *Node) generate(g *pace.Generation, f *faults.Fault) error {
	if f != nil && f.Kind == faults.Stall && f.After == 0 && f.Seconds == 0 {
		if err := pace.SleepUntil(g.Client, n.Clock.After(responseTimeout)); err != nil {
			return err
		}
		return errTimedOut
	}
	if err := n.acquire(n.Context(), g); err != nil {
		return err
	}
	defer n.engine.leave(g)
	g.Begin()
	g.Due = time.Now()
	if err := g.Prefill(n.Context()); err != nil {
		return err
	}
	return g.Decode(n.Context())
}

// finish ends the answer and the request's truth.
func (n *Node) finish(s *sink, g *pace.Generation, err error) {
	end, finish := "ok", g.Answer.Finish
	if err != nil {
		end, finish = err.Error(), ""
	} else if s.deaf {
		end = "client disconnected"
	}
	g.Record.Ended(end, finish)
	s.let()
	if n.Context().Err() != nil {
		panic(http.ErrAbortHandler)
	}
	switch {
	case errors.Is(err, pace.ErrReset):
		wire.ResetConnection(s.w)
	case errors.Is(err, pace.ErrCut), s.begun, s.deaf, g.Client.Err() != nil:
	case errors.Is(err, errTimedOut):
		wire.WritePython(s.w, http.StatusRequestTimeout, map[string]string{"detail": "Request timed out"})
	case err != nil:
		wire.WritePython(s.w, http.StatusInternalServerError, map[string]string{
			"detail": "Error processing prompt (see logs with DEBUG>=2): " + err.Error(),
		})
	case s.stream:
		s.begin()
	default:
		t := g.Record.Truth()
		doc := wire.NewLegacyAnswer(t.ID, t.Model, s.text.String(), finish)
		doc.Usage = &wire.LegacyUsage{
			PromptTokens: g.Prompt.Tokens, CompletionTokens: g.Answer.Length, TotalTokens: g.Prompt.Tokens + g.Answer.Length,
		}
		wire.WritePython(s.w, http.StatusOK, doc)
	}
}

// endOfText returns the text of the model's end-of-sequence token.
func endOfText(p *pace.Profile) string {
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

// sink takes the tokens of an answer.
type sink struct {
	w      http.ResponseWriter
	events *wire.SSE
	fault  *faults.Fault // that strikes; nil for none
	let    func()        // what waits at the end
	stream bool
	begun  bool // the header is out
	deaf   bool // the client has gone
	text   strings.Builder
}

// KeepAlive implements pace.Sink.
func (*sink) KeepAlive() error { return nil }

// Progress implements pace.Sink.
func (*sink) Progress(_, _ int) error { return nil }

// begin sends the header of a stream.
func (s *sink) begin() {
	s.w.Header().Set("Content-Type", "text/event-stream")
	s.w.Header().Set("Cache-Control", "no-cache")
	s.w.WriteHeader(http.StatusOK)
	s.events, s.begun = wire.NewSSE(s.w), true
	s.let = s.fault.Hold(s.events)
}

// Token implements pace.Sink.
func (s *sink) Token(g *pace.Generation, t pace.Token) error {
	if s.deaf {
		return nil
	}
	before := time.Now()
	if s.stream {
		if !s.begun {
			s.begin()
		}
		about := g.Record.Truth()
		s.deaf = s.events.Send(wire.DataEvent(wire.PythonJSON(wire.LegacyChunk(about.ID, about.Model, t)))) != nil
		if s.deaf {
			return nil
		}
	} else {
		s.text.WriteString(t.Text)
	}
	g.Record.Wrote(before, time.Now())
	return nil
}

// StartStranger starts a generation of so many tokens as another user would, and returns at
// once with its id.
func (n *Node) StartStranger(model string, tokens int) (string, error) {
	p := n.Profile(model)
	if p == nil || p.LegacyID == "" {
		return "", fmt.Errorf("legacy exo has no model %q", model)
	}
	g := n.generation(world.Request{
		Truth: truth.Truth{Received: time.Now()}, Client: n.Context(), Profile: p,
		Prompt: pace.NewPrompt(world.StrangersMessages()), Limit: tokens, Exact: true,
	})
	g.Out = world.Silence{}
	n.Spawn(func() {
		end := "ok"
		if err := n.generate(g, nil); err != nil {
			end = err.Error()
		}
		g.Record.Ended(end, "")
	})
	return g.Record.ID(), nil
}
