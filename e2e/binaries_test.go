package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The binaries under test, built from the tree that the tests are in.
var (
	repository string // root of the tree
	exporter   string // exo-bench-exporter
	simulator  string // exo-sim
	revision   string // commit that is checked out, empty outside a checkout
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "exo-bench-exporter-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if repository, err = filepath.Abs(".."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	git := exec.Command("git", "rev-parse", "HEAD")
	git.Dir = repository
	head, _ := git.Output() // TestVersionFromVCS notices
	revision = strings.TrimSpace(string(head))
	// auto stamps the version when the tree is a checkout; a -buildvcs=false in the machine's
	// GOFLAGS must not turn that off.
	build := exec.Command("go", "build", "-buildvcs=auto", "-o", dir+"/", "./cmd/exo-bench-exporter", "./cmd/exo-sim")
	build.Dir = repository
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v: %v\n%s", build, err, out)
		return 1
	}
	exporter, simulator = filepath.Join(dir, "exo-bench-exporter"), filepath.Join(dir, "exo-sim")
	return m.Run()
}
