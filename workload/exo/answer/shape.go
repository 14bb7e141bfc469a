package answer

import (
	"fmt"
	"slices"
	"time"
)

// Shape is what can be said of the times of an answer's tokens.
type Shape struct {
	First, Last  time.Time // token events that are measured; zero where none came
	FirstContent time.Time // of the answer proper; zero where none came
	// Gaps are samples of the time between two tokens: a gap before an event of k tokens is k
	// samples of a k-th. A read that brought several events makes one sample of what a token took.
	Gaps      []time.Duration
	Coalesced int // token events that shared a read with the one before
	// Withheld are samples of gaps that are none because of the exporter itself: it was late to read at one end of
	// them, or asked the node for something else in one or in the one before.
	Withheld int
	// Lateness is how late each read of token events was; empty where that is not known of all.
	Lateness []time.Duration
	// Late says, for people, which time from the request on the exporter's lateness has spoilt; empty for
	// none, and where Lateness is.
	Late string
	// DecodeOff is by how much the time from First to Last is off because of it, where that is too much
	// for a rate to be made of it; 0 elsewhere.
	DecodeOff time.Duration
	// Buffered says, for people, that something on the way held the answer back or replayed it, so
	// that none of its times is the model's; empty when nothing did.
	Buffered string
}

const (
	// together is the time within which one read cannot have waited for another's bytes: no model
	// makes 10,000 tokens a second for one reader. Nor does one that makes a token in the mean every
	// 10 ms make the next one in a tenth of that; a mean that a pause has grown proves less.
	together     = 100 * time.Microsecond
	togetherPart = 10
	togetherMost = time.Millisecond
	// pauseTimes is by how many times a gap may exceed what its tokens take in the mean; beyond it
	// the model has paused before them.
	pauseTimes = 2
	// heldEvents is from how many token events on an answer that comes in one piece was held back:
	// two may meet by chance.
	heldEvents = 3
	// A replay is faster than replayStep a token after a first token that was late by more than
	// replayDelay, by more than a prompt's worth of steps, and by replayTimes the whole decode.
	replayStep  = 2 * time.Millisecond
	replayDelay = 100 * time.Millisecond
	replayTimes = 4
	// contradiction is by how many times an answer may be faster than its own node says, and quicker
	// by how many (and by more than replayDelay) where all of it was made, by the node's own account,
	// before the first token came.
	contradiction = 2
	quicker       = 1.25
)

// Look tells what can be said of the times of the answer e, whose request was sent at t0 and whose
// tokens are t.
func Look(t0 time.Time, e *Evidence, t Tally) Shape {
	var s Shape
	arrivals := e.Arrivals[t.Head:][:t.Measured]
	looked := false // in the gap before
	near, mean, known := nearness(arrivals), meanStep(arrivals), stamped(arrivals)
	for i := 0; i < len(arrivals); {
		n := firstRead(arrivals[i:], near)
		at := arrivals[i].At
		if i == 0 {
			s.First = at
		} else if t.Steps != nil {
			gap, kept, held := at.Sub(s.Last), len(s.Gaps), looked
			looked = e.looked(s.Last, at)
			s.Gaps = appendGap(s.Gaps, gap, mean, t.Steps[i:i+n])
			if looked || held || known && spoilt(gap, arrivals[i].late()-arrivals[i-1].late(), offTime) {
				s.Withheld += len(s.Gaps) - kept
				s.Gaps = s.Gaps[:kept]
			}
		}
		s.Last = arrivals[i+n-1].At
		s.Coalesced += n - 1
		i += n
	}
	s.FirstContent = e.firstContent(arrivals)
	if known {
		s.Lateness, s.Late, s.DecodeOff = lateness(arrivals), s.late(t0, e, arrivals), decodeOff(arrivals)
	}
	s.Buffered = buffered(t0, e, t, s)
	return s
}

