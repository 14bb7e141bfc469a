package workload

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Message is one message of a prompt, as the chat completions API takes it.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// Prompt is one fixed task of a suite.
type Prompt struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind"`
	MaxTokens int       `json:"max_tokens"`
	Messages  []Message `json:"messages"`
}

// Texts returns the content of every message.
func (p Prompt) Texts() []string {
	all := make([]string, 0, len(p.Messages))
	for _, m := range p.Messages {
		all = append(all, m.Content)
	}
	return all
}

// Suite is a versioned, fixed set of prompts with the parameters they are sent with.
type Suite struct {
	Version     string   `json:"version"`
	Temperature float64  `json:"temperature"`
	Seed        int      `json:"seed"`
	Prompts     []Prompt `json:"prompts"`
}

// Texts returns the content of every message of every prompt.
func (s Suite) Texts() []string {
	var all []string
	for _, p := range s.Prompts {
		all = append(all, p.Texts()...)
	}
	return all
}

// SHA256 returns the hex SHA-256 of the suite's canonical form: its JSON with the fields in
// the order in which Suite, Prompt and Message declare them, no white space, and no HTML
// escaping beyond encoding/json's own. Two suites with equal hashes are the same workload.
func (s Suite) SHA256() string {
	canonical, err := json.Marshal(s)
	if err != nil { // only a NaN or infinite temperature could, and Parse refuses those
		panic("workload: suite cannot be encoded: " + err.Error())
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:])
}
