// Package foreign takes in text that others have written: a node's ids, names and messages.
// Each such string passes here once, where it enters, so that nothing behind has to mind its
// length or what is in it.
package foreign

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds, in bytes.
const (
	MaxLine = 300 // of words for a log line
	MaxID   = 128 // of an id or a name
)

// Ellipsis stands where text was cut off.
const Ellipsis = "…"

// Line makes s one printable line of at most MaxLine bytes, for a log or a page.
func Line(s string) string { return Cut(s, MaxLine) }

// ID makes s, an id or a name, printable and at most MaxID bytes long.
func ID(s string) string { return Cut(s, MaxID) }

// Cut makes s one printable line of at most limit bytes. What is cut off is replaced by an
// ellipsis and the length that s had.
func Cut(s string, limit int) string { return Head(s, len(s), limit) }

// Head is Cut for a string of length bytes of which only the head was read.
func Head(head string, length, limit int) string {
	cut := length > len(head)
	if bound := 4 * limit; len(head) > bound { // white space may fold
		head, cut = head[:bound], true
	}
	s := printable(head)
	if !cut && len(s) <= limit {
		return s
	}
	mark := fmt.Sprintf("%s (%d bytes)", Ellipsis, length)
	s = s[:min(len(s), max(0, limit-len(mark)))]
	for len(s) > 0 && !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + mark
}

// printable folds white space and replaces what no terminal, log or page should be given:
// control and format characters, bytes that are no UTF-8.
func printable(s string) string {
	if plain(s) {
		return s
	}
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// plain reports whether s is visible ASCII, as ids are.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
