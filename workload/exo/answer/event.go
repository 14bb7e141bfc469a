// Package answer holds what an answer is made of, whatever API it came by, and what is concluded
// from it. Each dialect decodes its stream into Events; everything after that knows nothing else.
//
//	Event (a delta, its bytes' arrival, what the node counts) → Evidence → Tally → Shape
//
// Tally decides how many tokens there were, Shape what can be said of their times. Both are
// functions of nothing but their arguments.
package answer

import (
	"time"
)

// Event is one event of a streamed answer, or a whole answer that came as one document. What an
// event does not tell is zero. The text itself is there until the event has been read, and never kept.
type Event struct {
	// At is when the read that brought the event's last byte returned, before anything was parsed.
	At time.Time
	// Read is the number of that read: events with the same number came together, and nothing
	// can be said of the time between them.
	Read int
	// Came is when the kernel received that byte; zero where it does not tell.
	Came time.Time

	ID     string // of the answer
	Model  string // that the answer says it is by
	Engine string // that the answer says it was made by, with its version after a space
	Delta  Delta
	Finish string // why the model stopped; empty while it goes on
	Usage  Usage
	Stats  Stats
	Energy Joules // as the node says

	Accepted bool   // nothing but a sign that the node has taken the request up
	Error    string // the answer has failed; in the node's words
	End      bool   // nothing belongs to the answer any more
}

// Usage is the node's count of tokens.
type Usage struct {
	Prompt     Count
	Cached     Count // of Prompt, found in a prefix cache
	Completion Count
	Total      Count // of prompt and answer
	Reasoning  Count // thoughts, of Completion or beside it
}

// merge takes over what later tells: zeros replace nothing.
func (u *Usage) merge(later Usage) {
	take(&u.Prompt, later.Prompt)
	take(&u.Cached, later.Cached)
	take(&u.Completion, later.Completion)
	take(&u.Total, later.Total)
	take(&u.Reasoning, later.Reasoning)
}

// Stats are the node's own figures beside its count of tokens.
type Stats struct {
	PromptTPS, GenerationTPS Rate
	Prompt, Generation       Count // tokens
	Cached                   Count // of Prompt, found in a prefix cache
	PeakMemory               Bytes
	// CacheHit is "none", "partial" or "exact"; empty where the node does not say.
	CacheHit string
}

// merge takes over what later tells: zeros replace nothing.
func (s *Stats) merge(later Stats) {
	take(&s.PromptTPS, later.PromptTPS)
	take(&s.GenerationTPS, later.GenerationTPS)
	take(&s.Prompt, later.Prompt)
	take(&s.Generation, later.Generation)
	take(&s.Cached, later.Cached)
	take(&s.PeakMemory, later.PeakMemory)
	take(&s.CacheHit, later.CacheHit)
}

func take[T comparable](to *T, from T) {
	var zero T
	if from != zero {
		*to = from
	}
}

// Text tells what a JSON value that should be a text holds.
type Text uint8

// What a text may be.
const (
	Absent Text = iota // missing or null
	Empty              // ""
	Filled             // a text with something in it
)

// Delta is what an event adds to the answer.
type Delta struct {
	Words        Words // the text of Content; only a Reading looks at it
	ThoughtWords Words // that of Thought

	Content Text // the answer proper, a refusal included
	Thought Text // what a thinking model puts before it
	Tool    bool // a part of a tool call
	Size    int  // about how many bytes of text all of this is
	Cut     Cut  // where that text begins and ends among words
	// Print is a number that two deltas have in common only when they say the same; another one in each
	// process. 0 where nothing is said.
	Print uint64
}

// Cut says of a text where it begins and ends among words. No tokenizer in use makes one token of two words, or of
// a word and the stop after it, nor two of a single space and the letters after it.
type Cut uint8

// The cuts of a text, which may be joined.
const (
	Letter  Cut = 1 << iota // it begins with a letter of ASCII
	Space                   // it is a single space
	Between                 // there is space within it, between what is none, or a stop after a letter
	Open                    // it ends with a letter of ASCII
)

// Token says what an event counts as.
type Token uint8

// The kinds of token.
const (
	None    Token = iota // not a token event
	Before               // a token of what comes before or beside the answer proper
	Content              // a token of the answer proper
)

// Token tells what the delta counts as where a text that is at least as full as least is a token.
// An empty content beside a thought is the thought's. A tool call, though nothing offers tools,
// is output as a thought is: left out, its tokens would count without their time.
func (d Delta) Token(least Text) Token {
	thought := d.Thought >= least
	switch {
	case d.Content == Filled, d.Content >= least && !thought:
		return Content
	case thought, d.Tool:
		return Before
	}
	return None
}
