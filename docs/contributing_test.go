package docs

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// documents returns what is written for people, relative to the root.
func documents(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, in := range []string{"*.md", "config/*.md", "docs/*.md", "grafana/*.md", "prometheus/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, in))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %q, %v", in, found, err)
		}
		for _, file := range found {
			files = append(files, path.Clean(strings.TrimPrefix(filepath.ToSlash(file), root+"/")))
		}
	}
	return files
}

var (
	link     = regexp.MustCompile(`\]\(([^)#:\s]*)(?:#([^)\s]*))?\)`)
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	codeSpan = regexp.MustCompile("`([^`\n]+)`")
	// aPath is a file or folder of this repository, where code looks like one.
	aPath = regexp.MustCompile(`^(\.ci|app|cmd|docs|e2e|exporter|grafana|prometheus|workload)/[\w./*-]+$|^[\w-]+\.(go|md|yml|yaml|env)$`)
)

// TestLinksLeadSomewhere asserts that what the documents link to is there: the file, and the heading in it.
func TestLinksLeadSomewhere(t *testing.T) {
	found := 0
	for _, document := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, document), -1) {
			found++
			target := document
			if m[1] != "" {
				target = path.Join(path.Dir(document), m[1])
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s links to %s, which is not there", document, m[1])
			} else if m[2] != "" && !slices.Contains(anchors(read(t, target)), m[2]) {
				t.Errorf("%s links to the heading %s of %s, which has none such", document, m[2], target)
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d links were found", found)
	}
}

// anchors returns what the headings of a document are linked to as, by GitHub's rule for plain ones.
func anchors(text string) []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		all = append(all, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, m[1]))
	}
	return all
}

// TestReadmeIsShort asserts that README stays what somebody reads to the end, and leads to every other document.
func TestReadmeIsShort(t *testing.T) {
	readme := read(t, "README.md")
	if n := strings.Count(readme, "\n"); n > 120 {
		t.Errorf("README.md has %d lines, more than 120: move what is not for everybody to docs", n)
	}
	for _, file := range documents(t) {
		if strings.HasPrefix(file, "docs/") && !strings.Contains(readme, "("+file+")") && file != "docs/judge.md" {
			t.Errorf("README.md does not lead to %s", file)
		}
	}
}

// TestContributingNamesFilesThatExist asserts that the recipes lead to files.
func TestContributingNamesFilesThatExist(t *testing.T) {
	found := 0
	for _, m := range codeSpan.FindAllStringSubmatch(read(t, "CONTRIBUTING.md"), -1) {
		name := m[1]
		if !aPath.MatchString(name) || strings.Contains(name, "NAME") || !strings.Contains(name, "/") {
			continue
		}
		found++
		if files, err := filepath.Glob(filepath.Join(root, name)); err != nil || len(files) == 0 {
			t.Errorf("CONTRIBUTING.md names %s, which is not there", name)
		}
	}
	if found < 20 {
		t.Errorf("only %d files are named in CONTRIBUTING.md", found)
	}
}

// TestEveryCheckIsExplained holds the table of checks against the steps of .ci/run.
func TestEveryCheckIsExplained(t *testing.T) {
	contributing, ci := read(t, "CONTRIBUTING.md"), read(t, ".ci/run")
	var want []string
	for _, m := range regexp.MustCompile(`(?m)^\s*step "([^"]+)"`).FindAllStringSubmatch(ci, -1) {
		if before, _, perModule := strings.Cut(m[1], "$module"); perModule {
			for _, module := range []string{"e2e", "e2e/backfill", "e2e/render", "e2e/replay"} {
				want = append(want, before+module)
			}
			continue
		}
		want = append(want, m[1])
	}
	if len(want) < 10 {
		t.Fatalf("steps of .ci/run: %q", want)
	}
	at := 0
	for _, step := range want {
		i := strings.Index(contributing, "\n| "+step+" | ")
		if i < 0 {
			t.Errorf("CONTRIBUTING.md does not say what the step %q is for", step)
		} else if i < at {
			t.Errorf("CONTRIBUTING.md has the step %q in another order than .ci/run", step)
		} else {
			at = i
		}
	}
}
