package exo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"exo-bench-exporter/workload/exo/answer"
	"exo-bench-exporter/workload/exo/httpapi"
	"exo-bench-exporter/workload/exo/sse"
)

// pathV1 is the route of OpenAI's chat completions.
const pathV1 = "/v1/chat/completions"

// malformedError is an event that is none of its dialect.
type malformedError struct{ text string }

func (e *malformedError) Error() string { return e.text }

// chatEvents decodes a streamed chat completion.
type chatEvents struct {
	events *sse.Decoder
	// comment reads what a comment tells into ev; ok is false when that is nothing. It may be nil.
	comment func(text []byte, ev *answer.Event) (ok bool)
	numbers numbering
}

// numbering tells which choices of a stream are the answer. One was asked for, which is number 0, and
// what more there is goes beside it; but servers that never send a 0 count something else by it, the
// tokens or from 1 on.
type numbering struct{ zero bool }

func (n *numbering) answers(number answer.Count) bool {
	n.zero = n.zero || number <= 0
	return number <= 0 || !n.zero
}

// Next implements eventReader.
func (s *chatEvents) Next() (answer.Event, error) {
	for {
		ev, err := s.events.Next()
		if err != nil {
			return answer.Event{}, err
		}
		out := answer.Event{}
		switch {
		case ev.Kind == sse.Comment:
			if s.comment == nil || !s.comment(ev.Data, &out) {
				continue
			}
		case ev.Kind == sse.Fault:
			out.Error = errorWords(ev.Data)
		case ev.Kind == sse.Bare:
			if out.Error = bareError(ev.Data); out.Error == "" {
				continue
			}
		case isDone(ev.Data):
			out.End = true
		case idle(ev.Data):
			continue
		case string(ev.Type) == "error":
			out.Error = errorWords(ev.Data)
		default:
			var c chunk
			if err := unmarshalEvent(ev, &c, "a chunk of a chat completion"); err != nil {
				if foreignType(ev) && ev.Complete {
					continue
				}
				return out, err
			}
			out = c.event(ev.Data, &s.numbers)
		}
		out.At, out.Read = ev.Time, ev.Read
		return out, nil
	}
}

// bareError returns the words of an error that stands in a stream as a document by itself, as what
// fails behind a server's back writes it; empty where the document is none.
func bareError(b []byte) string {
	var c chunk
	if json.Unmarshal(b, &c) != nil {
		return ""
	}
	return c.event(b, &numbering{}).Error
}

// foreignType reports whether an event is of a type of its own, as pings are.
func foreignType(ev sse.Event) bool { return len(ev.Type) > 0 && string(ev.Type) != "message" }

// idle reports whether the data of an event is nothing but a sign of life.
func idle(data []byte) bool {
	if scalar := bytes.TrimSpace(data); json.Valid(scalar) && scalar[0] != '{' && scalar[0] != '[' {
		return true // true, 0 or the time
	}
	const longest = 16
	word := bytes.Trim(data, " \t\"':-[]")
	if len(word) > longest {
		return false
	}
	switch strings.ToLower(string(word)) {
	case "", "ping", "pong", "heartbeat", "keepalive", "keep-alive", "null":
		return true
	}
	return false
}

func isDone(data []byte) bool {
	return bytes.EqualFold(bytes.Trim(data, " \t\""), []byte("[DONE]"))
}

// unmarshalEvent reads the JSON of an event that ought to be what.
func unmarshalEvent(ev sse.Event, v any, what string) error {
	err := json.Unmarshal(ev.Data, v)
	switch {
	case err != nil && !ev.Complete:
		return io.ErrUnexpectedEOF
	case err != nil:
		return &malformedError{fmt.Sprintf("an event of %d bytes is not %s: %s", len(ev.Data), what, unquoted(err))}
	}
	return nil
}

