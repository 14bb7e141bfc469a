package exo

import (
	"strings"

	"exo-bench-exporter/workload"
)

// From how many bytes on a piece of a secret is kept from what is shown. A few words of a prompt
// may stand in anybody's mouth, ours too.
const (
	pieceOfKey    = 12
	pieceOfPrompt = 16
)

// redact returns text without the pieces of secrets, of so many bytes at least, that it holds: a node
// may repeat in its errors the key that it was sent, or the prompt, whole or cut off.
func redact(text string, pieceLength int, secrets ...string) string {
	pieces := map[string]bool{}
	for _, s := range secrets {
		s = strings.Join(strings.Fields(s), " ")
		n := min(pieceLength, len(s))
		for i := 0; n > 0 && i+n <= len(s); i++ {
			pieces[s[i:i+n]] = true
		}
		if n > 0 && n < pieceLength {
			text = strings.ReplaceAll(text, s, "<redacted>")
		}
	}
	var out strings.Builder
	kept := 0 // of text is written out before it
	for i := 0; i+pieceLength <= len(text); i++ {
		if !pieces[text[i:i+pieceLength]] {
			continue
		}
		end := i + pieceLength
		for end < len(text) && pieces[text[end-pieceLength+1:end+1]] {
			end++
		}
		out.WriteString(text[kept:i])
		out.WriteString("<redacted>")
		kept, i = end, end-1
	}
	out.WriteString(text[kept:])
	return strings.ToValidUTF8(out.String(), "\uFFFD")
}

// redacted returns what may be shown of words that a node said about r.
func (c *Client) redacted(text string, r workload.Request) string {
	var prompts []string
	for _, m := range r.Prompt.Messages {
		prompts = append(prompts, m.Content)
	}
	return redact(redact(text, pieceOfKey, c.opts.APIKey), pieceOfPrompt, prompts...)
}
