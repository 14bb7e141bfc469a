package exo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"exo-bench-exporter/workload/exo/answer"
	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exo/sse"
)

// The parts of OpenAI's chat completions that several dialects share.
const (
	pathV1   = "/v1/chat/completions"
	mediaSSE = "text/event-stream"
)

// malformedError is an event that is none of its dialect.
type malformedError struct{ text string }

func (e *malformedError) Error() string { return e.text }

// chatEvents decodes a streamed chat completion.
type chatEvents struct {
	events *sse.Decoder
	// comment reads what a comment tells into ev; ok is false when that is nothing. It may be nil.
	comment func(text []byte, ev *answer.Event) (ok bool)
}

func newChatEvents(body io.Reader, comment func([]byte, *answer.Event) bool) *chatEvents {
	return &chatEvents{events: sse.NewDecoder(body, 0), comment: comment}
}

// Next implements eventReader.
func (s *chatEvents) Next() (answer.Event, error) {
	for {
		ev, err := s.events.Next()
		if err != nil {
			return answer.Event{}, err
		}
		out := answer.Event{At: ev.Time, Read: ev.Read}
		switch {
		case ev.Kind == sse.Comment:
			if s.comment == nil || !s.comment(ev.Data, &out) {
				continue
			}
			return out, nil
		case len(ev.Data) == 0:
			continue
		case string(ev.Data) == "[DONE]":
			out.End = true
			return out, nil
		}
		var c chunk
		if err := unmarshalEvent(ev, &c, "a chunk of a chat completion"); err != nil {
			return out, err
		}
		out = c.event(ev.Data)
		out.At, out.Read = ev.Time, ev.Read
		return out, nil
	}
}

// unmarshalEvent reads the JSON of an event that ought to be what.
func unmarshalEvent(ev sse.Event, v any, what string) error {
	err := json.Unmarshal(ev.Data, v)
	switch {
	case err != nil && !ev.Complete:
		return io.ErrUnexpectedEOF
	case err != nil:
		return &malformedError{fmt.Sprintf("event %q is not %s: %v", httpapi.OneLine(string(ev.Data)), what, err)}
	}
	return nil
}

// chunk is what is read of a streamed chat completion, and of one that comes as a single
// document.
type chunk struct {
	ID      string          `json:"id"`
	Model   string          `json:"model"`
	Choices []choice        `json:"choices"`
	Usage   *usage          `json:"usage"`
	Error   json.RawMessage `json:"error"`
}

type choice struct {
	Delta        delta  `json:"delta"`
	FinishReason string `json:"finish_reason"`
}

type delta struct {
	Content          text     `json:"content"`
	ReasoningContent text     `json:"reasoning_content"` // exo 1.x, vLLM, llama.cpp
	Reasoning        text     `json:"reasoning"`         // Ollama, later vLLM
	ToolCalls        anything `json:"tool_calls"`
}

type usage struct {
	PromptTokens        int `json:"prompt_tokens"`
	CompletionTokens    int `json:"completion_tokens"`
	PromptTokensDetails struct {
		CachedTokens int `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
}

// event tells what the chunk with the given text is. A chunk that carries nothing but usage has
// no choice.
func (c *chunk) event(b []byte) answer.Event {
	ev := answer.Event{ID: c.ID, Model: c.Model}
	if len(c.Error) > 0 && !bytes.Equal(c.Error, []byte("null")) {
		ev.Error = httpapi.ErrorMessage(b)
	}
	if len(c.Choices) > 0 {
		d := c.Choices[0].Delta
		ev.Finish = c.Choices[0].FinishReason
		ev.Delta = answer.Delta{
			Content: answer.Text(d.Content),
			Thought: answer.Text(max(d.ReasoningContent, d.Reasoning)),
			Tool:    bool(d.ToolCalls),
		}
	}
	if u := c.Usage; u != nil {
		ev.Usage = answer.Usage{Prompt: u.PromptTokens, Completion: u.CompletionTokens, Cached: max(0, u.PromptTokensDetails.CachedTokens)}
	}
	return ev
}

// text tells what a JSON value holds without keeping it.
type text answer.Text

var errNotText = errors.New("content is not a string")

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	switch {
	case string(b) == "null":
		*t = text(answer.Absent)
	case string(b) == `""`:
		*t = text(answer.Empty)
	case b[0] == '"':
		*t = text(answer.Filled)
	default:
		return errNotText
	}
	return nil
}

// anything tells whether a JSON value is an array with something in it.
type anything bool

// UnmarshalJSON implements json.Unmarshaler.
func (l *anything) UnmarshalJSON(b []byte) error {
	*l = b[0] == '[' && len(bytes.TrimSpace(b[1:len(b)-1])) > 0
	return nil
}
