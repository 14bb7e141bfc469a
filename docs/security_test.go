package docs

import (
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPromisesAreHeld asserts that every promise of SECURITY.md names tests, each of which is in the package that is
// named before it.
func TestPromisesAreHeld(t *testing.T) {
	row := regexp.MustCompile(`(?m)^\| (.+) \| (.+) \|$`)
	list := regexp.MustCompile("^`([\\w/-]+)` (.+)$")
	promises := 0
	for _, m := range row.FindAllStringSubmatch(read(t, "SECURITY.md"), -1) {
		if m[1] == "promise" || strings.HasPrefix(m[1], "---") {
			continue
		}
		promises++
		for _, part := range strings.Split(m[2], "; ") {
			in := list.FindStringSubmatch(part)
			if in == nil {
				t.Errorf("%q names no package and its tests", part)
				continue
			}
			files, err := filepath.Glob(filepath.Join(root, in[1], "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			var tests strings.Builder
			for _, file := range files {
				tests.WriteString(read(t, path.Join(in[1], filepath.Base(file))))
			}
			for _, name := range strings.Split(in[2], ", ") {
				if !strings.Contains(tests.String(), "\nfunc "+name+"(") {
					t.Errorf("package %s has no %s, which is to hold: %s", in[1], name, m[1])
				}
			}
		}
	}
	if promises < 20 {
		t.Errorf("only %d promises were found", promises)
	}
}
