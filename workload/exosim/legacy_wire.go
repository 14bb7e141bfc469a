package exosim

import (
	"bytes"
	"fmt"
	"net/http"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// legacyAnswer is a chunk or a whole answer of legacy exo.
type legacyAnswer struct {
	ID                string         `json:"id"`
	Object            string         `json:"object"`
	Created           int64          `json:"created"`
	Model             string         `json:"model"`
	SystemFingerprint string         `json:"system_fingerprint"`
	Choices           []legacyChoice `json:"choices"`
	Usage             *legacyUsage   `json:"usage,omitempty"` // of a whole answer
}

type legacyChoice struct {
	Index        int            `json:"index"`
	Message      legacyMessage  `json:"message"`
	Logprobs     any            `json:"logprobs"`
	FinishReason *string        `json:"finish_reason"`
	Delta        *legacyMessage `json:"delta,omitempty"` // of a chunk
}

type legacyMessage struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type legacyUsage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

func newLegacyAnswer(g *generation, content, finish string) legacyAnswer {
	a := legacyAnswer{
		ID: g.truth.ID, Object: "chat.completion", Created: time.Now().Unix(), Model: g.truth.Model,
		SystemFingerprint: "exo_0.0.1",
		Choices:           []legacyChoice{{Message: legacyMessage{"assistant", content}}},
	}
	if finish != "" {
		a.Choices[0].FinishReason = &finish
	}
	return a
}

func legacyChunk(g *generation, t token) legacyAnswer {
	text := t.text
	if text == "" { // decoded one by one, the bytes of a broken character become U+FFFD
		text = string(utf8.RuneError)
	}
	a := newLegacyAnswer(g, text, t.finish)
	a.Choices[0].Delta = &a.Choices[0].Message
	return a
}

// pythonJSON encodes v the way Python's json.dumps does by default: a space after commas
// and colons, and nothing but ASCII.
func pythonJSON(v any) []byte {
	var out bytes.Buffer
	inString, escaped := false, false
	for _, r := range string(encode(v)) {
		switch {
		case r >= utf8.RuneSelf:
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&out, `\u%04x`, unit)
			}
			continue
		case escaped:
			escaped = false
		case r == '\\':
			escaped = inString
		case r == '"':
			inString = !inString
		}
		out.WriteRune(r)
		if !inString && (r == ',' || r == ':') {
			out.WriteByte(' ')
		}
	}
	return out.Bytes()
}

func writePython(w http.ResponseWriter, status int, v any) {
	writeBody(w, status, "application/json; charset=utf-8", pythonJSON(v))
}
