package exo

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/answer"
)

// Where a text is cut, by tokens as tokenizers make them and by texts that none makes.
func TestCutOf(t *testing.T) {
	const letter, space, between, open = answer.Letter, answer.Space, answer.Between, answer.Open
	for said, want := range map[string]answer.Cut{
		"sea":             letter | open,
		" sea":            open,
		" the sea":        between | open,
		"the sea":         letter | between | open,
		"sea ":            letter,
		" ":               space,
		"  ":              0,
		"\n":              0,
		" \n\n  ":         0,
		"a\nb":            letter | between | open,
		"a\tb":            letter | between | open,
		"sea,":            letter | between,
		" sea.":           between,
		", ":              0,
		"'s":              open,
		".append":         open,
		"();\n\t":         0,
		"https":           letter | open,
		"://":             0,
		"1,":              0,
		"3.14":            0,
		"\u4f60\u597d":    0,
		"\u4f60 \u597d":   between,
		" \u00e9t\u00e9 ": 0,
		"sea\x01":         letter,
		"\"quoted\"":      0,
		"\\":              0,
	} {
		b, err := json.Marshal(said)
		if err != nil {
			t.Fatal(err)
		}
		var got text
		if err := json.Unmarshal(b, &got); err != nil || got.cut != want {
			t.Errorf("%q is cut as %b (error %v), want %b", said, got.cut, err, want)
		}
	}
}

// Where nobody counts and the events cannot be tokens there is no rate, and it is said why.
func TestEventsThatAreNoTokens(t *testing.T) {
	for name, tc := range map[string]struct {
		texts []string // in turn
		ok    bool     // they are taken for tokens
	}{
		"words with the space before them":    {[]string{" two", " men", ",", " the", " sea", ".", "\n\n"}, true},
		"words with the space after them":     {[]string{"two ", "men ", ", ", "sea "}, true},
		"numbers and spaces":                  {[]string{" ", "12"}, true},
		"text without spaces":                 {[]string{"\u4f60\u597d", "\uff0c", "\u6d77"}, true},
		"pieces of two tokens":                {[]string{" a b", " by c", "d."}, false},
		"words as a gateway makes them":       {[]string{"It ", "is ", "the ", "sea, ", "and ", "then ", "some.\n"}, false},
		"words and spaces, one by one":        {[]string{"two", " ", "men", " ", "at", " "}, false},
		"pieces of more text than tokens are": {[]string{"incomprehensibilities"}, false},
		"words cut in two":                    {[]string{" t", "he", " s", "ea", " i", "s", " bl", "ue"}, false},
		"a word that has several tokens":      {[]string{" incom", "preh", "ens", "ible"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var steps []step
				for i := range 64 {
					text, _ := json.Marshal(tc.texts[i%len(tc.texts)])
					steps = append(steps, step{tick, data(`{"content":`+string(text)+`}`, "", "")})
				}
				steps = append(steps, step{0, data(`{}`, "stop", "") + doneEvent})
				n := newFakeNode(t, map[string]http.HandlerFunc{pathV1: stream(nil, steps...)})
				r := n.session(workload.DialectOpenAI, nil).Measure(t.Context(), request(256))
				rate, known := r.DecodeRate()
				if !r.OK() || known != tc.ok || (len(r.Gaps) > 0) != tc.ok || (r.CountedTokens() == 64) != tc.ok || r.TTFT != tick {
					t.Errorf("%s (%s): %d tokens by %s at %v a second, TTFT %v, %d gaps",
						r.Outcome, r.Err, r.OutputTokens, r.TokenSource, rate, r.TTFT, len(r.Gaps))
				}
				if said := strings.Join(r.Disbelieved, ", "); strings.HasPrefix(said, "events as tokens: ") == tc.ok {
					t.Errorf("it says %q", said)
				}
			})
		})
	}
}

// Tokens as tokenizers make them of texts in several languages are taken for tokens where nobody counts, and halves of
// them are not.
func TestTokensOfTokenizers(t *testing.T) {
	b, err := os.ReadFile("testdata/tokens.json")
	if err != nil {
		t.Fatal(err)
	}
	var made map[string][]string
	if err := json.Unmarshal(b, &made); err != nil || len(made) < 6 {
		t.Fatalf("%d texts: %v", len(made), err)
	}
	uncounted := func(t *testing.T, said []string) (r workload.Result) {
		synctest.Test(t, func(t *testing.T) {
			var steps []step
			for _, s := range said {
				text, _ := json.Marshal(s)
				steps = append(steps, step{tick, data(`{"content":`+string(text)+`}`, "", "")})
			}
			steps = append(steps, step{0, data(`{}`, "stop", "") + doneEvent})
			n := newFakeNode(t, map[string]http.HandlerFunc{pathV1: stream(nil, steps...)})
			r = n.session(workload.DialectOpenAI, nil).Measure(t.Context(), request(1024))
		})
		return r
	}
	for name, tokens := range made {
		t.Run(name, func(t *testing.T) {
			r := uncounted(t, tokens)
			if rate, known := r.DecodeRate(); !r.OK() || !known || rate < 99 || rate > 101 || r.CountedTokens() != len(tokens) {
				t.Errorf("tokens: %s (%s), %d of %d at %v a second, disbelieved %v",
					r.Outcome, r.Err, r.CountedTokens(), len(tokens), rate, r.Disbelieved)
			}
			var halves []string
			for _, token := range tokens {
				half := (len(token) + 1) / 2
				for half < len(token) && !utf8.RuneStart(token[half]) {
					half++
				}
				halves = append(halves, token[:half])
				if half < len(token) {
					halves = append(halves, token[half:])
				}
			}
			r = uncounted(t, halves)
			if rate, known := r.DecodeRate(); !r.OK() || known || len(r.Gaps) > 0 || r.CountedTokens() != 0 {
				t.Errorf("halves: %s (%s), %d at %v a second, %d gaps", r.Outcome, r.Err, r.CountedTokens(), rate, len(r.Gaps))
			}
			if !slices.Contains(r.Disbelieved, "events as tokens: they are pieces of words") {
				t.Errorf("it says %q", r.Disbelieved)
			}
		})
	}
}
