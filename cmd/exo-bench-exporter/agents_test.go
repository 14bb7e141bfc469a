package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The real thing over loopback: a driver behind a password, and an agent that is told it.
func TestAgentOverLoopback(t *testing.T) {
	const web = "basic_auth_users:\n  agent: $2a$04$47r0CPcjfdWV4x5Za7iGZekr1w7SBa5DqoOGdl67270v7bhGhA/ny\n" // bcrypt of hunter2
	file := func(content string) string {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	driver, address, exoURL := freeAddress(t), freeAddress(t), deadURL(t)
	mode := []string{"MODE", "memory", "DRIVER_URL", "http://" + driver, "EXO_URL", exoURL, "LISTEN_ADDRESS", address}
	told := env(t, append(mode, "DRIVER_USER", "agent", "DRIVER_PASSWORD_FILE", file("hunter2\n"))...)
	untold := env(t, mode...)

	var logs [2]buffer
	var stops [2]func() int
	for i, e := range []map[string]string{
		env(t, "EXO_URL", exoURL, "LISTEN_ADDRESS", driver, "WEB_CONFIG_FILE", file(web)), told,
	} {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan int, 1)
		go func() { done <- run(ctx, nil, e, &logs[i], &logs[i]) }()
		stops[i] = func() int {
			cancel()
			return <-done
		}
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	until(t, client, address, "exobench_agent_driver_up 1", &logs[1])
	var out buffer
	if got := run(t.Context(), []string{"check"}, told, &out, &out); !strings.Contains(out.String(), "ok    driver") {
		t.Errorf("check: %d\n%s", got, out.String())
	}
	out = buffer{}
	if got := run(t.Context(), []string{"check"}, untold, &out, &out); got != exitFailed || !strings.Contains(out.String(), "FAIL  driver") ||
		!strings.Contains(out.String(), "EXOBENCH_DRIVER_PASSWORD_FILE") {
		t.Errorf("check without the password: %d\n%s", got, out.String())
	}
	if got := stops[0](); got != exitOK || strings.Contains(logs[0].String(), "still running") {
		t.Errorf("the driver ended with %d:\n%s", got, logs[0].String())
	}
	until(t, client, address, "exobench_agent_driver_up 0", &logs[1])
	if got := stops[1](); got != exitOK || strings.Contains(logs[1].String(), "hunter2") {
		t.Errorf("the agent ended with %d:\n%s", got, logs[1].String())
	}
}

func TestUsageOfAnAgent(t *testing.T) {
	for _, args := range [][]string{{"once"}, {"-demo"}, {"check", "-demo"}} {
		var out buffer
		e := env(t, "MODE", "memory", "DRIVER_URL", "http://127.0.0.1:1")
		if got := run(t.Context(), args, e, &out, &out); got != exitUsage || !strings.Contains(out.String(), "EXOBENCH_MODE=memory") {
			t.Errorf("%v: status %d, %s", args, got, out.String())
		}
	}
}
