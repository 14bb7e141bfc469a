package main

import (
	"flag"
	"os/exec"
	"strings"
	"testing"
)

// Completions and the manual page have every command with every flag.
func TestWhatIsGeneratedOfCommandsHasThemAll(t *testing.T) {
	for _, args := range [][]string{{"completion", "bash"}, {"completion", "zsh"}, {"completion", "fish"}, {"man"}} {
		var out, stderr buffer
		if got := run(t.Context(), args, env(t), &out, &stderr); got != exitOK {
			t.Fatalf("%q: %d %s", args, got, stderr.String())
		}
		text := strings.ReplaceAll(out.String(), `\-`, "-")
		for _, c := range commands() {
			fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
			c.flags(fs)
			if !strings.Contains(text, c.name) {
				t.Errorf("%q lacks the command %s", args, c.name)
			}
			fs.VisitAll(func(f *flag.Flag) {
				name := "-" + f.Name
				if args[len(args)-1] == "fish" {
					name = "-o " + f.Name + " "
				}
				if !strings.Contains(text, name) {
					t.Errorf("%q lacks %s of %q", args, name, c.name)
				}
			})
		}
		if shell, err := exec.LookPath("bash"); err == nil && args[len(args)-1] == "bash" {
			check := exec.CommandContext(t.Context(), shell, "--norc", "-c", out.String()+`
COMP_WORDS=(exo-bench-exporter once -js) COMP_CWORD=2; _exo_bench_exporter; echo "${COMPREPLY[*]}"
COMP_WORDS=(exo-bench-exporter hea) COMP_CWORD=1; _exo_bench_exporter; echo "${COMPREPLY[*]}"`)
			if got, err := check.CombinedOutput(); err != nil || string(got) != "-json\nhealthcheck\n" {
				t.Errorf("bash completes %q, %v", got, err)
			}
		}
	}
	var out, stderr buffer
	got := run(t.Context(), []string{"completion", "tcsh"}, env(t), &out, &stderr)
	if got != exitUsage || !strings.Contains(stderr.String(), "bash, zsh or fish") {
		t.Errorf("completion tcsh: %d %s", got, stderr.String())
	}
}
