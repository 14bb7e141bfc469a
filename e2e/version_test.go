package e2e

import (
	"strings"
	"testing"

	"exo-bench-exporter/e2e/internal/stack"
)

// TestVersionFromVCS asserts that a build in a checkout knows what it was built from.
func TestVersionFromVCS(t *testing.T) {
	if stack.Revision == "" {
		t.Fatal("git does not say which commit is checked out; the tests run in a checkout")
	}
	printed, status := stack.Run(t, nil, stack.Exporter, "version")
	if status != 0 || !strings.Contains(string(printed), stack.Revision[:12]) {
		t.Errorf("version prints %q with status %d; want it to name revision %s", printed, status, stack.Revision[:12])
	}
}
