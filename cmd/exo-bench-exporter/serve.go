package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/exporter/cluster"
	"exo-bench-exporter/exporter/memory"
	"exo-bench-exporter/workload"
)

func serveCommand() command {
	return command{
		args: " [-demo] | COMMAND [-h]",
		help: `Cycles five language models through one fixed prompt workload against an exo node, for ever, and
serves what it finds on /metrics for Prometheus: latency histograms, tokens per second and the
resident memory of exo, by model. A status page is at /.

It is configured by environment variables, listed below. Without any it measures the exo at
http://localhost:52415 every 15 minutes and serves on port 9955.

With EXOBENCH_MODE=memory it measures nothing: on one more machine of a cluster it watches the
resident memory of exo while the exporter at EXOBENCH_DRIVER_URL measures.`,
		flags: func(fs *flag.FlagSet) func(context.Context, invocation) int {
			demo := demoFlag(fs)
			return func(ctx context.Context, inv invocation) int { return serve(ctx, inv, *demo) }
		},
	}
}

func demoFlag(fs *flag.FlagSet) *bool {
	return fs.Bool("demo", false, "measure the built-in simulator in fast motion instead of an exo node; everything served says so")
}

// serve runs the exporter until ctx is done.
func serve(ctx context.Context, inv invocation, simulated bool) int {
	cfg, err := exporter.LoadConfig(inv.env)
	if err != nil {
		return fail(inv.stderr, err)
	}
	if cfg.Mode == exporter.ModeMemory {
		return serveAgent(ctx, inv, cfg, simulated)
	}
	a, err := newApp(inv, cfg, simulated)
	if err != nil {
		return fail(inv.stderr, err)
	}
	defer a.close()
	l, err := listen(a.cfg)
	if err != nil {
		fmt.Fprintln(inv.stderr, "exo-bench-exporter:", err)
		return exitFailed
	}

	opts := exporter.Options{
		Models: a.cfg.Models, Suite: a.suite, Interval: a.cfg.CycleInterval,
		Target: a.cfg.ExoURL, Simulated: simulated, Memory: residentMemory(a.sampler),
	}
	reg := exporter.NewRegistry()
	metrics, store := exporter.NewMetrics(reg, opts), exporter.NewStore(opts)
	feed := cluster.NewFeed(exporter.Version(), func() bool { return simulated || a.client.Simulated() })
	front := exporter.NewFront(reg, store, a.log)
	front.Handle("GET "+cluster.Path, feed)
	monitor := a.client.NewMonitor(func(s workload.Status) {
		if len(s.Nodes) == 0 {
			s.Nodes = thisMachine(a.sampler)()
		}
		metrics.SetStatus(s)
		store.SetStatus(s)
	})
	runner := a.runner(feed.Meter(a.sampler), monitor.Wake(), exporter.NewObserver(metrics), store, feed)
	a.log.Info("exo-bench-exporter is running", "version", exporter.Version(), "listen", l.Addr().String(), "exo", a.cfg.ExoURL,
		"models", len(a.cfg.Models), "suite", a.suite.Version, "interval", a.cfg.CycleInterval)
	context.AfterFunc(ctx, feed.Close)
	return serveWhile(ctx, l, front, a.cfg, a.log, a.sampler.Run, monitor.Run, runner.Run)
}

// listen returns a listener on the configured address.
func listen(cfg exporter.Config) (net.Listener, error) {
	l, err := net.Listen("tcp", cfg.ListenAddress)
	if err != nil {
		return nil, fmt.Errorf("cannot serve on EXOBENCH_LISTEN_ADDRESS %q: %w", cfg.ListenAddress, err)
	}
	return l, nil
}

// serveWhile serves front on l while the works run, until ctx is done, and returns the exit status.
func serveWhile(ctx context.Context, l net.Listener, front *exporter.Front, cfg exporter.Config, log *slog.Logger, works ...func(context.Context)) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	status := exitOK
	wg.Go(func() {
		defer cancel()
		if err := exporter.Serve(ctx, l, front, cfg.WebConfigFile, log); err != nil {
			log.Error("cannot serve", "error", err)
			status = exitFailed
		}
	})
	for _, work := range works {
		wg.Go(func() { work(ctx) })
	}
	front.SetReady(true)
	wg.Wait()
	log.Info("stopped")
	return status
}

// residentMemory lets a scrape read what the sampler saw last.
func residentMemory(sampler *memory.Sampler) exporter.MemorySource {
	return func() (map[string]exporter.RoleMemory, bool) {
		c, ok := sampler.Current()
		if !ok {
			return nil, false
		}
		byRole := map[string]exporter.RoleMemory{}
		for role, u := range c.Roles {
			byRole[string(role)] = exporter.RoleMemory{Bytes: u.RSS, Proportional: u.PSS, Processes: u.Processes}
		}
		return byRole, true
	}
}

// thisMachine returns a source of what the sampler knows of the machine's memory.
func thisMachine(sampler *memory.Sampler) exporter.NodeSource {
	name := hostname()
	return func() []workload.NodeStatus {
		host, ok := sampler.Host()
		if !ok {
			return nil
		}
		return []workload.NodeStatus{{Name: name, MemoryTotal: &host.Total, MemoryAvailable: &host.Available}}
	}
}
