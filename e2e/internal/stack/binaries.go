package stack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The binaries under test, built by Main from the tree that the tests are in.
var (
	Repository string // root of the tree
	Exporter   string // exo-bench-exporter
	Simulator  string // exo-sim
	Revision   string // commit that is checked out, empty outside a checkout
)

// Main is the TestMain of a package of tests: it builds the binaries, runs the tests and
// returns the exit status. Root is the repository's, relative to the package.
func Main(m *testing.M, root string) int {
	dir, err := os.MkdirTemp("", "exo-bench-exporter-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if Repository, err = filepath.Abs(root); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	git := exec.CommandContext(context.Background(), "git", "rev-parse", "HEAD")
	git.Dir = Repository
	head, _ := git.Output() // TestVersionFromVCS notices
	Revision = strings.TrimSpace(string(head))
	// auto stamps the version when the tree is a checkout; a -buildvcs=false in the machine's
	// GOFLAGS must not turn that off.
	build := exec.CommandContext(context.Background(), "go", "build", "-buildvcs=auto", "-o", dir+"/", "./cmd/exo-bench-exporter",
		"./cmd/exo-sim")
	build.Dir = Repository
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v: %v\n%s", build, err, out)
		return 1
	}
	Exporter, Simulator = filepath.Join(dir, "exo-bench-exporter"), filepath.Join(dir, "exo-sim")
	return m.Run()
}