// chunk is what is read of a streamed chat completion, and of one that comes as a single
// document. Servers put their own figures and the usage where they like.
type chunk struct {
	ID          word       `json:"id"`
	Model       word       `json:"model"`
	Object      word       `json:"object"`
	Fingerprint word       `json:"system_fingerprint"`
	Choices     []choice   `json:"choices"`
	Usage       opt[usage] `json:"usage"`
	Error       fault      `json:"error"`
	faults

	Timings  opt[timings]  `json:"timings"` // llama.cpp
	Stats    opt[lmStats]  `json:"stats"`   // LM Studio
	TimeInfo opt[timeInfo] `json:"time_info"`
	Groq     opt[struct {
		Usage opt[usage] `json:"usage"`
		Error word       `json:"error"`
	}] `json:"x_groq"`
}

// faults are the keys by which an error without a key of its own is known.
type faults struct {
	Message      word  `json:"message"`
	Msg          word  `json:"msg"`
	ErrorMessage word  `json:"error_message"`
	ErrorMsg     word  `json:"error_msg"`
	Detail       fault `json:"detail"`
	Errors       fault `json:"errors"`
}

func (f faults) any() bool {
	return f.Message != "" || f.Msg != "" || f.ErrorMessage != "" || f.ErrorMsg != "" || f.Detail.set || f.Errors.set
}

type choice struct {
	Index        answer.Count `json:"index"`
	Delta        delta        `json:"delta"`
	Message      opt[delta]   `json:"message"` // in the place of deltas, in one document
	FinishReason word         `json:"finish_reason"`
	Usage        opt[usage]   `json:"usage"` // Moonshot
	Error        fault        `json:"error"`
}

// event tells what the chunk with the given text is. A chunk that carries nothing but usage has
// no choice.
func (c *chunk) event(b []byte, numbers *numbering) answer.Event {
	ev := answer.Event{ID: string(c.ID), Model: string(c.Model), Engine: llamaBuild(string(c.Fingerprint))}
	nameless := len(c.Choices) == 0 && c.faults.any()
	failed := slices.ContainsFunc(c.Choices, func(ch choice) bool { return ch.FinishReason == "error" || ch.Error.set })
	switch {
	case c.Error.set, c.Object == "error", nameless, failed:
		ev.Error = errorWords(b)
	case c.Groq.V.Error != "":
		ev.Error = httpapi.OneLine(string(c.Groq.V.Error))
	}
	usages := []usage{c.Usage.V, c.Groq.V.Usage.V}
	for _, ch := range c.Choices {
		usages = append(usages, ch.Usage.V)
		if numbers.answers(ch.Index) {
			ev.Finish = reason(ch.FinishReason)
			ev.Delta = ch.Delta.delta()
		}
	}
	if !slices.ContainsFunc(usages, usage.counts) && bytes.Contains(b, []byte(`"completion_tokens"`)) {
		usages = append(usages, usageWithin(b))
	}
	for _, u := range usages {
		if u.counts() {
			ev.Usage, ev.Stats = u.usage(), u.stats()
		}
	}
	for _, s := range []answer.Stats{c.Timings.V.stats(), c.Stats.V.stats(), c.TimeInfo.V.stats(ev.Usage)} {
		if s != (answer.Stats{}) {
			ev.Stats = s
		}
	}
	return ev
}

// whole returns the text of an answer that is one document, as that of no token.
func (c *chunk) whole() answer.Delta {
	if len(c.Choices) == 0 {
		return answer.Delta{}
	}
	d := c.Choices[0].Message.V.delta()
	return answer.Delta{Words: d.Words, ThoughtWords: d.ThoughtWords}
}

// reason returns a finish_reason; empty for the word by which some servers say that there is none yet.
func reason(w word) string {
	switch w {
	case "null", "none", "None":
		return ""
	}
	return string(w)
}

// llamaBuild names llama.cpp by the fingerprint that its server gives, such as b5921-6b56a64e.
// Other fingerprints change from answer to answer and tell nothing.
func llamaBuild(fingerprint string) string {
	build, commit, ok := strings.Cut(fingerprint, "-")
	digits, isBuild := strings.CutPrefix(build, "b")
	if !ok || !isBuild || digits == "" || strings.Trim(digits, "0123456789") != "" || strings.Trim(commit, "0123456789abcdef") != "" {
		return ""
	}
	return "llama.cpp " + build
}
