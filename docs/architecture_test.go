// Package docs tests what the documents of this repository say against its sources.
package docs

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	root   = ".."
	module = "exo-bench-exporter/"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// goFiles returns the Go files of the main module, relative to its root.
func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (path == "e2e" || d.Name() == "testdata" || d.Name() == "node_modules" || path != "." && d.Name()[0] == '.'):
			return fs.SkipDir
		case strings.HasSuffix(path, ".go"):
			files = append(files, path)
		}
		return nil
	})
	if err != nil || len(files) < 100 {
		t.Fatalf("%d Go files: %v", len(files), err)
	}
	return files
}

// imports returns what each package imports of this module, tests aside.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, file := range goFiles(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.ToSlash(filepath.Dir(file))
		all[dir] = append(all[dir], []string{}...)
		for _, i := range parsed.Imports {
			if of, ours := strings.CutPrefix(strings.Trim(i.Path.Value, `"`), module); ours && !slices.Contains(all[dir], of) {
				all[dir] = append(all[dir], of)
			}
		}
	}
	return all
}

var inCode = regexp.MustCompile("`([^`]+)`")

// rooms reads the table of packages: what each may import.
func rooms(t *testing.T) map[string][]string {
	t.Helper()
	_, table, _ := strings.Cut(read(t, "docs/architecture.md"), "<!-- rooms -->")
	table, _, found := strings.Cut(table, "<!-- /rooms -->")
	if !found {
		t.Fatal("docs/architecture.md has no table between <!-- rooms --> and <!-- /rooms -->")
	}
	may := map[string][]string{}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		name := inCode.FindStringSubmatch(line)
		if len(cells) < 5 || name == nil {
			continue
		}
		may[name[1]] = []string{}
		for _, m := range inCode.FindAllStringSubmatch(cells[3], -1) {
			may[name[1]] = append(may[name[1]], unfold(m[1])...)
		}
	}
	return may
}

// unfold returns the packages that a name stands for: a{,/b,/c} is a, a/b and a/c, as in a shell.
func unfold(name string) (all []string) {
	before, rest, folded := strings.Cut(name, "{")
	inside, after, closed := strings.Cut(rest, "}")
	if !folded || !closed {
		return []string{name}
	}
	for part := range strings.SplitSeq(inside, ",") {
		all = append(all, before+part+after)
	}
	return all
}

// TestRoomsKnowOnlyWhatTheyMay holds the table of packages against their imports.
func TestRoomsKnowOnlyWhatTheyMay(t *testing.T) {
	may, does := rooms(t), imports(t)
	for name, others := range does {
		allowed, listed := may[name]
		if !listed {
			t.Errorf("package %s is not in the table of rooms in docs/architecture.md", name)
			continue
		}
		for _, other := range others {
			if !slices.Contains(allowed, other) {
				t.Errorf("package %s imports %s, which docs/architecture.md does not allow", name, other)
			}
		}
	}
	for name, allowed := range may {
		others, exists := does[name]
		if !exists {
			t.Errorf("docs/architecture.md names a package %s that does not exist", name)
		}
		for _, other := range allowed {
			if !slices.Contains(others, other) {
				t.Errorf("docs/architecture.md allows %s to import %s, which it does not need", name, other)
			}
		}
	}
}

// What every part of the program may rely on.
func TestNobodyReachesUp(t *testing.T) {
	for name, others := range imports(t) {
		for _, other := range others {
			switch {
			case strings.HasPrefix(other, "cmd/"):
				t.Errorf("%s imports %s: commands are on top", name, other)
			case strings.HasPrefix(name, "workload") && !strings.HasPrefix(other, "workload"):
				t.Errorf("%s imports %s: measuring knows nothing of what is shown", name, other)
			case strings.HasPrefix(other, "workload/exosim") && !strings.HasPrefix(name, "workload/exosim") && name != "app" &&
				name != "cmd/exo-sim":
				t.Errorf("%s imports %s: only the assembly and tests know the simulator", name, other)
			}
		}
	}
}