// prefill returns the seconds that the prompt took by the node's own account, 0 where it does not tell.
func (e *Evidence) prefill() float64 {
	prompt, cached := e.PromptTokens()
	if e.Stats.PromptTPS <= 0 {
		return 0
	}
	return float64(prompt-cached) / float64(e.Stats.PromptTPS)
}

// firstContent returns when the answer proper began; zero where it did not. A thought that is cut off
// by max_tokens ends with an event that exo sends as content.
func (e *Evidence) firstContent(measured []Arrival) time.Time {
	first := slices.IndexFunc(measured, func(a Arrival) bool { return a.Content })
	cutOff := first > 0 && first == len(measured)-1 && e.Extra == 0 && e.Finish == finishLength
	if first < 0 || cutOff {
		return time.Time{}
	}
	return measured[first].At
}

// meanStep returns the mean time between the arrivals.
func meanStep(arrivals []Arrival) time.Duration {
	if len(arrivals) < 2 {
		return 0
	}
	return arrivals[len(arrivals)-1].At.Sub(arrivals[0].At) / time.Duration(len(arrivals)-1)
}

// nearness returns the time within which two of the arrivals came together.
func nearness(arrivals []Arrival) time.Duration {
	return min(max(together, meanStep(arrivals)/togetherPart), togetherMost)
}

// firstRead returns how many of the arrivals, at least one, came with the first one's read, or
// nearer to each other than near.
func firstRead(arrivals []Arrival, near time.Duration) int {
	if len(arrivals) == 0 {
		return 0
	}
	n := 1
	for n < len(arrivals) && (arrivals[n].Read == arrivals[0].Read || arrivals[n].At.Sub(arrivals[n-1].At) < near) {
		n++
	}
	return n
}

// appendGap adds samples of a gap before events of the given tokens that came together: one a token
// where it was one event, and one of what a token took where there were several. A gap that is
// longer by far than so many tokens take in the mean holds a pause, which is the first one's.
func appendGap(gaps []time.Duration, gap, mean time.Duration, steps []int) []time.Duration {
	tokens := 0
	for _, s := range steps {
		tokens += s
	}
	tokens = max(tokens, 1)
	each, samples := gap/time.Duration(tokens), steps[0]
	if len(steps) > 1 {
		samples = 1
		if gap > pauseTimes*time.Duration(tokens)*mean {
			each = gap - time.Duration(tokens-1)*mean
		}
	}
	for range samples {
		if each > 0 {
			gaps = append(gaps, each)
		}
	}
	return gaps
}

// buffered judges whether the shape is that of something on the way rather than that of a model.
func buffered(t0 time.Time, e *Evidence, t Tally, s Shape) string {
	events := t.Measured
	decode, ttft := s.Last.Sub(s.First), s.First.Sub(t0)
	if events >= heldEvents && s.Coalesced == events-1 {
		return fmt.Sprintf("all %d token events came at once: something on the way held the stream back, and its times are not the model's",
			events)
	}
	tokens := t.Output - t.First - t.Silent
	if tokens < heldEvents || decode <= 0 {
		return ""
	}
	step := decode / time.Duration(tokens)
	rate := float64(tokens) / decode.Seconds()
	server := float64(e.Stats.GenerationTPS)
	prompt, _ := e.PromptTokens()
	late := ttft > replayDelay+time.Duration(prompt)*step && ttft > replayTimes*decode
	took := float64(tokens) / server // by the node's own account
	made := server > 0 && ttft.Seconds() > took+e.prefill() && took-decode.Seconds() > replayDelay.Seconds()
	switch {
	case server > 0 && rate > contradiction*server && late, made && rate > quicker*server:
	case server > 0 && rate <= contradiction*server:
		return ""
	case late && (step < replayStep || 2*s.Coalesced >= events):
	default:
		return ""
	}
	return fmt.Sprintf("%d tokens came within %v after %v of silence, which is faster than they can have been made: something on the way "+
		"replays the answer",
		tokens, decode.Round(time.Microsecond), ttft.Round(time.Millisecond))
}
