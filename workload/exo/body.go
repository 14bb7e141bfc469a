package exo

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"exo-bench-exporter/workload"
)

type chatRequest struct {
	Model         string             `json:"model"`
	Messages      []workload.Message `json:"messages"`
	MaxTokens     int                `json:"max_tokens,omitempty"`
	Completion    int                `json:"max_completion_tokens,omitempty"`
	Temperature   *float64           `json:"temperature,omitempty"`
	Seed          *int               `json:"seed,omitempty"`
	Stream        bool               `json:"stream"`
	StreamOptions *streamOptions     `json:"stream_options,omitempty"`
	IgnoreEOS     bool               `json:"ignore_eos,omitempty"` // llama.cpp, vLLM, SGLang
	MinTokens     int                `json:"min_tokens,omitempty"` // vLLM
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

// chatBody builds the body of a chat completion.
func chatBody(id string, r workload.Request) *chatRequest {
	return &chatRequest{
		Model: id, Messages: r.Prompt.Messages, MaxTokens: r.Prompt.MaxTokens,
		Temperature: &r.Temperature, Seed: &r.Seed, Stream: true,
	}
}

// withNonce returns r with nonce at the very start of its prompt.
func withNonce(r workload.Request, nonce string) workload.Request {
	if len(r.Prompt.Messages) > 0 {
		r.Prompt.Messages = slices.Clone(r.Prompt.Messages)
		r.Prompt.Messages[0].Content = nonce + "\n" + r.Prompt.Messages[0].Content
	}
	return r
}

// nonces makes prompts that no prefix cache has seen. A nonce is nine decimal digits, always:
// Llama 3's tokenizer takes digits by threes, Mistral's and Qwen's (which the R1 distill
// shares) one by one, so every nonce costs one model the same number of tokens and prompts
// stay of constant length.
type nonces struct{ n atomic.Uint64 }

const (
	nonceFirst = 100_000_000 // the least number of nine digits
	nonceCount = 900_000_000
	// nonceStep has no factor in common with nonceCount, so that no nonce comes twice before
	// all have come once, and is large, so that successive ones differ in their first digits.
	nonceStep = 556_230_587
)

func newNonces() *nonces {
	ns := &nonces{}
	ns.n.Store(rand.Uint64N(nonceCount))
	return ns
}

func (ns *nonces) next() string {
	return fmt.Sprintf("%09d", nonceFirst+ns.n.Add(nonceStep)%nonceCount)
}
