package main

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestReadmeNamesEveryCommandAndFlag asserts that nothing that can be typed is documented nowhere.
func TestReadmeNamesEveryCommandAndFlag(t *testing.T) {
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(b)
	for _, c := range commands() {
		if call := "`" + strings.TrimSpace("exo-bench-exporter "+c.name); !strings.Contains(readme, call) {
			t.Errorf("README.md does not name the command %s", call)
		}
		fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
		c.flags(fs)
		fs.VisitAll(func(f *flag.Flag) {
			if !regexp.MustCompile("[`[ ]-" + regexp.QuoteMeta(f.Name) + "\\b").MatchString(readme) {
				t.Errorf("README.md does not name the flag -%s of %q", f.Name, c.name)
			}
		})
	}
}
