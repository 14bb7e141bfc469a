package answer

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"exo-bench-exporter/workload"
)

const prose = "The footbridge was built in the summer of 1962 by the owners of the spinning works, who needed a way for the late " +
	"shift to reach the bus stop without walking round by the lock. It has a single span of twenty-three metres, two lattice girders of " +
	"riveted steel, and a deck of oak planks that has been replaced twice."

// read reads text in pieces of up to so many bytes.
func read(r *Reading, text string, most int) *Reading {
	random := rand.New(rand.NewPCG(1, 2))
	for text != "" {
		n := min(len(text), 1+random.IntN(most))
		for n < len(text) && !utf8.RuneStart(text[n]) {
			n++ // strings of JSON are of whole characters
		}
		r.Add(Delta{Words: NewWords(text[:n])})
		text = text[n:]
	}
	return r
}

// Signs of text that is sense and text that is not, however it comes in pieces.
func TestSigns(t *testing.T) {
	program := "```python\ndef merge(all):\n    done = []\n    for start, end in sorted(all):\n        if end < start:\n" +
		"            raise ValueError(start)\n        if done and start <= done[-1][1]:\n            done[-1][1] = max(done[-1][1], end)\n" +
		"        else:\n            done.append([start, end])\n    return done\n```"
	for name, tc := range map[string]struct {
		prompt, text string
		want         workload.Sign
	}{
		"prose":                    {"Tell me", prose, ""},
		"a program":                {"Write one", program, ""},
		"German with umlauts":      {"Erkläre mir", strings.Repeat("Übrigens hören häufig größere Flüße süßes Getöse. ", 1) + "Warum nicht?", ""},
		"a list":                   {"List ten", "1. apples\n2. pears\n3. plums\n4. quinces\n5. cherries\n6. grapes\n7. figs\n8. dates", ""},
		"Japanese of Japanese":     {"教えて", "橋は一九六二年の夏に工場の持ち主が建てたもので、バス停まで歩く人のための道でした。カタカナもひらがなも同じです。", ""},
		"an answer of one word":    {"What?", "no no no no no no no", ""},
		"a word again and again":   {"Tell me", strings.Repeat(" the", 64), workload.SignRepetition},
		"what token 0 is":          {"Tell me", strings.Repeat("!", 64), workload.SignRepetition},
		"a sentence over and over": {"Tell me", strings.Repeat("I do not know what you mean by that. ", 8), workload.SignRepetition},
		"white space":              {"Tell me", strings.Repeat(" \n", 100), ""},
		"control characters":       {"Tell me", strings.Repeat("ab\x02\x1b", 20), workload.SignGarbled},
		"vertical tabs":            {"Tell me", " ( " + strings.Repeat("\v", 30) + " " + strings.Repeat("\v", 30), workload.SignGarbled},
		"no UTF-8":                 {"Tell me", prose[:100] + strings.Repeat("\xff\xfe", 20), workload.SignGarbled},
		"letters from everywhere":  {"Tell me", strings.Repeat("許可штаб the ال뷔ตร ", 6), workload.SignScript},
		"Russian of English":       {"Tell me", "мост построен летом, и по нему ходили рабочие каждый день. ", workload.SignScript},
		"Russian of no script":     {"2+2=?", "мост построен летом, и по нему ходили рабочие каждый день. ", ""},
		"a formula":                {"How long is it?", "2π", ""},
		"Russian of Russian":       {"Расскажи", "мост построен летом, и по нему ходили рабочие. ", ""},
	} {
		for _, most := range []int{1, 7, 4096} {
			r := read(NewReading(nil, []string{tc.prompt}, nil), tc.text, most)
			s := r.Signs()
			if got, _ := s.Sign(); got != tc.want {
				t.Errorf("%s, in pieces of %d: %q, want %q: %+v", name, most, got, tc.want, *s)
			}
		}
	}
	if NewReading(nil, nil, nil).Signs() != nil {
		t.Error("something is said of an answer without text")
	}
	var nobody *Reading
	nobody.Add(Delta{Words: NewWords("x")})
}

// What is looked at is bounded, and what is kept of it with it.
func TestReadingIsBounded(t *testing.T) {
	r := NewReading([]byte("k"), nil, nil)
	for range 100 {
		r.Add(Delta{Words: NewWords(strings.Repeat("ü", 1000))})
	}
	if s := r.Signs(); s.Characters != mostRead || len(r.signs.said) > mostRead {
		t.Errorf("%d characters, %d sequences", s.Characters, len(r.signs.said))
	}
}

