package main

import (
	"context"
	"flag"
	"fmt"

	"exo-bench-exporter/app"
)

func serveCommand() command {
	return command{
		args: " [-demo] | COMMAND [-h]",
		help: `Cycles five language models through one fixed prompt workload against an exo node, for ever, and
serves what it finds on /metrics for Prometheus: latency histograms, tokens per second and the
resident memory of exo, by model. A status page is at /.

It is configured by environment variables, listed below. Without any it measures the exo at
http://localhost:52415 every 15 minutes and serves on port 9955. SIGHUP has it read the file that
EXOBENCH_ENV_FILE names, and the suite, anew.

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
func serve(ctx context.Context, inv invocation, demo bool) int {
	log := newBackground(inv.stderr)
	defer log.Close()
	inv.stderr = log
	p, err := open(inv, demo, app.Seams{Hangup: inv.hangup})
	if err != nil {
		return fail(inv.stderr, err)
	}
	defer p.Close()
	if err := p.Serve(ctx); err != nil {
		fmt.Fprintln(inv.stderr, "exo-bench-exporter:", err)
		return exitFailed
	}
	return exitOK
}
