// Package answer holds what an answer is made of, whatever API it came by: each dialect decodes
// its stream into Events, and everything after that knows nothing else.
package answer

import (
	"time"

	"exo-bench-exporter/workload"
)

// Event is one event of a streamed answer, or a whole answer that came as one document. What an
// event does not tell is zero. The text itself is never kept.
type Event struct {
	// At is when the read that brought the event's last byte returned, before anything was parsed.
	At time.Time
	// Read is the number of that read: events with the same number came together, and nothing
	// can be said of the time between them.
	Read int

	ID     string // of the answer
	Model  string // that the answer says it is by
	Delta  Delta
	Finish string // why the model stopped; empty while it goes on
	Usage  Usage
	Server *workload.ServerStats // the node's own figures
	Energy float64               // joules, as the node says

	Accepted bool   // nothing but a sign that the node has taken the request up
	Error    string // the answer has failed; in the node's words
	End      bool   // nothing belongs to the answer any more
}

// Usage is the node's count of tokens.
type Usage struct {
	Prompt     int
	Cached     int // of Prompt, found in a prefix cache
	Completion int
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
	Content Text // the answer proper
	Thought Text // what a thinking model puts before it
	Tool    bool // a part of a tool call
}

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
