package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"time"

	"exo-bench-exporter/exporter"
)

// healthcheckTimeout is below the three seconds that container runtimes are usually told.
const healthcheckTimeout = 2 * time.Second

func healthcheckCommand() command {
	return command{
		name: "healthcheck", summary: "ask a running exporter on this machine whether it is healthy",
		help: `Asks the exporter at EXOBENCH_LISTEN_ADDRESS on this machine for /-/healthy and exits 0 when it
answers, 1 when it does not. Made for the health check of a container without a shell.`,
		flags: func(*flag.FlagSet) func(context.Context, invocation) int { return healthcheck },
	}
}

func healthcheck(ctx context.Context, inv invocation) int {
	cfg, err := exporter.LoadConfig(inv.env)
	if err != nil {
		fmt.Fprintln(inv.stderr, err)
		return exitUsage
	}
	ctx, cancel := context.WithTimeout(ctx, healthcheckTimeout)
	defer cancel()
	err = callRunning(ctx, cfg.ListenAddress, http.MethodGet, "/-/healthy", func(address string, resp *http.Response) (bool, error) {
		// 401 comes from an exporter that is well and asks for a password.
		if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusUnauthorized {
			return true, nil
		}
		return false, fmt.Errorf("%s answered HTTP %d", address, resp.StatusCode)
	})
	if err != nil {
		fmt.Fprintln(inv.stderr, "exo-bench-exporter is not healthy:", err)
		return exitFailed
	}
	return exitOK
}
