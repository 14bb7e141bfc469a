package exo

import (
	"bytes"
	"encoding/json"
	"errors"

	"exo-bench-exporter/workload"
)

// chunk is what is read of a streamed chat completion, and of one that comes as a single
// document. The text itself is never kept.
type chunk struct {
	ID      string          `json:"id"`
	Model   string          `json:"model"`
	Choices []choice        `json:"choices"`
	Usage   *usage          `json:"usage"`
	Error   json.RawMessage `json:"error"`

	// Only in the document of exo's /bench.
	Stats *genStats   `json:"generation_stats"`
	Power *powerUsage `json:"power_usage"`
}

type choice struct {
	Delta        delta  `json:"delta"`
	FinishReason string `json:"finish_reason"`
}

type delta struct {
	Content          text `json:"content"`
	ReasoningContent text `json:"reasoning_content"` // exo 1.x, vLLM, llama.cpp
	Reasoning        text `json:"reasoning"`         // Ollama, later vLLM
	ToolCalls        list `json:"tool_calls"`
}

// failed reports whether the chunk carries an error instead of tokens.
func (c *chunk) failed() bool { return len(c.Error) > 0 && !bytes.Equal(c.Error, []byte("null")) }

// choice returns the only choice, or an empty one: a chunk that carries nothing but usage
// has none.
func (c *chunk) choice() choice {
	if len(c.Choices) == 0 {
		return choice{}
	}
	return c.Choices[0]
}

// token tells whether the delta makes its event a token event in dialect d, and whether the
// token belongs to the answer proper rather than to what precedes it: an empty content beside
// a thought is the thought's.
//
// Both exo generations send one event per token, so a present but empty string is a token
// whose bytes are still pending. Elsewhere an empty string only accompanies the role or the
// finish_reason. A tool call, though nothing offers tools, is output like reasoning is: left
// out, its tokens would count without their time.
func (e delta) token(d workload.Dialect) (token, content bool) {
	least := filled
	if d != workload.DialectOpenAI {
		least = empty
	}
	thought := e.ReasoningContent >= least || e.Reasoning >= least
	content = e.Content == filled || e.Content >= least && !thought
	return content || thought || bool(e.ToolCalls), content
}

// text tells what a JSON value holds without keeping it.
type text uint8

const (
	absent text = iota // missing or null
	empty              // ""
	filled             // a string with something in it
)

var errNotText = errors.New("content is not a string")

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	switch {
	case string(b) == "null":
		*t = absent
	case string(b) == `""`:
		*t = empty
	case b[0] == '"':
		*t = filled
	default:
		return errNotText
	}
	return nil
}

// list tells whether a JSON value is an array with something in it.
type list bool

// UnmarshalJSON implements json.Unmarshaler.
func (l *list) UnmarshalJSON(b []byte) error {
	*l = b[0] == '[' && len(bytes.TrimSpace(b[1:len(b)-1])) > 0
	return nil
}

type usage struct {
	PromptTokens        int            `json:"prompt_tokens"`
	CompletionTokens    int            `json:"completion_tokens"`
	PromptTokensDetails *promptDetails `json:"prompt_tokens_details"`
}

type promptDetails struct {
	CachedTokens int `json:"cached_tokens"`
}

// genStats is exo's generation_stats, in both of its spellings.
type genStats struct {
	PromptTPS        float64 `json:"prompt_tps"`
	GenerationTPS    float64 `json:"generation_tps"`
	PromptTokens     int     `json:"prompt_tokens"`
	GenerationTokens int     `json:"generation_tokens"`
	PeakMemory       memory  `json:"peak_memory_usage"`
	PrefixCacheHit   string  `json:"prefix_cache_hit"`
}

func (s *genStats) server() *workload.ServerStats {
	return &workload.ServerStats{
		PromptTPS: s.PromptTPS, GenerationTPS: s.GenerationTPS,
		PromptTokens: s.PromptTokens, GenerationTokens: s.GenerationTokens,
		PeakMemoryBytes: s.PeakMemory.bytes(), PrefixCacheHit: s.PrefixCacheHit,
	}
}

// memory is exo's amount of memory: snake_case inside a stream, camelCase in a document.
type memory struct {
	Snake *float64 `json:"in_bytes"`
	Camel *float64 `json:"inBytes"`
}

func (m memory) bytes() uint64 {
	for _, v := range []*float64{m.Snake, m.Camel} {
		if v != nil && *v > 0 {
			return uint64(*v)
		}
	}
	return 0
}

type powerUsage struct {
	TotalEnergyJoules float64 `json:"total_energy_joules"`
}

// keepAlive is the comment with which exo 1.x (since v1.0.70) opens a stream as soon as it has
// handed the request on to its master, and which it repeats in silence.
const keepAlive = "keep-alive"

// comment reads exo's `: generation_stats {…}`; nil for every other comment and for one that
// cannot be read: exo's own figures are a bonus, never a reason to fail.
func comment(b []byte) *genStats {
	doc, ok := bytes.CutPrefix(b, []byte("generation_stats "))
	if !ok {
		return nil
	}
	var s genStats
	if json.Unmarshal(doc, &s) != nil {
		return nil
	}
	return &s
}
