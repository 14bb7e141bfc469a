package answer

import "exo-bench-exporter/workload"

const (
	// mostPerToken is how many bytes of text tokens hold at most on the mean, in any language. Only from
	// fewEvents on is the mean one.
	mostPerToken = 12
	fewEvents    = 4
	// oddPart is the part of the events that may be odd by accident, beside one.
	oddPart = 20
)

// uncounted says why the events of an answer, which nobody counts the tokens of, are no tokens; empty where they may
// be.
func (e *Evidence) uncounted() string {
	size, several, apart := 0, 0, 0
	for i, a := range e.Arrivals {
		size += a.Size
		if a.Cut&Between != 0 {
			several++
		}
		if i > 0 && a.Cut&Letter != 0 && e.Arrivals[i-1].Cut == Space {
			apart++
		}
	}
	events := len(e.Arrivals)
	strays := max(1, events/oddPart)
	switch {
	case events < fewEvents:
		return ""
	case size > mostPerToken*events, several > strays:
		return "each holds the text of several"
	case apart > strays:
		return "words come apart from the space before them"
	}
	return ""
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
