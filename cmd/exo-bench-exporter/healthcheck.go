package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"net"
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
	client := &http.Client{Transport: &http.Transport{
		// The certificate is for the name by which Prometheus calls, not for the loopback
		// address; nothing is sent or read that would need it.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
	}}
	var last error
	for _, scheme := range []string{"http", "https"} {
		url := scheme + "://" + loopback(cfg.ListenAddress) + "/-/healthy"
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			last = err
			continue
		}
		resp, err := client.Do(req)
		if err != nil {
			last = err
			continue
		}
		_ = resp.Body.Close()
		// 401 comes from an exporter that is well and asks for a password.
		if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusUnauthorized {
			return exitOK
		}
		last = fmt.Errorf("%s answered HTTP %d", url, resp.StatusCode)
	}
	fmt.Fprintln(inv.stderr, "exo-bench-exporter is not healthy:", last)
	return exitFailed
}

// loopback turns an address to listen on into one to call from the same machine.
func loopback(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
