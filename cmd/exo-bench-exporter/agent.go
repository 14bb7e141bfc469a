package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/exporter/cluster"
	"exo-bench-exporter/exporter/memory"
)

// agent is what EXOBENCH_MODE=memory runs: a sampler of this machine's memory that follows the
// turns of another exporter. It asks exo nothing.
type agent struct {
	cfg     exporter.Config
	log     *slog.Logger
	client  *cluster.Client
	sampler *memory.Sampler
}

// newAgent builds the parts; nothing runs yet. The error is for the user and means wrong usage
// or configuration.
func newAgent(inv invocation, cfg exporter.Config, simulated bool) (*agent, error) {
	if simulated {
		return nil, errors.New("-demo measures, and EXOBENCH_MODE=memory does not: leave one of them out")
	}
	a := &agent{cfg: cfg, log: cfg.Logger(inv.stderr)}
	api, err := url.Parse(cfg.ExoURL)
	if err != nil {
		return nil, fmt.Errorf("EXOBENCH_EXO_URL: %w", err)
	}
	roots, err := cfg.DriverRoots()
	if err != nil {
		return nil, fmt.Errorf("EXOBENCH_DRIVER_CA_FILE: %w", err)
	}
	a.client, err = cluster.NewClient(cluster.ClientOptions{
		URL: cfg.DriverURL, User: cfg.DriverUser, Password: cfg.DriverPassword.Reveal(), Transport: cluster.NewTransport(roots),
	})
	if err != nil {
		return nil, fmt.Errorf("EXOBENCH_DRIVER_URL: %w", err)
	}
	a.sampler = memory.New(memory.Config{APIURL: api, PID: cfg.ExoPID, Interval: cfg.MemoryInterval, Logger: a.log})
	return a, nil
}

// serveAgent runs the agent until ctx is done.
func serveAgent(ctx context.Context, inv invocation, cfg exporter.Config, simulated bool) int {
	a, err := newAgent(inv, cfg, simulated)
	if err != nil {
		return fail(inv.stderr, err)
	}
	defer a.client.CloseIdle()
	l, err := listen(cfg)
	if err != nil {
		fmt.Fprintln(inv.stderr, "exo-bench-exporter:", err)
		return exitFailed
	}
	reg := exporter.NewRegistry()
	shown := exporter.NewAgent(reg, exporter.AgentOptions{
		Driver: cfg.DriverURL, Memory: residentMemory(a.sampler), Node: thisMachine(a.sampler),
	})
	follower := &cluster.Follower{Client: a.client, Sampler: a.sampler, Sink: shown, Logger: a.log}
	a.log.Info("exo-bench-exporter is running as memory agent", "version", exporter.Version(), "listen", l.Addr().String(), "driver", cfg.DriverURL)
	return serveWhile(ctx, l, exporter.NewFront(reg, shown, a.log), cfg, a.log, a.sampler.Run, follower.Run)
}

// checkAgent says whether everything is in place for an agent.
func checkAgent(ctx context.Context, inv invocation, cfg exporter.Config, simulated bool, l *checklist) int {
	a, err := newAgent(inv, cfg, simulated)
	if err != nil {
		return fail(inv.stderr, err)
	}
	defer a.client.CloseIdle()
	l.ok("configuration", "memory agent of "+cfg.DriverURL)
	start := time.Now()
	s, err := a.client.State(ctx, cluster.State{}, 0)
	if err != nil {
		l.bad("driver", err.Error())
	} else {
		now := "between turns"
		if s.Turn != nil {
			now = "in the turn of " + s.Turn.Model
		}
		l.ok("driver", fmt.Sprintf("answers at %s in %s; version %s, %s", cfg.DriverURL, time.Since(start).Round(10*time.Microsecond), s.Version, now))
		if s.Simulated {
			l.ok("simulated", "the driver measures the simulator, not a real exo")
		}
	}
	l.memory(a.sampler.Look())
	return l.status()
}
