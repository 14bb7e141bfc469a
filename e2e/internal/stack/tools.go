package stack

import (
	"os"
	"path/filepath"
	"testing"
)

// toolsDir returns where tools/install.sh puts its tools.
func toolsDir() string {
	if dir := os.Getenv("E2E_TOOLS"); dir != "" {
		return dir
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	return filepath.Join(cache, "exo-bench-exporter-e2e")
}

// Tool returns the path of an executable that tools/install.sh installs.
func Tool(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(toolsDir(), "bin", name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is not installed: run e2e/tools/install.sh (%v)", name, err)
	}
	return path
}
