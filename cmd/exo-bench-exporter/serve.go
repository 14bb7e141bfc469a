package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"sync"

	"exo-bench-exporter/exporter"
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
http://localhost:52415 every 15 minutes and serves on port 9955.`,
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
	a, err := newApp(inv, simulated)
	if err != nil {
		return fail(inv.stderr, err)
	}
	defer a.close()
	l, err := net.Listen("tcp", a.cfg.ListenAddress)
	if err != nil {
		fmt.Fprintf(inv.stderr, "exo-bench-exporter: cannot serve on EXOBENCH_LISTEN_ADDRESS %q: %v\n", a.cfg.ListenAddress, err)
		return exitFailed
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	opts := exporter.Options{
		Models: a.cfg.Models, Suite: a.suite, Interval: a.cfg.CycleInterval,
		Target: a.cfg.ExoURL, Simulated: simulated, Memory: residentMemory(a.sampler),
	}
	reg := exporter.NewRegistry()
	metrics, store := exporter.NewMetrics(reg, opts), exporter.NewStore(opts)
	front := exporter.NewFront(reg, store, a.log)

	var wg sync.WaitGroup
	status := exitOK
	wg.Go(func() {
		defer cancel()
		if err := exporter.Serve(ctx, l, front, a.cfg.WebConfigFile, a.log); err != nil {
			a.log.Error("cannot serve", "error", err)
			status = exitFailed
		}
	})
	monitor := a.client.NewMonitor(func(s workload.Status) {
		s = withHost(s, a.sampler)
		metrics.SetStatus(s)
		store.SetStatus(s)
	})
	wg.Go(func() { a.sampler.Run(ctx) })
	wg.Go(func() { monitor.Run(ctx) })
	wg.Go(func() { a.runner(monitor.Wake(), exporter.NewObserver(metrics), store).Run(ctx) })
	front.SetReady(true)
	a.log.Info("exo-bench-exporter is running", "version", exporter.Version(), "listen", l.Addr().String(), "exo", a.cfg.ExoURL,
		"models", len(a.cfg.Models), "suite", a.suite.Version, "interval", a.cfg.CycleInterval)

	wg.Wait()
	a.log.Info("stopped")
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

// withHost adds the memory of this machine to the status of a node that does not report its
// machines' own.
func withHost(s workload.Status, sampler *memory.Sampler) workload.Status {
	if len(s.Nodes) > 0 {
		return s
	}
	if host, ok := sampler.Host(); ok {
		s.Nodes = []workload.NodeStatus{{Name: hostname(), MemoryTotal: &host.Total, MemoryAvailable: &host.Available}}
	}
	return s
}
