package workload

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The hash identifies the workload in every metric: it changes exactly when the suite does,
// and then the version must change too.
func TestStandardSuiteIsPinned(t *testing.T) {
	s := StandardSuite()
	const version, sum = "standard-1", "f6af06fea1b5bca5cedbfce88eaa2c23a3d255e5dbe22e2587dfd40d285f4a3c"
	if s.Version != version || s.SHA256() != sum {
		t.Errorf("standard suite is %s %s, pinned is %s %s: a changed suite needs a new version and this pin renewed",
			s.Version, s.SHA256(), version, sum)
	}
}

func TestStandardSuiteCoversShapesAndKinds(t *testing.T) {
	s := StandardSuite()
	if s.Temperature != 0 {
		t.Errorf("temperature %v, want 0", s.Temperature)
	}
	// Four bytes a token is close enough for English to tell the shapes apart.
	type shape struct{ in, out int }
	shapes := map[shape]int{}
	kinds := map[string]int{}
	for _, p := range s.Prompts {
		kinds[p.Kind]++
		n := 0
		for _, m := range p.Messages {
			n += len(m.Content) / 4
		}
		in := 0
		switch {
		case n >= 50 && n < 100:
			in = 60
		case n >= 400 && n < 620:
			in = 512
		case n >= 1300 && n < 1700:
			in = 1500
		default:
			t.Errorf("%s: about %d prompt tokens fit none of the shapes", p.ID, n)
		}
		shapes[shape{in, p.MaxTokens}]++
	}
	for _, want := range []shape{{60, 64}, {60, 256}, {1500, 64}, {512, 128}} {
		if shapes[want] < 2 {
			t.Errorf("shape %d→%d has %d prompts, want at least 2", want.in, want.out, shapes[want])
		}
		delete(shapes, want)
	}
	if len(shapes) > 0 {
		t.Errorf("unexpected shapes: %v", shapes)
	}
	for _, k := range []string{"chat", "code", "reasoning", "summarization", "extraction", "multilingual"} {
		if kinds[k] == 0 {
			t.Errorf("no prompt of kind %s", k)
		}
	}
}

func TestSHA256SeesEveryField(t *testing.T) {
	base := StandardSuite()
	seen := map[string]string{base.SHA256(): "the suite itself"}
	for name, change := range map[string]func(*Suite){
		"version":     func(s *Suite) { s.Version += "x" },
		"temperature": func(s *Suite) { s.Temperature = 0.1 },
		"seed":        func(s *Suite) { s.Seed++ },
		"id":          func(s *Suite) { s.Prompts[0].ID += "x" },
		"kind":        func(s *Suite) { s.Prompts[0].Kind += "x" },
		"max_tokens":  func(s *Suite) { s.Prompts[0].MaxTokens++ },
		"role":        func(s *Suite) { s.Prompts[0].Messages[0].Role = "system" },
		"content":     func(s *Suite) { s.Prompts[0].Messages[0].Content += " " },
		"order":       func(s *Suite) { s.Prompts[0], s.Prompts[1] = s.Prompts[1], s.Prompts[0] },
		"count":       func(s *Suite) { s.Prompts = s.Prompts[1:] },
	} {
		s := StandardSuite()
		change(&s)
		if other, dup := seen[s.SHA256()]; dup {
			t.Errorf("changing %s gives the hash of %s", name, other)
		}
		seen[s.SHA256()] = name
	}
}

const goodSuite = `version: mine-1
temperature: 0
seed: 7
prompts:
  - id: one
    kind: chat
    max_tokens: 8
    messages:
      - role: user
        content: hello
`

