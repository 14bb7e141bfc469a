package exo

import (
	"bytes"
	"encoding/json"
	"errors"
	"hash/maphash"
	"maps"
	"slices"

	"exo-bench-exporter/workload/exo/answer"
	"exo-bench-exporter/workload/exo/foreign"
)

// delta is what a chunk adds to the answer. Thoughts go by many names.
type delta struct {
	Content          content  `json:"content"`
	Refusal          text     `json:"refusal"`
	ReasoningContent text     `json:"reasoning_content"` // exo 1.x, vLLM, llama.cpp
	Reasoning        text     `json:"reasoning"`         // Ollama, later vLLM, OpenRouter
	Thinking         text     `json:"thinking"`
	Details          parts    `json:"reasoning_details"` // OpenRouter
	Blocks           parts    `json:"thinking_blocks"`   // LiteLLM
	ToolCalls        anything `json:"tool_calls"`
	FunctionCall     anything `json:"function_call"`
}

func (d delta) delta() answer.Delta {
	thought := d.Content.thought
	for _, t := range []text{d.ReasoningContent, d.Reasoning, d.Thinking, text(d.Details), text(d.Blocks)} {
		if t.size > thought.size || t.holds > thought.holds {
			thought = t
		}
	}
	said := d.Content.said
	if d.Refusal.holds == answer.Filled {
		said.holds = answer.Filled
	}
	return answer.Delta{
		Words: said.words.Join(d.Refusal.words), ThoughtWords: thought.words,
		Content: said.holds, Thought: thought.holds, Tool: d.ToolCalls.set || d.FunctionCall.set,
		Size:  said.size + d.Refusal.size + thought.size + d.ToolCalls.size + d.FunctionCall.size,
		Cut:   said.cut | d.Refusal.cut | thought.cut,
		Print: said.print ^ d.Refusal.print ^ thought.print ^ d.ToolCalls.print ^ d.FunctionCall.print,
	}
}

// text tells what a JSON value holds.
type text struct {
	holds answer.Text
	size  int // bytes
	cut   answer.Cut
	print uint64 // see printOf
	words answer.Words
}

// printSeed makes prints of this process such that nobody can tell a text by its print.
var printSeed = maphash.MakeSeed()

// printOf returns a number by which texts can be told apart.
func printOf(b []byte) uint64 { return maphash.Bytes(printSeed, b) | 1 }

var errNotText = errors.New("content is not a string")

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	switch {
	case string(b) == "null":
		*t = text{}
	case string(b) == `""`:
		*t = text{holds: answer.Empty, print: printOf(b)}
	case b[0] == '"':
		*t = text{holds: answer.Filled, size: decoded(b[1 : len(b)-1]), cut: cutOf(b[1 : len(b)-1]), print: printOf(b)}
		var s string
		if json.Unmarshal(b, &s) == nil {
			t.words = answer.NewWords(s)
		}
	default:
		return errNotText
	}
	return nil
}

// cutOf tells where the inside of a JSON string begins and ends among words.
func cutOf(b []byte) (cut answer.Cut) {
	if string(b) == " " {
		return answer.Space
	}
	if asciiLetter(b[0]) {
		cut = answer.Letter
	}
	words, before := false, byte(' ')
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '\\' {
			i++
			c = unescaped(b[i])
			if b[i] == 'u' {
				i += len("0000")
			}
		}
		switch {
		case c == ' ':
		case before == ' ' && words, asciiLetter(before) && bytes.IndexByte(stops, c) >= 0:
			cut |= answer.Between
		default:
			words = true
		}
		before = c
	}
	if asciiLetter(before) {
		cut |= answer.Open
	}
	return cut
}

// stops are what ends a word and is a token of its own.
var stops = []byte(".,;:!?")

func asciiLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// unescaped returns a space for an escape of one, and what is none for any other.
func unescaped(c byte) byte {
	switch c {
	case 'n', 't', 'r':
		return ' '
	}
	return '\\'
}

