package memory

import (
	"strings"
	"testing"
)

func TestIsExo(t *testing.T) {
	for command, want := range map[string]bool{
		"/home/u/exo/.venv/bin/python /home/u/exo/.venv/bin/exo -v": true,
		"/usr/bin/python3.13 -X dev -u /usr/local/bin/exo":          true,
		"python3 -m exo": true,
		"python3 -W ignore -m exo.main --disable-tui": true,
		"python exo/main.py":                          true,
		"/opt/homebrew/Frameworks/Python.framework/Versions/3.13/Resources/Python.app/Contents/MacOS/Python /u/exo/.venv/bin/exo": true,
		"/Applications/EXO.app/Contents/Resources/exo/exo":                                                                        true,
		"/tmp/go-build1/b001/exe/exo-sim -speed 20":                                                                               true,
		"uv run exo":                         false,
		"/bin/sh -c exo":                     false,
		"python3 train.py exo":               false,
		"python3 -m pytest exo":              false,
		"python3 -c import_exo exo":          false,
		"python3":                            false,
		"python3 -m":                         false,
		"vim exo":                            false,
		"/usr/bin/exo-bench-exporter once":   false,
		"tail -f /home/u/.cache/exo/exo.log": false,
		"":                                   false,
	} {
		if got := isExo(strings.Fields(command)); got != want {
			t.Errorf("isExo(%q) = %v", command, got)
		}
	}
}

func TestIsForwarder(t *testing.T) {
	for command, want := range map[string]bool{
		"/usr/bin/docker-proxy -proto tcp -host-port 52415": true,
		"ssh -N -L 52415:mac:52415 mac":                     true,
		"nginx: master process /usr/sbin/nginx":             true,
		"/usr/local/bin/llama-server --port 52415":          false,
		"python3 launch.py":                                 false,
		"":                                                  false,
	} {
		if got := isForwarder(strings.Fields(command)); got != want {
			t.Errorf("isForwarder(%q) = %v", command, got)
		}
	}
}