// A fingerprint is that of a text, however it came in pieces, and of a key.
func TestFingerprint(t *testing.T) {
	of := func(key, text string, most int) uint64 {
		print := read(NewReading([]byte(key), nil, nil), text, most).Fingerprint()
		if print == 0 {
			t.Errorf("no fingerprint of %d bytes", len(text))
		}
		return print
	}
	want := of("key", prose, 1)
	for _, most := range []int{3, 50, 4096} {
		if got := of("key", prose, most); got != want {
			t.Errorf("in pieces of %d: %x, want %x", most, got, want)
		}
	}
	if of("key", prose+".", 9) == want || of("another", prose, 9) == want {
		t.Error("another text, or another key, gives the same")
	}
	if read(NewReading(nil, nil, nil), prose, 9).Fingerprint() != 0 {
		t.Error("a fingerprint without a key")
	}
	if NewReading([]byte("key"), nil, nil).Fingerprint() != 0 {
		t.Error("a fingerprint of nothing")
	}
	thought := NewReading([]byte("key"), nil, nil)
	thought.Add(Delta{ThoughtWords: NewWords(prose)})
	if thought.Fingerprint() == want {
		t.Error("a thought is taken for an answer")
	}
}

// What is made of the answer to a question, by what it says after its thoughts.
func TestVerdict(t *testing.T) {
	canary := workload.StandardCanary()
	sum := &canary.Expect[0]
	said := func(text string) Delta { return Delta{Words: NewWords(text)} }
	thought := func(text string) Delta { return Delta{ThoughtWords: NewWords(text)} }
	for name, tc := range map[string]struct {
		all    []Delta
		finish string
		want   workload.Verdict
	}{
		"right, in pieces":              {[]Delta{said("The sum is 4"), said("2.")}, "stop", workload.VerdictRight},
		"wrong":                         {[]Delta{said("32")}, "stop", workload.VerdictWrong},
		"nothing":                       {nil, "stop", workload.VerdictWrong},
		"after thoughts":                {[]Delta{thought("17 and 25 is 32?"), said("42")}, "stop", workload.VerdictRight},
		"right in thoughts alone":       {[]Delta{thought("it is 42"), said("32")}, "stop", workload.VerdictWrong},
		"such, the last piece unmarked": {[]Delta{thought("Okay, so"), said(" 42")}, "length", workload.VerdictThought},
		"an answer that was cut off":    {[]Delta{thought("Okay"), said("It is "), said("42 or")}, "length", workload.VerdictRight},
		"thoughts that were cut off":    {[]Delta{thought("Okay, so 42"), said(" ")}, "stop", workload.VerdictThought},
		"thoughts in the answer":        {[]Delta{said("<think>is it 32?</thi"), said("nk>\n42")}, "stop", workload.VerdictRight},
		"such that were cut off":        {[]Delta{said("\n<think>"), said("is it 42?")}, "stop", workload.VerdictThought},
		"such whose beginning is not":   {[]Delta{said("is it 42?</think> 32")}, "stop", workload.VerdictWrong},
		"such, and nothing after":       {[]Delta{said("is it 42?</think>\n")}, "stop", workload.VerdictThought},
		"more than is looked at":        {[]Delta{said(strings.Repeat("a ", mostChecked)), said("42")}, "stop", workload.VerdictWrong},
		"right, and much that is after": {[]Delta{said("42"), said(strings.Repeat(" a", mostChecked))}, "stop", workload.VerdictRight},
	} {
		r := NewReading(nil, nil, sum)
		for _, d := range tc.all {
			r.Add(d)
		}
		if got := r.Verdict(tc.finish); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
	if NewReading(nil, nil, nil).Verdict("stop") != "" {
		t.Error("a verdict where no question was put")
	}
}

// Words cannot be shown, in whatever they are: of fields that are not exported fmt does not ask how they are to be printed.
func TestWordsCannotBeShown(t *testing.T) {
	const secret = "what the model said"
	type holder struct {
		words   Words
		several []Words
		reading *Reading
		check   check
	}
	canary := workload.StandardCanary()
	reading := NewReading([]byte("key"), nil, &canary.Expect[0])
	reading.Add(Delta{Words: NewWords(secret)})
	hidden := holder{NewWords(secret), []Words{NewWords(secret)}, reading, *reading.check}
	ev := Event{Delta: Delta{Words: NewWords(secret), ThoughtWords: NewWords(secret).Join(NewWords(secret))}}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("An event", "words", ev.Delta.Words, "event", ev)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("An event", "words", ev.Delta.Words, "event", ev, "hidden", hidden, "reading", *reading)
	for _, verb := range []string{"%v", "%+v", "%s", "%q", "%x"} {
		fmt.Fprintf(&log, verb, ev.Delta.Words)
		fmt.Fprintf(&log, verb, ev)
		fmt.Fprintf(&log, verb, hidden)
		fmt.Fprintf(&log, verb, *reading)
	}
	fmt.Fprintf(&log, "%#v%#v", hidden, *reading)
	fmt.Fprintf(&log, "%#v", ev.Delta.Words)
	if text := log.String(); strings.Contains(text, "model said") || strings.Contains(text, fmt.Sprintf("%x", "model said")) {
		t.Errorf("the words are shown: %s", text)
	}
}
