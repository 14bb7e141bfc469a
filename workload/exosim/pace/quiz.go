package pace

import "strings"

// quiz are questions that a simulated model knows the answer to, by what only they have.
var quiz = []struct{ question, answer string }{
	{"17 + 25", "42"},
	{"8 times 9", "72"},
	{"capital of France", "Paris"},
	{"Which company sent this invoice", "Holm Brothers"},
	{"train to Voss leave", "10:10"},
	{"prints the word hello", `print("hello")`},
	{"Translate into German", "Guten Morgen, mein Freund."},
	{"5 March 2024", "2024-03-05"},
	{"comes after Tuesday", "Wednesday"},
	{"key \"color\" with the value \"blue\"", `{"color": "blue"}`},
}

// known returns the tokens of the answer to a question that is in the prompt; nil where there is none.
func (p Prompt) known() []string {
	for _, q := range quiz {
		if strings.Contains(p.Text, q.question) {
			return pieces(q.answer)
		}
	}
	return nil
}

// pieces cuts an answer, of ASCII, into tokens.
func pieces(answer string) (all []string) {
	for len(answer) > bytesPerToken {
		all, answer = append(all, answer[:bytesPerToken]), answer[bytesPerToken:]
	}
	return append(all, answer)
}