// decoded returns about how many bytes the inside of a JSON string stands for.
func decoded(b []byte) int {
	n := len(b)
	for i := 0; i < len(b)-1; i++ {
		if b[i] != '\\' {
			continue
		}
		i++
		n--
		if b[i] == 'u' {
			n -= 2 // a character of three bytes, for six
		}
	}
	return n
}

// add joins another piece of text to t.
func (t *text) add(more text) {
	t.holds, t.size, t.cut, t.print = max(t.holds, more.holds), t.size+more.size, t.cut|more.cut, t.print^more.print
	t.words = t.words.Join(more.words)
}

// content is a text, or a list of parts of which some may be thoughts (Mistral).
type content struct{ said, thought text }

// UnmarshalJSON implements json.Unmarshaler.
func (c *content) UnmarshalJSON(b []byte) error {
	if b[0] != '[' {
		return c.said.UnmarshalJSON(b)
	}
	var list []struct {
		Text     opt[text]  `json:"text"`
		Refusal  opt[text]  `json:"refusal"`
		Thinking opt[parts] `json:"thinking"`
	}
	if json.Unmarshal(b, &list) != nil {
		return errNotText
	}
	for _, p := range list {
		c.said.add(p.Text.V)
		c.said.add(p.Refusal.V)
		c.thought.add(text(p.Thinking.V))
	}
	return nil
}

// parts is the text of a list of pieces, or a text.
type parts text

// UnmarshalJSON implements json.Unmarshaler.
func (p *parts) UnmarshalJSON(b []byte) error {
	var all text
	if b[0] != '[' {
		_ = all.UnmarshalJSON(b) // what is no text has none
		*p = parts(all)
		return nil
	}
	var list []struct {
		Text     opt[text] `json:"text"`
		Summary  opt[text] `json:"summary"`
		Thinking opt[text] `json:"thinking"`
		Data     opt[text] `json:"data"`
	}
	if json.Unmarshal(b, &list) == nil {
		for _, e := range list {
			all.add(e.Text.V)
			all.add(e.Summary.V)
			all.add(e.Thinking.V)
			all.add(e.Data.V)
		}
	}
	*p = parts(all)
	return nil
}

// anything tells whether a JSON value is a list or an object with something in it.
type anything struct {
	set   bool
	size  int    // bytes
	print uint64 // see printOf
}

// UnmarshalJSON implements json.Unmarshaler.
func (a *anything) UnmarshalJSON(b []byte) error {
	a.set = (b[0] == '[' || b[0] == '{') && len(bytes.TrimSpace(b[1:len(b)-1])) > 0
	if a.set {
		a.size, a.print = len(b), printOf(b)
	}
	return nil
}

// fault tells whether a JSON value is an error: an empty one is none.
type fault struct{ set bool }

// UnmarshalJSON implements json.Unmarshaler.
func (f *fault) UnmarshalJSON(b []byte) error {
	f.set = !hollow(b)
	return nil
}

// hollow reports whether a JSON value holds nothing: null, "", 0, false, and what holds only such.
func hollow(b []byte) bool {
	var object map[string]json.RawMessage
	var list []json.RawMessage
	switch {
	case json.Unmarshal(b, &object) == nil:
		list = slices.Collect(maps.Values(object))
	case json.Unmarshal(b, &list) == nil:
	default:
		switch string(b) {
		case `""`, "false", "0":
			return true
		}
		return false
	}
	return !slices.ContainsFunc(list, func(inner json.RawMessage) bool { return !hollow(inner) })
}

// word is a string, and empty where something else stands.
type word string

// UnmarshalJSON implements json.Unmarshaler.
func (w *word) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) != nil {
		s = ""
	}
	*w = word(foreign.Cut(s, longestWord))
	return nil
}

// longestWord is how many bytes are kept of a word; no id or name is longer.
const longestWord = 512

// opt is a value that is passed over where something of another kind stands.
type opt[T any] struct{ V T }

// UnmarshalJSON implements json.Unmarshaler.
func (o *opt[T]) UnmarshalJSON(b []byte) error {
	var v T
	if json.Unmarshal(b, &v) == nil {
		o.V = v
	}
	return nil
}
