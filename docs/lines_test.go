package docs

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"unicode/utf8"
)

// The longest lines in columns. A line of code that holds the meaning of a variable may be longer, which the
// language has no way to break; so may a row of a table in Markdown, but one beyond maxRow has a paragraph
// for a cell, which belongs below the table, or in rows of its own.
const (
	maxLine = 140
	maxRow  = 320
)

// longLines are the files whose lines may be longer, each with the reason.
var longLines = map[string]string{
	"workload/exo/odd_test.go": "what odd servers send stands in one line a case",
	"docs/metrics.md":          "written by docs/gen, which leaves each help in one line",
}

func TestLinesAreShort(t *testing.T) {
	n := 0
	err := fs.WalkDir(os.DirFS(root), ".", func(file string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && (name == "testdata" || name == "node_modules" || file != "." && name[0] == '.'):
			return fs.SkipDir
		case d.IsDir() || longLines[file] != "":
			return nil
		}
		longest := func(string) int { return maxLine }
		switch path.Ext(file) {
		case ".go":
			n++
		case ".md":
			longest = func(line string) int {
				if strings.HasPrefix(line, "|") {
					return maxRow
				}
				return maxLine
			}
		default:
			return nil
		}
		at := 0
		for line := range strings.Lines(read(t, file)) {
			at++
			got := utf8.RuneCountInString(strings.TrimRight(line, "\n"))
			if most := longest(line); got > most && !strings.Contains(line, `meaning:"`) {
				t.Errorf("%s:%d has %d columns, more than %d", file, at, got, most)
			}
		}
		return nil
	})
	if err != nil || n < 300 {
		t.Fatalf("%d Go files: %v", n, err)
	}
}
