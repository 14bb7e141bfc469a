package answer

import (
	"fmt"
	"log/slog"
)

// Words are text of an answer on its way from the wire to a Reading, which makes verdicts of it. They can neither be
// printed nor logged nor encoded.
type Words struct{ text string }

// NewWords returns text as Words.
func NewWords(text string) Words { return Words{text} }

// Join returns w with more behind it.
func (w Words) Join(more Words) Words { return Words{w.text + more.text} }

// Format implements fmt.Formatter: it tells the length.
func (w Words) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%d bytes", len(w.text)) }

// LogValue implements slog.LogValuer: it tells the length.
func (w Words) LogValue() slog.Value { return slog.IntValue(len(w.text)) }
