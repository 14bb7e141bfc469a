package docs

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// needsLibc is what a binary for Linux cannot import without being linked to glibc, so that it would not start in an image
// that holds nothing else.
const needsLibc = "github.com/ebitengine/purego"

// TestNoCompilerOfCIsNeeded asserts that there is one source for builds with and without cgo, and that what asks macOS' own
// libraries is in no build for Linux.
func TestNoCompilerOfCIsNeeded(t *testing.T) {
	tag := regexp.MustCompile(`(?m)^//go:build .*\bcgo\b`)
	users := 0
	for _, file := range goFiles(t) {
		if tag.MatchString(read(t, file)) {
			t.Errorf("%s is another source with cgo than without", file)
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range parsed.Imports {
			switch path := strings.Trim(i.Path.Value, `"`); {
			case path == "C":
				t.Errorf("%s needs a C compiler", file)
			case path == needsLibc:
				users++
				if !strings.HasSuffix(file, "_darwin.go") {
					t.Errorf("%s imports %s, which a file for macOS alone may", file, path)
				}
			case strings.HasPrefix(path, "github.com/shirou/gopsutil") && strings.HasSuffix(file, "_darwin.go"):
				t.Errorf("%s imports %s, which is another source with cgo than without", file, path)
			}
		}
	}
	if users == 0 {
		t.Errorf("nobody imports %s: this test looks for nothing", needsLibc)
	}
}
