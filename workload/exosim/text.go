package exosim

import (
	"hash/fnv"
	"strings"
)

// Tokens of a chat template round the messages: those at its very start are common to all
// prompts, so that exo's prefix cache finds them again even under a nonce.
const (
	templateHead       = 5
	templatePerMessage = 5
	bytesPerToken      = 4
)

// prompt is a conversation as the model gets it.
type prompt struct {
	text   string
	tokens int
}

func newPrompt(messages []chatMessage) prompt {
	var b strings.Builder
	tokens := templateHead
	for _, m := range messages {
		b.WriteString(m.Role)
		b.WriteString("\n")
		b.WriteString(m.Content)
		b.WriteString("\n")
		tokens += templatePerMessage + (len(m.Content)+bytesPerToken-1)/bytesPerToken
	}
	return prompt{text: b.String(), tokens: tokens}
}

// commonTokens returns how many tokens p and q begin with in common.
func (p prompt) commonTokens(q prompt) int {
	n := 0
	for n < len(p.text) && n < len(q.text) && p.text[n] == q.text[n] {
		n++
	}
	return min(templateHead+n/bytesPerToken, p.tokens, q.tokens)
}

// naturalLength returns after how many tokens the model would end its answer by itself.
func (p prompt) naturalLength() int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(p.text))
	return 150 + int(h.Sum32()%751)
}

// words are what the model says, one a token. The empty one is a token whose bytes do not
// make a character yet: the next one brings it.
var words = []string{
	"The", " answer", " is", " that", " every", " step", " of", " the", " work", " can",
	" be", " done", " in", " one", " pass", ",", " and", " so", " on", ".", "\n", " First",
	" we", " look", " at", " all", " parts", ",", " then", " at", " how", " they", " fit",
	" together", " —", "", " né", "e", " \"", "quoted", "\"", " <", "b", ">", " &", " more", ".",
}

// wordAt returns the i-th token of an answer.
func wordAt(i int) string { return words[i%len(words)] }

// token is one generated token.
type token struct {
	text      string
	reasoning bool
	swallowed bool   // generated, but never sent: the end of thinking
	finish    string // "stop" or "length" on the last token
}

// answer knows the tokens of one answer.
type answer struct {
	length int    // tokens, the end-of-sequence token included
	finish string // of the last token
	thinks int    // leading tokens that are reasoning; the next one is swallowed
	eos    string // text of the end-of-sequence token
}

// newAnswer returns an answer of natural length, but of at most limit tokens. When exact
// is set the end-of-sequence token is banned and nothing is parsed, as on /bench.
func newAnswer(p *Profile, natural, limit int, exact bool) answer {
	a := answer{length: limit, finish: "length"}
	if exact {
		return a
	}
	if natural <= limit {
		a.length, a.finish = natural, "stop"
	}
	if p.Thinks {
		a.thinks = natural * 2 / 3
	}
	return a
}

// at returns the i-th token, counting from 0.
func (a answer) at(i int) token {
	t := token{text: wordAt(i)}
	switch {
	case i < a.thinks:
		t.reasoning = true
	case i == a.thinks && a.thinks > 0 && i < a.length-1:
		return token{swallowed: true}
	}
	if i == a.length-1 {
		t.finish = a.finish
		if a.finish == "stop" {
			t.text, t.reasoning = a.eos, false
		}
	}
	return t
}
