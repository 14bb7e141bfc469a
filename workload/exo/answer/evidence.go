package answer

import (
	"time"

	"exo-bench-exporter/workload"
)

// Arrival is a token event as it came.
type Arrival struct {
	At      time.Time
	Read    int
	Came    time.Time // zero where the kernel does not tell
	Content bool      // of the answer proper
	Size    int       // about how many bytes of text it has
	Cut     Cut       // where that begins and ends
	Told    int       // completion tokens that the event's own usage counts; 0 where it has none
	Print   uint64    // see Delta
}

// Span is a time from one moment to another.
type Span struct{ From, To time.Time }

// Evidence is everything that an answer offers to count its tokens by.
type Evidence struct {
	Sent     time.Time // when the request was to be written; zero where that is not known
	Wrote    time.Time // when it really was; likewise
	Asked    int       // max_tokens; 0 is no bound
	Prompt   int       // most tokens that the prompt can be; 0 is no bound
	Arrivals []Arrival // of the token events, in their order; no more than Asked
	Extra    int       // token events beyond those
	beyond   []Arrival // of these, the first ones, as many as were asked for
	Usage    Usage     // as told last, zeros passed over
	Stats    Stats     // likewise
	Finish   string    // why the model stopped
	Looks    []Span    // when the node was asked for something else meanwhile, by the exporter itself
	counted  int       // token events that had come when Usage.Completion was told last
	Ended    bool      // the end token came as an event of its own: the model stopped with a token that has no text
}

// maxArrivals bounds what is kept of an answer without max_tokens.
const maxArrivals = 1 << 16

// Add takes in one event that counts as kind.
func (e *Evidence) Add(ev Event, kind Token) {
	e.Usage.merge(ev.Usage)
	e.Stats.merge(ev.Stats)
	take(&e.Finish, ev.Finish)
	if kind != None {
		e.arrive(ev, kind)
	}
	if ev.Usage.Completion != 0 {
		e.counted = e.Events()
	}
}

// arrive takes in a token event.
func (e *Evidence) arrive(ev Event, kind Token) {
	a := Arrival{
		At: ev.At, Read: ev.Read, Came: ev.Came, Content: kind == Content, Size: ev.Delta.Size, Cut: ev.Delta.Cut, Print: ev.Delta.Print,
		Told: max(0, int(ev.Usage.Completion)),
	}
	if room := e.room(); len(e.Arrivals) >= room {
		e.Extra++
		if len(e.beyond) < room {
			e.beyond = append(e.beyond, a)
		}
		return
	}
	e.Ended = e.Ended || ev.Finish != "" && ev.Delta.Size == 0
	e.Arrivals = append(e.Arrivals, a)
}

func (e *Evidence) room() int {
	if e.Asked > 0 {
		return min(e.Asked, maxArrivals)
	}
	return maxArrivals
}

// Events returns the number of token events.
func (e *Evidence) Events() int { return len(e.Arrivals) + e.Extra }

// within reports whether an answer can be of n tokens as far as max_tokens tells.
func (e *Evidence) within(n int) bool { return e.Asked <= 0 || n <= e.Asked }

// told returns how many tokens the node counts; 0 where it does not tell.
func (e *Evidence) told() int {
	switch {
	case e.partial():
		return int(e.Usage.Completion) + e.Events() - e.counted
	case e.Usage.Completion > 0:
		return int(e.Usage.Completion)
	}
	return int(max(e.Stats.Generation, 0))
}

// partial reports whether the count is one of the events until it was told, after which more came: a usage that runs
// along without being told at the end.
func (e *Evidence) partial() bool {
	return e.counted > 0 && e.Events()-e.counted > e.strays() && abs(int(e.Usage.Completion)-e.counted) <= 1
}

// counter says whose count told is.
func (e *Evidence) counter() workload.TokenSource {
	if e.Usage.Completion > 0 {
		return workload.TokensFromUsage
	}
	return workload.TokensFromStats
}

// textless is how many tokens without text an answer may have beside the thoughts that were not sent:
// the end, and marks of a template.
const textless = 16

// spells reports whether the text that came can be n tokens: no tokenizer makes more than one of a
// byte. An event without text is one token. An answer of which no event came is not judged.
func (e *Evidence) spells(n int) bool {
	if len(e.Arrivals) == 0 {
		return true
	}
	most := textless + max(0, int(e.Usage.Reasoning))
	for _, a := range e.Arrivals {
		most += max(1, a.Size)
	}
	return n <= most
}

// thoughts counts the token events that are not of the answer proper.
func (e *Evidence) thoughts() int {
	n := 0
	for _, a := range e.Arrivals {
		if !a.Content {
			n++
		}
	}
	return n
}

// steps returns the tokens of each arrival where every one has a usage of its own that counts
// them: all so far, or its own only; nil where that is not so.
func (e *Evidence) steps() []int {
	if len(e.Arrivals) == 0 {
		return nil
	}
	running, sum := true, 0
	last := 0
	for _, a := range e.Arrivals {
		if a.Told <= 0 {
			return nil
		}
		running = running && a.Told > last
		last = a.Told
		sum += a.Told
	}
	if !running && sum > max(e.Asked, 2*len(e.Arrivals)) { // the same total again and again
		return nil
	}
	steps := make([]int, len(e.Arrivals))
	before := 0
	for i, a := range e.Arrivals {
		steps[i] = a.Told - before
		if running {
			before = a.Told
		}
	}
	return steps
}

// PromptTokens returns the tokens of the prompt as the node counts them, and those of them that
// came from a cache; 0 where it does not tell, or tells what cannot be.
func (e *Evidence) PromptTokens() (n, cached int) {
	for _, told := range []Count{e.Usage.Prompt, e.Stats.Prompt} {
		if told > 0 && e.fits(told) {
			n = int(told)
			break
		}
	}
	return n, min(max(0, int(e.Usage.Cached), int(e.Stats.Cached)), n)
}

func (e *Evidence) fits(prompt Count) bool { return e.Prompt <= 0 || int(prompt) <= e.Prompt }

// disbelieved names the figures that cannot be true.
func (e *Evidence) disbelieved() []string {
	var names []string
	for _, f := range []struct {
		name string
		odd  bool
	}{
		{"prompt tokens", e.Usage.Prompt < 0 || e.Stats.Prompt < 0 || !e.fits(max(e.Usage.Prompt, e.Stats.Prompt))},
		{"cached tokens", e.Usage.Cached < 0 || e.Stats.Cached < 0},
		{"output tokens", e.Usage.Completion < 0 || e.Stats.Generation < 0},
		{"total tokens", e.Usage.Total < 0},
		{"reasoning tokens", e.Usage.Reasoning < 0},
		{"prefill rate", e.Stats.PromptTPS < 0},
		{"decode rate", e.Stats.GenerationTPS < 0},
		{"peak memory", e.Stats.PeakMemory < 0},
	} {
		if f.odd {
			names = append(names, f.name)
		}
	}
	return names
}
