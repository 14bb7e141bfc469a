package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestConfigurationFiles has Prometheus' and Alertmanager's own tools check the repository's
// files, and fails on warnings too.
func TestConfigurationFiles(t *testing.T) {
	dir := filepath.Join(repository, "prometheus")
	rules, err := filepath.Glob(filepath.Join(dir, "rules", "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	tests, err := filepath.Glob(filepath.Join(dir, "tests", "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	// Beside the tests lie rule files that only they use.
	tests = slices.DeleteFunc(tests, func(path string) bool { return strings.HasSuffix(path, ".rules.yml") })
	checks := map[string][]string{
		"prometheus.yml":   {"promtool", "check", "config", "--lint=all", "--lint-fatal", filepath.Join(dir, "prometheus.yml")},
		"alertmanager.yml": {"amtool", "check-config", filepath.Join(dir, "alertmanager.yml")},
		"rules":            append([]string{"promtool", "check", "rules", "--lint=all", "--lint-fatal"}, rules...),
		"rule tests":       append([]string{"promtool", "test", "rules"}, tests...),
	}
	if len(rules) == 0 || len(tests) == 0 {
		t.Fatalf("%d rule files and %d tests of rules were found in %s", len(rules), len(tests), dir)
	}
	for name, args := range checks {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), tool(t, args[0]), args[1:]...)
			cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %v\n%s", cmd, err, out)
			}
		})
	}
}
