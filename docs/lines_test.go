package docs

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

// maxLine is the longest line of code in columns. Those with the meaning of a variable may be longer, which the
// language has no way to break.
const maxLine = 140

// longLines are the files whose lines may be longer, each with the reason.
var longLines = map[string]string{
	"workload/exo/odd_test.go": "what odd servers send stands in one line a case",
}

func TestLinesAreShort(t *testing.T) {
	n := 0
	err := fs.WalkDir(os.DirFS(root), ".", func(file string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && (name == "testdata" || name == "node_modules" || file != "." && name[0] == '.'):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(file, ".go") || longLines[file] != "":
			return nil
		}
		n++
		at := 0
		for line := range strings.Lines(read(t, file)) {
			at++
			if got := utf8.RuneCountInString(strings.TrimRight(line, "\n")); got > maxLine && !strings.Contains(line, `meaning:"`) {
				t.Errorf("%s:%d has %d columns, more than %d", file, at, got, maxLine)
			}
		}
		return nil
	})
	if err != nil || n < 300 {
		t.Fatalf("%d Go files: %v", n, err)
	}
}
