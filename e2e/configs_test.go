package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"exo-bench-exporter/e2e/internal/stack"
)

// TestConfigurationFiles has Prometheus' and Alertmanager's own tools check the repository's
// files, and fails on warnings too.
func TestConfigurationFiles(t *testing.T) {
	dir := filepath.Join(stack.Repository, "prometheus")
	rules, err := filepath.Glob(filepath.Join(dir, "rules", "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	tests, err := filepath.Glob(filepath.Join(dir, "tests", "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	checks := map[string][]string{
		"prometheus.yml":   {"promtool", "check", "config", "--lint=all", "--lint-fatal", filepath.Join(dir, "prometheus.yml")},
		"alertmanager.yml": {"amtool", "check-config", filepath.Join(dir, "alertmanager.yml")},
		"rules":            append([]string{"promtool", "check", "rules", "--lint=all", "--lint-fatal"}, rules...),
		"rule tests":       append([]string{"promtool", "test", "rules"}, tests...),
	}
	if len(rules) == 0 || len(tests) == 0 {
		t.Fatalf("%d rule files and %d tests of rules were found in %s", len(rules), len(tests), dir)
	}
	for _, path := range tests {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		has := func(key string) bool { return strings.Contains("\n"+string(text), "\n"+key+":") }
		if has("rule_files") && !has("group_eval_order") {
			t.Errorf("%s has no group_eval_order: promtool then evaluates groups in a random order", path)
		}
	}
	for name, args := range checks {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), stack.Tool(t, args[0]), args[1:]...)
			cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %v\n%s", cmd, err, out)
			}
		})
	}
}
