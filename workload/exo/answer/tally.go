package answer

import (
	"math"
	"slices"
	"time"

	"exo-bench-exporter/workload"
)

// Tally is what an answer's tokens are found to be.
type Tally struct {
	Output int                  // tokens, those of no event included
	Source workload.TokenSource // empty when there are none
	// First is the number of tokens that were there when the first read with a token returned:
	// those of the events in it, and thoughts that were made before and never sent.
	First int
	// Silent is the number of tokens that no event carried and that have no time: an end token
	// that is counted.
	Silent int
	// Head is the number of the first arrivals that are no tokens, see Evidence.head.
	Head int
	// Measured is the number of arrivals after those that belong to the first Asked tokens; the others
	// came because the node goes on past what was asked for.
	Measured int
	Overran  bool
	// Steps are the tokens of each measured arrival; nil where only their sum is known.
	Steps []int
	// Mismatch says that the node's count and the number of token events differ.
	Mismatch bool
	// Disbelieved names figures of the node that cannot be true.
	Disbelieved []string
}

// Take decides from e how many tokens an answer has. The rules, in their order:
//
//   - The node's count is believed where it is at least the number of token events (a token event
//     is at least a token), at most what was asked for, and at most what the text can be.
//   - A count that is told in the midst, of the events so far, is completed by those after it.
//   - A count that holds the prompt as well, which the events show, is less by that.
//   - A count that leaves out thoughts which were sent is completed by them.
//   - Else exo's generation_stats count, and else the events; the node's smaller count, after all, where it shows
//     that an event is less than a token.
//   - More events than tokens were asked for are not measured: every model answers for as many. They
//     are no tokens beyond where the node counts no more than that.
//   - Where nobody counts and the events show by their text that they are no tokens, their number is not known, and no
//     rate either.
//   - What a template puts before the answer is no token: events that come long before the others and
//     that the node does not count.
//   - An answer that ended by itself has one token more than events where the end is counted, unless
//     the end came as an event, as exo's does: then a token without event was made between others.
//   - Thoughts that are counted but were never sent were made before the first event.
func Take(e *Evidence) Tally {
	if head := e.head(); head > 0 {
		return e.behead(head)
	}
	t := Tally{Measured: len(e.Arrivals), Disbelieved: e.disbelieved()}
	told := e.told()
	t.Mismatch = told > 0 && len(e.Arrivals) > 0 && told != e.Events()
	switch {
	case e.Extra > 0 && told > 0 && e.within(told):
		t.scattered(e, told)
		return t
	case e.Extra > 0 || e.runningBeyond():
		t.overran(e, told)
		if told == 0 {
			t.doubt(e)
		}
		return t
	}
	steps := e.steps()
	t.Output, t.Source = e.count(steps)
	switch {
	case told > 0 && !e.within(told):
		t.Disbelieved = append(t.Disbelieved, "output tokens beyond what was asked for")
	case !e.spells(told):
		t.Disbelieved = append(t.Disbelieved, "more output tokens than their text has bytes")
	}
	if len(e.Arrivals) > 0 {
		t.apportion(e, steps)
		t.fewer(e, told)
	}
	t.doubt(e)
	return t
}

