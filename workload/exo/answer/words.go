package answer

import (
	"fmt"
	"log/slog"
)

// Words are text of an answer on its way from the wire to a Reading, which makes verdicts of it. They can neither be
// printed nor logged nor encoded: fmt asks no unexported field how it wants to be printed, and follows no pointer in one.
type Words struct{ text *string }

// NewWords returns text as Words.
func NewWords(text string) Words {
	if text == "" {
		return Words{}
	}
	return Words{&text}
}

func (w Words) string() string {
	if w.text == nil {
		return ""
	}
	return *w.text
}

// Join returns w with more behind it.
func (w Words) Join(more Words) Words {
	switch {
	case w.text == nil:
		return more
	case more.text == nil:
		return w
	}
	return NewWords(*w.text + *more.text)
}

// Format implements fmt.Formatter: it tells the length.
func (w Words) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%d bytes", len(w.string())) }

// LogValue implements slog.LogValuer: it tells the length.
func (w Words) LogValue() slog.Value { return slog.IntValue(len(w.string())) }