func TestParseSuite(t *testing.T) {
	s, err := ParseSuite("mine.yaml", []byte(goodSuite))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Prompts) != 1 || s.Prompts[0].Messages[0].Content != "hello" || s.Seed != 7 {
		t.Errorf("got %+v", s)
	}
	asJSON := `{"version":"mine-1","temperature":0,"seed":7,"prompts":[{"id":"one","kind":"chat","max_tokens":8,"messages":[{"role":"user",` +
		`"content":"hello"}]}]}`
	j, err := ParseSuite("mine.json", []byte(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	if j.SHA256() != s.SHA256() {
		t.Error("the same suite as JSON and as YAML should have one hash")
	}
}

func TestParseSuiteNamesLineAndReason(t *testing.T) {
	edit := func(old, replacement string) string {
		if !strings.Contains(goodSuite, old) {
			t.Fatalf("%q is not in the suite", old)
		}
		return strings.Replace(goodSuite, old, replacement, 1)
	}
	second := "  - id: one\n    kind: chat\n    max_tokens: 8\n    messages: [{role: user, content: x}]\n"
	for name, tt := range map[string]struct {
		in   string
		want []string
	}{
		"empty file": {"", []string{"is empty"}},
		"syntax":     {"version: [", []string{"bad.yaml", "line 1"}},
		"unknown field": {
			edit("kind: chat", "kind: chat\n    max_token: 9"),
			[]string{"bad.yaml:7: prompts[0].max_token is not a known field here (id, kind, max_tokens, messages)"},
		},
		"wrong type": {
			edit("max_tokens: 8", "max_tokens: many"), []string{`bad.yaml:7: prompts[0].max_tokens must be a whole number, and is "many"`},
		},
		"half a token": {edit("max_tokens: 8", "max_tokens: 8.5"), []string{`must be a whole number, and is "8.5"`}},
		"a text, not a list": {
			edit("messages:\n      - role: user\n        content: hello\n", "messages: hi\n"),
			[]string{`bad.yaml:8: prompts[0].messages must be a list of {role, content}, and is "hi"`},
		},
		"a mapping, not a list": {
			"prompts: {a: b}\n", []string{`bad.yaml:1: prompts must be a list of {id, kind, max_tokens, messages}, and is a mapping`},
		},
		"a list, not a text": {edit("mine-1", "[1]"), []string{"bad.yaml:1: version must be a text, and is a list"}},
		"warm": {
			edit("temperature: 0", "temperature: warm"), []string{`bad.yaml:2: temperature must be a number, and is "warm"`},
		},
		"a truth, not a number": {edit("seed: 7", "seed: true"), []string{`bad.yaml:3: seed must be a whole number, and is "true"`}},
		"a text, not a suite":   {"hello", []string{`must be a suite: {version, temperature, seed, prompts}, and is "hello"`}},
		"a text, not a prompt":  {"prompts: [hi]", []string{`prompts[0] must be a prompt: {id, kind, max_tokens, messages}, and is "hi"`}},
		"a huge number":         {edit("seed: 7", "seed: 99999999999999999999"), []string{"seed must be a whole number"}},
		"a large number":        {edit("seed: 7", "seed: 18446744073709551615"), []string{"cannot be read as what should be there"}},
		"twice":                 {edit("seed: 7", "seed: 7\nseed: 8"), []string{"line 4", "already defined at line 3"}},
		"version":               {edit("mine-1", "'a b'"), []string{"bad.yaml:1: version", `"a b"`}},
		"no temperature":        {edit("temperature: 0\n", ""), []string{"temperature is missing"}},
		"hot":                   {edit("temperature: 0", "temperature: 3"), []string{"bad.yaml:2: temperature is 3", "between 0 and 2"}},
		"nan":                   {edit("temperature: 0", "temperature: .nan"), []string{"bad.yaml:2: temperature is NaN"}},
		"no seed":               {edit("seed: 7\n", ""), []string{"seed is missing"}},
		"negative seed":         {edit("seed: 7", "seed: -7"), []string{"bad.yaml:3: seed is -7"}},
		"no prompts": {
			edit(goodSuite[strings.Index(goodSuite, "prompts:"):], "prompts: []\n"), []string{"bad.yaml:4: prompts has 0 entries"},
		},
		"bad id":            {edit("id: one", "id: One"), []string{"bad.yaml:5: prompts[0].id", `"One"`}},
		"the questions' id": {edit("id: one", "id: canary"), []string{"bad.yaml:5: prompts[0].id", "the questions that follow"}},
		"id twice":          {goodSuite + second, []string{"bad.yaml:11: prompts[1].id", "prompts[0] is called already"}},
		"no kind":           {edit("    kind: chat\n", ""), []string{"bad.yaml:5: prompts[0].kind"}},
		"zero tokens":       {edit("max_tokens: 8", "max_tokens: 0"), []string{"bad.yaml:7: prompts[0].max_tokens is 0"}},
		"too many tokens":   {edit("max_tokens: 8", "max_tokens: 40000"), []string{"bad.yaml:7:", "40000"}},
		"role":              {edit("role: user", "role: tool"), []string{"bad.yaml:9: prompts[0].messages[0].role", `"tool"`}},
		"last not a user's": {edit("role: user", "role: system"), []string{"bad.yaml:9: prompts[0].messages[0] is the last"}},
		"blank content":     {edit("content: hello", "content: ' '"), []string{"bad.yaml:10: prompts[0].messages[0].content is empty"}},
		"two documents":     {goodSuite + "---\nversion: x\n", []string{"second document"}},
		"all at once": {edit("seed: 7", "seed: -1") + "  - id: one\n    kind: chat\n    max_tokens: -1\n    messages: []\n", []string{
			"seed is -1", "prompts[1].id", "prompts[1].max_tokens is -1", "prompts[1].messages is empty",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseSuite("bad.yaml", []byte(tt.in))
			if err == nil {
				t.Fatal("no error")
			}
			if text := err.Error(); strings.Contains(text, "!!") || strings.Contains(text, "struct") || strings.Contains(text, "int64") {
				t.Errorf("the error speaks of YAML's or Go's types: %s", text)
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error lacks %q:\n%v", w, err)
				}
			}
		})
	}
}

func TestLoadSuite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "suite.yaml")
	if _, err := LoadSuite(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a missing file: %v", err)
	}
	if err := os.WriteFile(path, []byte(goodSuite), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := LoadSuite(path); err != nil || s.Version != "mine-1" {
		t.Errorf("got %+v, %v", s, err)
	}
	if err := os.WriteFile(path, make([]byte, maxSuiteSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadSuite(path); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a huge file: %v", err)
	}
}

func FuzzParseSuite(f *testing.F) {
	f.Add([]byte(goodSuite))
	f.Add(standardSuite)
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSuite("fuzz", data)
		if err != nil {
			return
		}
		if len(s.Prompts) == 0 || len(s.SHA256()) != 64 {
			t.Errorf("accepted a suite without prompts or hash: %+v", s)
		}
	})
}
