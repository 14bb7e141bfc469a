package answer

import "exo-bench-exporter/workload"

const (
	// mostPerToken is how many bytes of text tokens hold at most on the mean, in any language. Only from
	// fewEvents on is the mean one.
	mostPerToken = 12
	fewEvents    = 4
	// oddPart is the part of the events that may be odd by accident, beside one.
	oddPart = 20
	// Events are pieces of tokens where so large a part of them has letters at its ends, so large a part of those goes on in
	// the middle of a word, and they hold so few bytes on the mean. Of tokens that Llama 2 and 3, Mistral and GPT-4 make of
	// English, German, French, Spanish, Go and Python, stretches of 16 are like that in at most three of a hundred, of 64 in
	// at most two; stretches of 64 halves of them are in at least 94. Only from somePieces on is the mean one.
	letteredPart = 0.33
	withinWords  = 0.3
	leastPerWord = 3
	somePieces   = 16
)

// uncounted says why the events of an answer, which nobody counts the tokens of, are no tokens; empty where they may
// be.
func (e *Evidence) uncounted() string {
	size, several := 0, 0
	for _, a := range e.Arrivals {
		size += a.Size
		if a.Cut&Between != 0 {
			several++
		}
	}
	if events := len(e.Arrivals); events >= fewEvents && (size > mostPerToken*events || several > odd(events)) {
		return "each holds the text of several"
	}
	return e.less()
}

// odd is how many of the events may be odd by accident.
func odd(events int) int { return max(1, events/oddPart) }

// less says why the events of an answer are less than tokens, by their text; empty where they may be more.
func (e *Evidence) less() string {
	apart := 0
	for i, a := range e.Arrivals {
		if i > 0 && a.Cut&Letter != 0 && e.Arrivals[i-1].Cut == Space {
			apart++
		}
	}
	switch {
	case len(e.Arrivals) >= fewEvents && apart > odd(len(e.Arrivals)):
		return "words come apart from the space before them"
	case e.pieces():
		return "they are pieces of words"
	}
	return ""
}

// pieces reports whether the text shows that events are less than tokens: words that were cut into pieces.
func (e *Evidence) pieces() bool {
	size, lettered, within := 0, 0, 0
	for i, a := range e.Arrivals {
		if a.Cut&(Letter|Open) == 0 {
			continue
		}
		lettered++
		size += a.Size
		if i > 0 && a.Cut&Letter != 0 && e.Arrivals[i-1].Cut&Open != 0 {
			within++
		}
	}
	n := float64(lettered)
	return len(e.Arrivals) >= somePieces && n >= letteredPart*float64(len(e.Arrivals)) && float64(within) >= withinWords*n &&
		size < leastPerWord*lettered
}

// doubt gives up the count of an answer that rests on its events where these are no tokens: nothing is known of its
// tokens then but that there were some.
func (t *Tally) doubt(e *Evidence) {
	if t.Source != workload.TokensFromEvents {
		return
	}
	if why := e.uncounted(); why != "" {
		t.Source, t.Silent, t.Steps = workload.TokensUnknown, t.Output, nil
		t.Disbelieved = append(t.Disbelieved, "events as tokens: "+why)
	}
}
