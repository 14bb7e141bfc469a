package docs

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// documents are for people who change the program.
var documents = []string{
	"CONTRIBUTING.md", "docs/architecture.md", "README.md", "SECURITY.md", "docs/faults.md", "grafana/README.md",
	"prometheus/RUNBOOK.md", "prometheus/QUALITY.md",
}

var (
	link     = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	codeSpan = regexp.MustCompile("`([^`\n]+)`")
	// aPath is a file or folder of this repository, where code looks like one.
	aPath = regexp.MustCompile(`^(\.ci|app|cmd|docs|e2e|exporter|grafana|prometheus|workload)/[\w./*-]+$|^[\w-]+\.(go|md|yml|yaml|env)$`)
)

// TestLinksLeadSomewhere asserts that what the documents link to is there.
func TestLinksLeadSomewhere(t *testing.T) {
	for _, document := range documents {
		for _, m := range link.FindAllStringSubmatch(read(t, document), -1) {
			target := path.Join(path.Dir(document), m[1])
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s links to %s, which is not there", document, m[1])
			}
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
