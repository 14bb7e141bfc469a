package world

import (
	"strings"
	"time"

	"exo-bench-exporter/workload/exosim/pace"
)

// StrangerPrompt opens the prompt of every stranger's generation. Nobody but the node's
// own state may ever show it.
const StrangerPrompt = "PRIVATE-PROMPT-OF-A-STRANGER"

// StrangersMessages returns what a stranger asks.
func StrangersMessages() []pace.Message {
	return []pace.Message{{Role: "user", Content: StrangerPrompt + strings.Repeat(" and so on", 20)}}
}

// Silence is the sink of a stranger's answer.
type Silence struct{}

// KeepAlive implements pace.Sink.
func (Silence) KeepAlive() error { return nil }

// Progress implements pace.Sink.
func (Silence) Progress(_, _ int) error { return nil }

// Token implements pace.Sink.
func (Silence) Token(g *pace.Generation, _ pace.Token) error {
	now := time.Now()
	g.Record.Wrote(now, now)
	return nil
}
