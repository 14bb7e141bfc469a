package exo

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/answer"
)

// Where a text is cut, by tokens as tokenizers make them and by texts that none makes.
func TestCutOf(t *testing.T) {
	const letter, space, between = answer.Letter, answer.Space, answer.Between
	for said, want := range map[string]answer.Cut{
		"sea":             letter,
		" sea":            0,
		" the sea":        between,
		"the sea":         letter | between,
		"sea ":            letter,
		" ":               space,
		"  ":              0,
		"\n":              0,
		" \n\n  ":         0,
		"a\nb":            letter | between,
		"a\tb":            letter | between,
		"sea,":            letter | between,
		" sea.":           between,
		", ":              0,
		"'s":              0,
		".append":         0,
		"();\n\t":         0,
		"https":           letter,
		"://":             0,
		"1,":              0,
		"3.14":            0,
		"\u4f60\u597d":    0,
		"\u4f60 \u597d":   between,
		" \u00e9t\u00e9 ": 0,
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
