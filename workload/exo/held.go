package exo

import (
	"context"
	"fmt"
	"time"

	"exo-bench-exporter/workload"
)

// A server begins to answer when the prompt is computed, however long the answer gets. What makes an answer wait until it is
// whole and then replays it, at whatever pace, has the first token come the later the more tokens follow it. Nothing in one
// answer shows that; two of different lengths raise the suspicion, and a third one, of a length between theirs, proves it.

const (
	// An answer is longer than another where it has so many times its tokens, and the prompt no more than a part of the
	// tokens that it has more: one of a prompt takes no longer than one of an answer.
	longerTimes = 2
	promptPart  = 8
	// heldLeast is from what difference on two times to the first token are not the same.
	heldLeast = 150 * time.Millisecond
	// slowest is by how much more slowly than it was made an answer may be replayed: what made a first token late by chance
	// would have to be an engine so much faster than its tokens come.
	slowest = 4
	// heldOff is the part by which the time to the first token of the third answer may differ from what follows from the others.
	heldOff = 0.2
)

// wait is how long an answer let wait for its first token.
type wait struct {
	promptID       string
	prompt, tokens int // tokens of the prompt that were computed, 0 where that is not known, and of the answer
	ttft           time.Duration
	pace           time.Duration // time per output token after the first; 0 where that is not known
}

// waitOf returns the wait for res; false where none of it is known.
func waitOf(res workload.Result) (w wait, ok bool) {
	good := res.OK() || res.Outcome == workload.OutcomeBuffered
	w = wait{promptID: res.Prompt, prompt: res.PrefillTokens(), tokens: res.CountedTokens(), ttft: res.TTFT}
	w.pace, _ = res.TPOT()
	return w, good && res.Timed && !res.Starved && w.tokens > 0
}

// each returns by how much later w's first token came than that of a shorter answer, for each token that it has more; false where
// that does not look as if either had waited for all of its tokens.
func (w wait) each(short wait) (d time.Duration, ok bool) {
	more := w.tokens - short.tokens
	known := w.prompt > 0 && short.prompt > 0 || w.promptID == short.promptID
	later := w.ttft - short.ttft
	if w.tokens < longerTimes*short.tokens || !known || w.prompt-short.prompt > more/promptPart || later < heldLeast {
		return 0, false
	}
	d = later / time.Duration(more)
	if slowest*d < w.pace { // tokens would have been made so much faster than they came
		return 0, false
	}
	return d, float64(short.ttft) >= (1-heldOff)*float64(d)*float64(short.tokens-1)
}

// holder knows the answers of a session, and whether something holds them back.
type holder struct {
	seen  []wait
	asked bool   // for a third answer
	why   string // what shows that answers are held back; empty while nothing does
}

// shorter returns an earlier answer beside which w looks held back; false where none is.
func (h *holder) shorter(w wait) (short wait, ok bool) {
	for _, s := range h.seen {
		if _, is := w.each(s); is && (!ok || s.ttft < short.ttft) {
			short, ok = s, true
		}
	}
	return short, ok
}

// proves reports whether the time to the first token of the third answer is what follows from the others where all were held back.
func (w wait) proves(short, long wait) bool {
	each, _ := long.each(short)
	more := float64(w.tokens - short.tokens)
	if w.tokens <= short.tokens || w.tokens >= long.tokens {
		return false
	}
	off := float64(w.ttft-short.ttft) - more*float64(each)
	return off <= heldOff*more*float64(each) && -off <= heldOff*more*float64(each)
}

// heldBack makes res, of r, one of which nothing was timed where answers are held back, and returns the results of what it had to ask
// for to know, which is at most one answer in a session.
func (s *session) heldBack(ctx context.Context, r workload.Request, res *workload.Result) (asked []workload.Result) {
	w, ok := waitOf(*res)
	if !ok {
		return nil
	}
	h := &s.holder
	if short, is := h.shorter(w); is && h.why == "" && !h.asked && !r.Warmup {
		h.asked = true
		r.Prompt.MaxTokens = (short.tokens + w.tokens) / 2
		asked = s.measure(ctx, r)
		if third, ok := waitOf(asked[len(asked)-1]); ok && third.proves(short, w) {
			h.why = fmt.Sprintf("the first token comes the later the more tokens follow it (%d came after %v, %d after %v, %d after %v): "+
				"something on the way holds answers back until they are whole and replays them",
				short.tokens, short.ttft.Round(time.Millisecond), third.tokens, third.ttft.Round(time.Millisecond),
				w.tokens, w.ttft.Round(time.Millisecond))
		}
	}
	if h.seen = append(h.seen, w); h.why != "" && res.OK() {
		res.Outcome, res.Err = workload.OutcomeBuffered, h.why
	}
	return asked
}
