package wire

import (
	"bytes"
	"fmt"
	"net/http"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"exo-bench-exporter/workload/exosim/pace"
)

// LegacyAnswer is a chunk or a whole answer of legacy exo.
type LegacyAnswer struct {
	ID                string         `json:"id"`
	Object            string         `json:"object"`
	Created           int64          `json:"created"`
	Model             string         `json:"model"`
	SystemFingerprint string         `json:"system_fingerprint"`
	Choices           []legacyChoice `json:"choices"`
	Usage             *LegacyUsage   `json:"usage,omitempty"` // of a whole answer
}

type legacyChoice struct {
	Index        int           `json:"index"`
	Message      pace.Message  `json:"message"`
	Logprobs     any           `json:"logprobs"`
	FinishReason *string       `json:"finish_reason"`
	Delta        *pace.Message `json:"delta,omitempty"` // of a chunk
}

// LegacyUsage counts the tokens of a whole answer.
type LegacyUsage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

// NewLegacyAnswer returns a whole answer of legacy exo, but for its usage.
func NewLegacyAnswer(id, model, content, finish string) LegacyAnswer {
	a := LegacyAnswer{
		ID: id, Object: "chat.completion", Created: time.Now().Unix(), Model: model,
		SystemFingerprint: "exo_0.0.1",
		Choices:           []legacyChoice{{Message: pace.Message{Role: "assistant", Content: content}}},
	}
	if finish != "" {
		a.Choices[0].FinishReason = &finish
	}
	return a
}

// LegacyChunk returns a chunk of legacy exo.
func LegacyChunk(id, model string, t pace.Token) LegacyAnswer {
	text := t.Text
	if text == "" { // decoded one by one, the bytes of a broken character become U+FFFD
		text = string(utf8.RuneError)
	}
	a := NewLegacyAnswer(id, model, text, t.Finish)
	a.Choices[0].Delta = &a.Choices[0].Message
	return a
}

// PythonJSON encodes v the way Python's json.dumps does by default: a space after commas
// and colons, and nothing but ASCII.
func PythonJSON(v any) []byte {
	var out bytes.Buffer
	inString, escaped := false, false
	for _, r := range string(Encode(v)) {
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

// WritePython answers with v as aiohttp writes it.
func WritePython(w http.ResponseWriter, status int, v any) {
	WriteBody(w, status, "application/json; charset=utf-8", PythonJSON(v))
}
