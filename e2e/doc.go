// Package e2e tests the real binaries from end to end: against the simulator as a process of
// its own, against llama.cpp's server, scraped by a real Prometheus that was started with the
// repository's own configuration. Package drill does the same for alerts, up to the messages
// that people get.
//
// The tools come from tools/install.sh, which puts them into $E2E_TOOLS (by default
// ~/.cache/exo-bench-exporter-e2e), where the tests look for them:
//
//	e2e/tools/install.sh                     # some minutes the first time; needs root, for llama.cpp's server
//	cd e2e && go test -v -timeout=20m ./...
//
// Where the script cannot install llama.cpp's server (it needs Debian or the like), set
// E2E_LLAMA_SERVER to a llama-server, E2E_LLAMA_MODEL to the file that llama/tiny_model.py
// wrote, and E2E_LLAMA_REAL to a directory with the three files that llama/install.sh makes of
// a package. A test whose tool is missing fails: it is never skipped.
package e2e
