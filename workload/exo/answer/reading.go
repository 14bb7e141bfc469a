package answer

import (
	"strings"

	"exo-bench-exporter/workload"
)

// mostRead bounds how many characters of an answer are looked at for signs of nonsense.
const mostRead = 8192

// Reading makes verdicts of an answer's text while it comes, and keeps none of it: numbers, counts and a keyed hash, and
// at most mostChecked bytes where a question is to be checked, until Verdict.
//
//	Delta.Content, Thought → Reading → workload.Signs, a fingerprint, workload.Verdict
type Reading struct {
	began bool
	signs signs
	print *print // nil where no fingerprint is wanted
	check *check // nil where no question was put
}

// NewReading returns a Reading of an answer to a prompt of these texts. With no key there is no fingerprint; with no
// expectation, no verdict.
func NewReading(key []byte, prompt []string, expect *workload.Expectation) *Reading {
	r := &Reading{signs: newSigns(prompt)}
	if len(key) > 0 {
		r.print = newPrint(key)
	}
	if expect != nil {
		r.check = &check{expect: expect, said: new(strings.Builder)}
	}
	return r
}

// Add takes in what an event said. Nobody reads for a nil Reading.
func (r *Reading) Add(d Delta) {
	if r == nil {
		return
	}
	r.add(d.ThoughtWords, true)
	r.add(d.Words, false)
}

func (r *Reading) add(w Words, thought bool) {
	text := w.string()
	if text == "" {
		return
	}
	r.began = true
	if r.print != nil {
		r.print.add(text, thought)
	}
	if r.check != nil {
		r.check.add(text, thought)
	}
	for _, c := range text { // of whole characters, as a string of JSON is
		if r.signs.seen == mostRead {
			return
		}
		r.signs.add(c)
	}
}

// Signs returns the signs of nonsense in what has been read; nil where that is no text at all.
func (r *Reading) Signs() *workload.Signs {
	if !r.began {
		return nil
	}
	return r.signs.sum()
}

// Fingerprint returns a number by which answers can be told apart on this installation, and by nobody who has not its key;
// 0 where none was wanted, or there is no text.
func (r *Reading) Fingerprint() uint64 {
	if r.print == nil || !r.began {
		return 0
	}
	return r.print.sum()
}

// Verdict says whether the question was answered rightly, by an answer that ended for the given reason, and forgets what was
// read; "" where none was put.
func (r *Reading) Verdict(finish string) workload.Verdict {
	if r.check == nil {
		return ""
	}
	return r.check.verdict(finish)
}
