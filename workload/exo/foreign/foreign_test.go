package foreign

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestCut(t *testing.T) {
	for _, c := range []struct {
		name, in string
		limit    int
		want     string
	}{
		{"plain", "node-a", 20, "node-a"},
		{"empty", "", 20, ""},
		{"lines", "  one\r\n\ttwo ", 20, "one two"},
		{"control", "a\x1b[31mb\x00", 20, "a\uFFFD[31mb\uFFFD"},
		{"right to left", "a\u202eb", 20, "a\uFFFDb"},
		{"not UTF-8", "a\xffb", 20, "a\uFFFDb"},
		{"exact", "12345678901234567890", 20, "12345678901234567890"},
		{"too long", "123456789012345678901", 20, "123456… (21 bytes)"},
		{"cut within a rune", strings.Repeat("é", 20), 19, "éé… (40 bytes)"},
		{"much white space", strings.Repeat(" ", 1000) + "x", 20, "… (1001 bytes)"},
	} {
		if got := Cut(c.in, c.limit); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	if got := Head("begin", 1<<20, 40); got != "begin… (1048576 bytes)" {
		t.Errorf("head of a long one: %q", got)
	}
}

func FuzzCut(f *testing.F) {
	f.Add("a b\x00", 30)
	f.Add(strings.Repeat("ü", 300), 40)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = 30 + limit%300
		if limit < 30 {
			limit = 30
		}
		got := Cut(s, limit)
		if len(got) > limit || !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("Cut(%q, %d) = %q", s, limit, got)
		}
		if again := Cut(got, limit); again != got {
			t.Errorf("not stable: %q, then %q", got, again)
		}
	})
}
