package e2e

import (
	"strings"
	"testing"
)

// TestVersionFromVCS asserts that a build in a checkout knows what it was built from.
func TestVersionFromVCS(t *testing.T) {
	if revision == "" {
		t.Fatal("git does not say which commit is checked out; the tests run in a checkout")
	}
	printed, status := output(t, nil, exporter, "version")
	if status != 0 || !strings.Contains(string(printed), revision[:12]) {
		t.Errorf("version prints %q with status %d; want it to name revision %s", printed, status, revision[:12])
	}
}
