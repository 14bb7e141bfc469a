package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// healthyTimeout is below the seconds that container runtimes are told to wait.
const healthyTimeout = 2 * time.Second

// healthy returns nil when a simulator answers on the address that it was told to listen on.
func healthy(ctx context.Context, listen string) error {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, healthyTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/_sim/faults", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("X-Exo-Sim") == "" {
		return fmt.Errorf("%s answers HTTP %d, and is no simulator", listen, resp.StatusCode)
	}
	return nil
}
