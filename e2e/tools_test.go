package e2e

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

// tool returns the path of an executable that tools/install.sh installs.
func tool(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(toolsDir(), "bin", name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is not installed: run e2e/tools/install.sh (%v)", name, err)
	}
	return path
}

// llamaServer returns the paths of llama.cpp's server and of the model that it is to serve,
// the latter as the server sees it.
func llamaServer(t *testing.T) (server, model string) {
	t.Helper()
	server, model = os.Getenv("E2E_LLAMA_SERVER"), os.Getenv("E2E_LLAMA_MODEL")
	switch {
	case server == "" && model == "":
		return tool(t, "llama-server"), "/tiny.gguf"
	case server == "" || model == "":
		t.Fatal("E2E_LLAMA_SERVER and E2E_LLAMA_MODEL go together: set both, or neither to use what e2e/tools/install.sh installs")
	}
	return server, model
}
