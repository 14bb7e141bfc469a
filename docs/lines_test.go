package docs

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// maxLine is the longest line of code in columns. Lines of tests may be longer, because many hold what a node sent;
// so may those with the meaning of a variable, which the language has no way to break.
const maxLine = 140

func TestLinesAreShort(t *testing.T) {
	for _, file := range goFiles(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		n := 0
		for line := range strings.Lines(read(t, file)) {
			n++
			if got := utf8.RuneCountInString(strings.TrimRight(line, "\n")); got > maxLine && !strings.Contains(line, `meaning:"`) {
				t.Errorf("%s:%d has %d columns, more than %d", file, n, got, maxLine)
			}
		}
	}
}