// count returns the number of tokens of an answer that is not longer than asked for.
func (e *Evidence) count(steps []int) (int, workload.TokenSource) {
	sent := 0
	for _, s := range steps {
		sent += s
	}
	u := e.Usage
	completion := u.Completion
	if completion == 0 && u.Prompt > 0 && u.Total > u.Prompt {
		completion = u.Total - u.Prompt
	}
	alone := 0 // the count without the prompt that it holds
	if u.Prompt > 0 && (u.Total == 0 || u.Total == completion) && int(completion-u.Prompt) == len(e.Arrivals) {
		alone = len(e.Arrivals)
	}
	completed := 0 // the count with the thoughts that it leaves out
	if u.Prompt > 0 && u.Total > u.Prompt {
		completed = int(u.Total - u.Prompt)
	}
	if completed == 0 && u.Reasoning > 0 && u.Completion > 0 {
		completed = int(u.Completion + u.Reasoning)
	}
	if thoughts := e.thoughts(); thoughts == 0 || completed < int(u.Completion) {
		completed = 0
	}
	for _, c := range []struct {
		n      int
		source workload.TokenSource
	}{
		{alone, workload.TokensFromUsage},
		{completed, workload.TokensFromUsage},
		{int(completion), workload.TokensFromUsage},
		{int(e.Stats.Generation), workload.TokensFromStats},
		{sent, workload.TokensFromUsage},
	} {
		if c.n > 0 && c.n >= len(e.Arrivals) && c.n >= sent && e.within(c.n) && e.spells(c.n) {
			return c.n, c.source
		}
	}
	if len(e.Arrivals) > 0 {
		return len(e.Arrivals), workload.TokensFromEvents
	}
	return 0, ""
}

// sizesCount is from how many tokens an event on the tokens of the first events are estimated
// from how much of the text they hold. Below it events stand for tokens, of which some had no
// text of their own, as a token that ends inside of a character has none.
const sizesCount = 1.25

// apportion finds out which of the tokens have no time, and how many came with the first read.
func (t *Tally) apportion(e *Evidence, steps []int) {
	events, sent := len(e.Arrivals), 0
	for _, s := range steps {
		sent += s
	}
	hidden, at := e.hidden(t.Output, steps)
	endUnsent := e.Finish != "" && e.Finish != finishLength && !e.Ended
	switch {
	case sent > 0:
		t.Silent = t.Output - sent
	case endUnsent && t.Output-hidden == events+1:
		t.Silent = 1
	}
	t.Steps = steps
	together := firstRead(e.Arrivals, nearness(e.Arrivals))
	visible := t.Output - hidden - t.Silent
	if at >= together { // made between two events, where they have their time
		t.First = together
		if visible == events {
			t.Steps = ones(events)
			t.Steps[at] += hidden
		}
		return
	}
	switch {
	case steps != nil:
		for _, s := range steps[:together] {
			t.First += s
		}
	case float64(visible) >= sizesCount*float64(events):
		t.First = hidden + share(e.Arrivals, together, visible)
	default:
		t.First = hidden + together
		if visible <= events+events/10 {
			t.Steps = ones(events)
		}
	}
}

// hidden returns how many of output tokens are thoughts that were never sent, and the index of the
// event before which they were made: the first one, or one before which as much time passed as they
// take.
func (e *Evidence) hidden(output int, steps []int) (n, at int) {
	n = int(e.Usage.Reasoning)
	if n <= 0 || steps != nil || e.thoughts() > 0 || output-n < len(e.Arrivals) {
		return 0, 0
	}
	var gaps []time.Duration
	for i := 1; i < len(e.Arrivals); i++ {
		gaps = append(gaps, e.Arrivals[i].At.Sub(e.Arrivals[i-1].At))
	}
	if len(gaps) < heldEvents {
		return n, 0
	}
	longest := slices.Max(gaps)
	at = slices.Index(gaps, longest) + 1
	slices.Sort(gaps)
	if usual := gaps[len(gaps)/2]; longest < pauseTimes*usual || 2*longest < time.Duration(n)*usual {
		return n, 0
	}
	return n, at
}

// finishLength is the finish_reason of an answer that came to its max_tokens.
const finishLength = "length"

// share estimates how many of n tokens the first of the arrivals hold, by their part of the text.
func share(arrivals []Arrival, first, n int) int {
	size, all := 0, 0
	for i, a := range arrivals {
		all += a.Size
		if i < first {
			size += a.Size
		}
	}
	part := float64(first) / float64(len(arrivals))
	if all > 0 {
		part = float64(size) / float64(all)
	}
	return min(max(int(math.Round(part*float64(n))), first), n-(len(arrivals)-first))
}

func ones(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = 1
	}
	return s
}
