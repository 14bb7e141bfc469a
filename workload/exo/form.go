package exo

import (
	"bytes"
	"net/http"
	"strings"
)

// form is what a server was found not to take of a body, as bits. Servers that are strict refuse
// fields that they do not know, and some want other ones.
type form uint8

const (
	withoutGoOn form = 1 << iota
	withoutStreamOptions
	withoutSeed
	withoutTemperature
	withCompletionTokens
)

// formBare is what is tried when a server refuses a body without naming a field.
const formBare = withoutGoOn | withoutStreamOptions | withoutSeed

// adaptations are what can be done about a refusal.
var adaptations = []struct {
	bit    form
	fields []string // that a refusal names
	name   string
	apply  func(*chatRequest)
}{
	{withoutGoOn, []string{"ignore_eos", "min_tokens"}, "no ignore_eos", func(b *chatRequest) { b.IgnoreEOS, b.MinTokens = false, 0 }},
	{withoutStreamOptions, []string{"stream_options", "include_usage"}, "no stream_options", func(b *chatRequest) { b.StreamOptions = nil }},
	{withoutSeed, []string{"seed"}, "no seed", func(b *chatRequest) { b.Seed = nil }},
	{withoutTemperature, []string{"temperature"}, "no temperature", func(b *chatRequest) { b.Temperature = nil }},
	{withCompletionTokens, []string{"max_tokens", "max_completion_tokens"}, "max_completion_tokens", func(b *chatRequest) {
		b.MaxTokens, b.Completion = 0, b.MaxTokens
	}},
}

// apply changes a body to the form.
func (f form) apply(b *chatRequest) {
	for _, a := range adaptations {
		if f&a.bit != 0 {
			a.apply(b)
		}
	}
}

// String names the form; it is empty for a dialect's own.
func (f form) String() string {
	var names []string
	for _, a := range adaptations {
		if f&a.bit != 0 {
			names = append(names, a.name)
		}
	}
	return strings.Join(names, ", ")
}

// without returns f without the fields that a refusal names.
func (f form) without(refusal []byte) form {
	for _, a := range adaptations {
		for _, field := range a.fields {
			if namesField(refusal, field) {
				f |= a.bit
			}
		}
	}
	return f
}

// mindsBody reports whether a status is that of a server which does not take what a body holds. Any
// other may be as well, but has to be said twice.
func mindsBody(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusUnprocessableEntity
}

// namesField reports whether text holds field as a word of its own: max_tokens is not named by
// max_completion_tokens.
func namesField(text []byte, field string) bool {
	part := func(b byte) bool {
		return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
	}
	for from := 0; ; {
		i := bytes.Index(text[from:], []byte(field))
		if i < 0 {
			return false
		}
		at, end := from+i, from+i+len(field)
		if (at == 0 || !part(text[at-1])) && (end == len(text) || !part(text[end])) {
			return true
		}
		from = end
	}
}
