package exporter

import (
	"fmt"
	"io"
	"log/slog"
)

// hidden stands for a secret wherever one could be printed.
const hidden = "<secret>"

// Secret is a string that never prints itself: fmt, slog, encoding/json and YAML see a
// placeholder. An empty Secret prints as nothing.
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// Format implements fmt.Formatter, so that no verb, not even %#v or %x, reveals the secret.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler, which JSON and YAML encoders use.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
