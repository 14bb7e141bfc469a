package main

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"exo-bench-exporter/exporter"
)

func document(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../..", file))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestDocumentsNameEveryCommandAndFlag asserts that nothing that can be typed is documented nowhere.
func TestDocumentsNameEveryCommandAndFlag(t *testing.T) {
	documented := document(t, "docs/commands.md") + document(t, "docs/alerts.md")
	for _, c := range commands() {
		if call := "`" + strings.TrimSpace("exo-bench-exporter "+c.name); !strings.Contains(documented, call) {
			t.Errorf("docs/commands.md does not name the command %s", call)
		}
		fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
		c.flags(fs)
		fs.VisitAll(func(f *flag.Flag) {
			if !regexp.MustCompile("[`[ ]-" + regexp.QuoteMeta(f.Name) + "\\b").MatchString(documented) {
				t.Errorf("docs/commands.md and docs/alerts.md do not name the flag -%s of %q", f.Name, c.name)
			}
		})
	}
}

var (
	codeBlock  = regexp.MustCompile("(?ms)^```\\w*\n(.*?)^```")
	codeSpan   = regexp.MustCompile("`([^`\n[…]+)`")
	assignment = regexp.MustCompile(`^([A-Z][A-Z_]+)=(.*)$`)
)

// TestWhatIsToBeTypedCanBe asserts of everything in the documents that calls this program that it has the command, the
// flags and the variables, and of what calls docker compose that its file knows the variables.
func TestWhatIsToBeTypedCanBe(t *testing.T) {
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, "../../README.md", "../../CONTRIBUTING.md", "../../SECURITY.md", "../../prometheus/RUNBOOK.md",
		"../../grafana/README.md", "../../config/README.md", "../../prometheus/local/README.md")
	composed := document(t, "docker-compose.yml")
	calls := 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		for _, block := range codeBlock.FindAllStringSubmatch(text, -1) {
			for line := range strings.Lines(strings.ReplaceAll(block[1], "\\\n", " ")) {
				for call := range strings.SplitSeq(withoutComment(line), "&&") {
					calls += checkCall(t, filepath.Base(file), strings.Fields(call), composed)
				}
			}
		}
		for _, span := range codeSpan.FindAllStringSubmatch(codeBlock.ReplaceAllString(text, ""), -1) {
			calls += checkCall(t, filepath.Base(file), strings.Fields(span[1]), composed)
		}
	}
	if calls < 30 {
		t.Errorf("only %d calls were found in %d documents", calls, len(files))
	}
}

func withoutComment(line string) string {
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, "#") {
		return ""
	}
	line, _, _ = strings.Cut(line, " #")
	return line
}

// checkCall checks one call of this program or of docker compose, and returns 1, or 0 where words are neither.
func checkCall(t *testing.T, file string, words []string, composed string) int {
	t.Helper()
	var variables []string
	for len(words) > 0 && (words[0] == "export" || assignment.MatchString(words[0])) {
		if m := assignment.FindStringSubmatch(words[0]); m != nil {
			variables = append(variables, m[1])
		}
		words = words[1:]
	}
	switch typed := strings.Join(words, " "); {
	case strings.HasPrefix(typed, "go run ./cmd/exo-bench-exporter"):
		checkArguments(t, file, typed, words[3:])
	case len(words) > 0 && words[0] == "exo-bench-exporter":
		checkArguments(t, file, typed, words[1:])
	case strings.HasPrefix(typed, "docker compose "):
		for _, v := range variables {
			if !strings.Contains(composed, "${"+v+":") && !strings.Contains(composed, "\n      "+v+":\n") {
				t.Errorf("%s: %q sets %s, which compose does not know", file, typed, v)
			}
		}
		return 1
	default:
		return 0
	}
	for _, v := range variables {
		if !slices.ContainsFunc(exporter.Variables(), func(known exporter.Variable) bool { return known.Name == v }) {
			t.Errorf("%s: there is no variable %s", file, v)
		}
	}
	return 1
}

// checkArguments asserts that a call has a command that there is, and arguments that it takes.
func checkArguments(t *testing.T, file, typed string, args []string) {
	t.Helper()
	if i := slices.IndexFunc(args, func(a string) bool { return strings.HasPrefix(a, ">") || a == "|" }); i >= 0 {
		args = args[:i]
	}
	name := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	}
	if name == "help" && len(args) > 0 {
		name, args = args[0], nil
	} else if name == "help" {
		name = ""
	}
	i := slices.IndexFunc(commands(), func(c command) bool { return c.name == name })
	if i < 0 {
		t.Errorf("%s: %q calls a command that there is not", file, typed)
		return
	}
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	commands()[i].flags(fs)
	if err := fs.Parse(args); err != nil && !errors.Is(err, flag.ErrHelp) || fs.NArg() > 0 && !commands()[i].operands {
		t.Errorf("%s: %q cannot be typed: %v, left over: %q", file, typed, err, fs.Args())
	}
}
