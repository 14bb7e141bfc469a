package pace

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

// Message is one part of a conversation.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// Prompt is a conversation as the model gets it.
type Prompt struct {
	Text   string
	Tokens int
}

// NewPrompt returns the messages in the model's template.
func NewPrompt(messages []Message) Prompt {
	var b strings.Builder
	tokens := templateHead
	for _, m := range messages {
		b.WriteString(m.Role)
		b.WriteString("\n")
		b.WriteString(m.Content)
		b.WriteString("\n")
		tokens += templatePerMessage + (len(m.Content)+bytesPerToken-1)/bytesPerToken
	}
	return Prompt{Text: b.String(), Tokens: tokens}
}

// CommonTokens returns how many tokens p and q begin with in common.
func (p Prompt) CommonTokens(q Prompt) int {
	n := 0
	for n < len(p.Text) && n < len(q.Text) && p.Text[n] == q.Text[n] {
		n++
	}
	return min(templateHead+n/bytesPerToken, p.Tokens, q.Tokens)
}

// seed returns a number that the prompt alone decides.
func (p Prompt) seed() uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(p.Text))
	return h.Sum32()
}

// NaturalLength returns after how many tokens the model would end its answer by itself.
func (p Prompt) NaturalLength() int {
	return 150 + int(p.seed()%751)
}

// words are what the model says, one a token. The empty one is a token whose bytes do not
// make a character yet: the next one brings it.
var words = []string{
	"The", " answer", " is", " that", " every", " step", " of", " the", " work", " can",
	" be", " done", " in", " one", " pass", ",", " and", " so", " on", ".", "\n", " First",
	" we", " look", " at", " all", " parts", ",", " then", " at", " how", " they", " fit",
	" together", " —", "", " né", "e", " \"", "quoted", "\"", " <", "b", ">", " &", " more", ".",
}

// order returns for the n-th round of words in which order they come: in their own first, then in another one each time, so that
// an answer does not say the same again and again. It depends on the prompt alone.
func order(seed uint32, n int) (first, step int) {
	if n == 0 {
		return 0, 1
	}
	mixed := (uint64(seed) + uint64(n)) * 0x9e3779b97f4a7c15
	return int(mixed >> 40 % uint64(len(words))), 1 + int(mixed>>8%uint64(len(words)-1))
}

// wordAt returns the i-th token of an answer. The number of words is prime, so that a round has each of them once.
func wordAt(seed uint32, i int) string {
	first, step := order(seed, i/len(words))
	return words[(first+i%len(words)*step)%len(words)]
}

// noise is what a broken model says: fragments in any script.
var noise = []string{"ξω", " штаб", "許可", "##", " ال", "뷔", "};", " Дa", "ตร", "\u0001", "λο", "認", " ქა", "!!", "ны"}

// noiseAt returns the i-th token of a gibberish answer.
func noiseAt(i int) string { return noise[i*7%len(noise)] }

// Token is one generated token.
type Token struct {
	Text      string
	Reasoning bool
	Finish    string // "stop" or "length" on the last token

	swallowed bool // generated, but never sent: the end of thinking
}

// Answer knows the tokens of one answer.
type Answer struct {
	Length int    // tokens, the end-of-sequence token included
	Finish string // of the last token
	Thinks int    // leading tokens that are reasoning; the next one is swallowed
	EOS    string // text of the end-of-sequence token

	PerEvent int // tokens that come together; one each when 0

	Gibberish bool     // nothing that it says has a meaning
	seed      uint32   // of what it says
	said      []string // what it says first
}

// NewAnswer returns an answer of natural length, but of at most limit tokens. When exact
// is set the end-of-sequence token is banned and nothing is parsed, as on /bench.
func NewAnswer(p *Profile, prompt Prompt, natural, limit int, exact bool) Answer {
	a := Answer{Length: limit, Finish: "length", seed: prompt.seed(), said: prompt.known()}
	if a.said != nil {
		natural = len(a.said) + 1
	}
	if exact {
		return a
	}
	if natural <= limit {
		a.Length, a.Finish = natural, "stop"
	}
	if p.Thinks {
		a.Thinks = natural * 2 / 3
	}
	return a
}

// at returns the i-th token, counting from 0.
func (a Answer) at(i int) Token {
	t := Token{Text: a.text(i)}
	switch {
	case i < a.Thinks:
		t.Reasoning = true
	case i == a.Thinks && a.Thinks > 0 && i < a.Length-1:
		return Token{swallowed: true}
	}
	if i == a.Length-1 {
		t.Finish = a.Finish
		t.Reasoning = false // also when a thought is cut off
		if a.Finish == "stop" {
			t.Text = a.EOS
		}
	}
	return t
}

// text returns what the i-th token says.
func (a Answer) text(i int) string {
	switch {
	case a.Gibberish:
		return noiseAt(i)
	case a.Thinks == 0 && i < len(a.said):
		return a.said[i]
	case a.Thinks > 0 && i > a.Thinks && i-a.Thinks-1 < len(a.said):
		return a.said[i-a.Thinks-1]
	}
	return wordAt(a.seed, i)
}
