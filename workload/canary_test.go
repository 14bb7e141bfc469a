package workload

import (
	"strings"
	"testing"
)

// Of each question an answer that is right, as models word it, and one that is not.
var answersTo = map[string]struct{ right, wrong []string }{
	"sum":         {[]string{"42", "17 + 25 = 42.", "42<|eot_id|>"}, []string{"32", "142", "421", "4 2"}},
	"product":     {[]string{"72", "The answer is 72."}, []string{"73", "720"}},
	"capital":     {[]string{"Paris", "paris.", "**Paris**"}, []string{"London", "Parisian"}},
	"company":     {[]string{"Holm Brothers", "The company is Holm Brothers."}, []string{"the harbour office", "Stockholm"}},
	"departure":   {[]string{"10:10", "At 10.10."}, []string{"09:35", "110:10"}},
	"print":       {[]string{`print("hello")`, "```python\nprint('hello')\n```"}, []string{"hello", "echo hello", "printf hello"}},
	"translation": {[]string{"Guten Morgen, mein Freund.", `"guten  Morgen!"`}, []string{"Bonjour", "Good morning"}},
	"date":        {[]string{"2024-03-05", "The date is 2024-03-05."}, []string{"2024-05-03", "05-03-2024"}},
	"weekday":     {[]string{"Wednesday", "wednesday."}, []string{"Thursday", "day"}},
	"object": {
		[]string{`{"color": "blue"}`, "```json\n{\"color\":\"Blue\", \"more\": 1}\n```", `{"color": "blue"} and so on {`},
		[]string{`{"color": "red"}`, `{"colour": "blue"}`, `{"color": "blue`, "blue", `{color: blue}`},
	},
}

func TestCanary(t *testing.T) {
	c := StandardCanary()
	if len(c.Prompts) != 10 || len(c.Expect) != 10 || c.Temperature != 0 || c.Version != "canary-1" {
		t.Errorf("%d questions of %s", len(c.Prompts), c.Version)
	}
	if err := checkSuite(c.Suite); err != nil {
		t.Error(err)
	}
	const known = "36cbcf70e18bcfb642761c8e05bb499255c2df7d5d36fc1738b71b92167ed4c1"
	if got := c.SHA256(); got != known {
		t.Errorf("the questions of %s have changed, SHA-256 %s: give them another version", c.Version, got)
	}
	for i, p := range c.Prompts {
		if p.MaxTokens != 32 {
			t.Errorf("%s: %d tokens", p.ID, p.MaxTokens)
		}
		cases := answersTo[p.ID]
		if len(cases.right) == 0 || len(cases.wrong) == 0 {
			t.Errorf("%s: no answers are known", p.ID)
		}
		for _, text := range cases.right {
			if !c.Expect[i].Met(text) {
				t.Errorf("%s: %q is not taken for right", p.ID, text)
			}
		}
		for _, text := range append(cases.wrong, "", "!!!!!!!!!!!!!!!!", "the the the the", "{{{{{{{{", strings.Repeat(" 7", 30)) {
			if c.Expect[i].Met(text) {
				t.Errorf("%s: %q is taken for right", p.ID, text)
			}
		}
		for other, cases := range answersTo {
			if other != p.ID && c.Expect[i].Met(cases.right[0]) {
				t.Errorf("%s: the answer to %s is taken for right", p.ID, other)
			}
		}
	}
}

// checkSuite holds a suite against the rules of suite files.
func checkSuite(s Suite) error {
	var lines strings.Builder
	lines.WriteString("version: " + s.Version + "\ntemperature: 0\nseed: 1\nprompts:\n")
	for _, p := range s.Prompts {
		lines.WriteString("- {id: " + p.ID + ", kind: " + p.Kind + ", max_tokens: 32, messages: [{role: user, content: x}]}\n")
	}
	_, err := ParseSuite("canary", []byte(lines.String()))
	return err
}

func TestCanaryFilesThatAreNone(t *testing.T) {
	for _, text := range []string{
		"questions: [{id: a, ask: b}]", "questions: [{id: a, ask: b, match: c, json: {d: 1}}]", "questions: [{id: a, ask: b, match: '('}]",
		"question: []", "questions: 7",
	} {
		if _, err := parseCanary([]byte(text)); err == nil {
			t.Errorf("%s is read", text)
		}
	}
}

func TestSigns(t *testing.T) {
	for name, tc := range map[string]struct {
		signs Signs
		want  Sign
	}{
		"prose":                   {Signs{Characters: 300, Repeated: 0.05}, ""},
		"a loop":                  {Signs{Characters: 300, Repeated: 0.9}, SignRepetition},
		"half of it again":        {Signs{Characters: 300, Repeated: 0.5}, SignRepetition},
		"short, and said twice":   {Signs{Characters: 40, Repeated: 0.6}, ""},
		"2π":                      {Signs{Characters: 2, Foreign: 1}, ""},
		"short, with an escape":   {Signs{Characters: 9, Garbled: 0.2}, ""},
		"one control character":   {Signs{Characters: 300, Garbled: 0.01}, ""},
		"control characters":      {Signs{Characters: 300, Garbled: 0.4}, SignGarbled},
		"a quotation in Greek":    {Signs{Characters: 300, Foreign: 0.1}, ""},
		"letters from everywhere": {Signs{Characters: 300, Foreign: 0.5}, SignScript},
	} {
		if got, is := tc.signs.Sign(); got != tc.want || is != (tc.want != "") {
			t.Errorf("%s: %q, %v", name, got, is)
		}
	}
	loop, prose := &Signs{Characters: 99, Repeated: 1}, &Signs{Characters: 99}
	turn := Turn{Results: []Result{
		{Outcome: OutcomeOK, Signs: loop},
		{Outcome: OutcomeOK, Signs: prose, Contended: true},
		{Outcome: OutcomeOK, Signs: prose},
		{Outcome: OutcomeOK, Signs: prose},
		{Outcome: OutcomeOK},
		{Outcome: OutcomeTruncated, Signs: loop},
	}}
	if got, seen := turn.Degenerate(); seen != 4 || got != 0.25 {
		t.Errorf("%g of %d answers are nonsense; want a quarter of 4", got, seen)
	}
	if _, seen := (Turn{Results: turn.Results[4:]}).Degenerate(); seen != 0 {
		t.Error("something is said of answers whose text was not seen")
	}
}
