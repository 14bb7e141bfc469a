package answer

import (
	"math"
	"slices"
	"time"

	"exo-bench-exporter/workload"
)

const (
	// leastPerToken is how many bytes of text tokens hold at least on the mean, in any language.
	leastPerToken = 1.5
	// agreement is the relative difference up to which two rates are the same.
	agreement = 0.05
)

// fewer judges an answer of which the node counts fewer tokens than events came, by more than a few that
// stray. The events are believed, for an event is a token at least, but where it shows that they are less:
// something on the way cut the text anew, or sent what a token is several times. That the node's own rate agrees
// with its count shows nothing, for it is made of it; that it agrees with the events shows that the count is wrong.
func (t *Tally) fewer(e *Evidence, told int) {
	events := len(e.Arrivals)
	if t.Source != workload.TokensFromEvents || told <= 0 || events-told <= e.strays() || e.leftOut(told) || e.agrees(events) {
		return
	}
	size := 0
	for _, a := range e.Arrivals {
		size += a.Size
	}
	fits := size <= mostPerToken*told
	cut := float64(size) < leastPerToken*float64(events) && float64(size) >= leastPerToken*float64(told)
	if fits && (cut || e.pieces()) || e.several(told) {
		t.Steps = nil
		t.scattered(e, told)
	}
}

// strays is how many events may be more than the node counts by accident.
func (e *Evidence) strays() int { return max(maxHead, len(e.Arrivals)/strayPart) }

// several reports whether n is the number of texts that differ from the one before, or the number of times at
// which something came.
func (e *Evidence) several(n int) bool {
	said := 1
	for i := 1; i < len(e.Arrivals); i++ {
		if a := e.Arrivals[i]; a.Print == 0 || a.Print != e.Arrivals[i-1].Print {
			said++
		}
	}
	return abs(said-n) <= n/strayPart || e.times(n)
}

// apart is by how many times most gaps between what was made one after the other exceed most of those within
// what was made at once.
const apart = 3

// times reports whether the events came at n times: as many gaps are long by far, and all others short. Where most of
// these are made up for by the gap before them something held up what it then sent at once, which says nothing.
func (e *Evidence) times(n int) bool {
	var gaps []time.Duration
	for i := 1; i < len(e.Arrivals); i++ {
		gaps = append(gaps, e.Arrivals[i].At.Sub(e.Arrivals[i-1].At))
	}
	short := len(gaps) - (n - 1)
	if n < fewEvents || short < 1 {
		return false
	}
	sorted := slices.Sorted(slices.Values(gaps))
	pace := sorted[short+(n-1)/4]
	return pace > apart*sorted[short*3/4] && 2*madeUp(gaps, sorted[short-1], pace) <= short
}

// madeUp returns how many of the gaps that are short, at most so long, follow one that is longer than the pace by half
// of what the short ones after it are shorter.
func madeUp(gaps []time.Duration, short, pace time.Duration) (n int) {
	for i := 0; i < len(gaps); {
		before := gaps[i]
		run := 0
		for i++; i < len(gaps) && gaps[i] <= short; i++ {
			run++
		}
		if run > 0 && 2*(before-pace) > time.Duration(run)*pace {
			n += run
		}
	}
	return n
}

// leftOut reports whether a count leaves out the thoughts that were sent.
func (e *Evidence) leftOut(told int) bool {
	thoughts := e.thoughts()
	return thoughts > 0 && abs(len(e.Arrivals)-thoughts-told) <= 1
}

// agrees reports whether n tokens in the time of the arrivals are the rate that the node tells itself.
func (e *Evidence) agrees(n int) bool {
	decode := e.Arrivals[len(e.Arrivals)-1].At.Sub(e.Arrivals[0].At).Seconds()
	if e.Stats.GenerationTPS <= 0 || decode <= 0 {
		return false
	}
	return math.Abs(float64(n-1)/decode/float64(e.Stats.GenerationTPS)-1) <= agreement
}
