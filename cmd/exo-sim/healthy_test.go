package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"exo-bench-exporter/workload/exosim"
)

func TestHealthy(t *testing.T) {
	node := httptest.NewServer(exosim.New(exosim.Options{}))
	defer node.Close()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, c := range map[string]struct {
		url  string
		exit int
		want string
	}{
		"a simulator":    {node.URL, exitOK, ""},
		"something else": {other.URL, exitFailed, "is no simulator"},
		"nothing":        {gone.URL, exitFailed, "not healthy"},
	} {
		_, port, _ := strings.Cut(strings.TrimPrefix(c.url, "http://"), ":")
		var stderr strings.Builder
		got := run([]string{"exo-sim", "-listen", "127.0.0.1:" + port, "-healthy"}, &stderr)
		if got != c.exit || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%s: exit status %d, %q, want %d and %q", name, got, stderr.String(), c.exit, c.want)
		}
	}
}
