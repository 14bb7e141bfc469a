package answer

import (
	"math"

	"exo-bench-exporter/workload"
)

// maxHead is how many events a template may put before an answer, headPart the part of the time until
// the first true token within which they come: before the prompt is computed.
const (
	maxHead  = 2
	headPart = 4
)

// head returns how many of the first arrivals are no tokens but what a template puts before the answer,
// such as the mark that opens the thoughts: so many the node counts fewer than there are events, and
// long before the others they came.
func (e *Evidence) head() int {
	told := e.told()
	if told == 0 && e.Extra > 0 && e.Finish == finishLength {
		told = e.Asked
	}
	k := e.Events() - told
	if told == 0 || k < 1 || k > maxHead || len(e.Arrivals) < k+heldEvents || e.Sent.IsZero() {
		return 0
	}
	rest := e.Arrivals[k:]
	came, next := e.Arrivals[k-1].At.Sub(e.Sent), rest[0].At.Sub(e.Sent)
	if headPart*came > next || next-came < pauseTimes*meanStep(rest) {
		return 0
	}
	return k
}

// behead is Take for an answer of which the first so many arrivals are no tokens. As many at its end are
// not kept where as many as were asked for are.
func (e *Evidence) behead(head int) Tally {
	rest := *e
	rest.Arrivals, rest.Extra = e.Arrivals[head:], 0
	t := Take(&rest)
	t.Head, t.Mismatch = head, true
	switch t.Source {
	case workload.TokensFromEvents:
		t.Output += e.Extra
	case workload.TokensUnknown:
		return t
	}
	t.Silent = max(t.Silent, min(e.Extra, t.Output-len(rest.Arrivals)))
	return t
}

// runningBeyond reports whether a usage that runs along shows that the node went on past what was
// asked for with several tokens an event.
func (e *Evidence) runningBeyond() bool {
	steps := e.steps()
	sum := 0
	for _, s := range steps {
		sum += s
	}
	return !e.within(sum)
}

// strayPart is the part of the tokens up to which more events came by accident.
const strayPart = 10

// scattered measures an answer that came in more events than tokens were asked for, though the node
// counts no more than that: some events are none of a token's own. Of the tokens, those in the events
// that are not measured have no time.
func (t *Tally) scattered(e *Evidence, told int) {
	t.Output, t.Source = told, e.counter()
	together := firstRead(e.Arrivals, nearness(e.Arrivals))
	each := float64(told) / float64(e.Events())
	if e.Events()-told <= told/strayPart { // a few that stray, of which nothing tells where
		each = 1
	}
	t.First = min(max(1, int(math.Round(each*float64(together)))), told)
	t.Silent = told - min(told, max(t.First, int(math.Round(each*float64(len(e.Arrivals))))))
}

// overran measures the first Asked tokens of an answer of which more came. That the node went on past what was asked for
// its count shows, or events that are no less than tokens and more than a template puts before them.
func (t *Tally) overran(e *Evidence, told int) {
	t.Overran = !e.within(told) || e.runningBeyond() || e.Extra > maxHead && e.less() == ""
	steps := e.steps()
	if steps == nil {
		each := max(1, int(math.Round(float64(told)/float64(e.Events()))))
		if told > maxPerEvent*e.Events() {
			each = 1
		}
		steps = ones(len(e.Arrivals))
		for i := range steps {
			steps[i] = each
		}
	}
	t.Measured = 0
	for _, s := range steps {
		if t.Output+s > e.Asked && t.Measured > 0 {
			break
		}
		t.Output += s
		t.Measured++
	}
	t.Output, t.Source = min(t.Output, e.Asked), workload.TokensFromEvents
	t.Steps = steps[:t.Measured]
	for _, s := range t.Steps[:min(firstRead(e.Arrivals, nearness(e.Arrivals)), t.Measured)] {
		t.First += s
	}
	t.First = min(t.First, t.Output)
}

// maxPerEvent is how many tokens an event may carry on the mean; a count beyond is an error.
const maxPerEvent = 64
