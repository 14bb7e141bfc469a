// Exo-sim is a simulated exo node as a process of its own: exo's HTTP API, made-up answers
// at the pace of real models, and one child process per instance that holds real memory.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"exo-bench-exporter/workload/exosim"
)

func main() { os.Exit(run(os.Args, os.Stderr)) }

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func run(args []string, stderr io.Writer) int {
	if isRunner(args) {
		return hold(os.Stdin)
	}
	c, err := parse(args[1:], stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if c.healthy {
		if err := healthy(ctx, c.listen); err != nil {
			fmt.Fprintln(stderr, "exo-sim is not healthy:", err)
			return exitFailed
		}
		return exitOK
	}
	if err := serve(ctx, c, slog.New(slog.NewTextHandler(stderr, nil))); err != nil {
		fmt.Fprintln(stderr, "exo-sim:", err)
		return exitFailed
	}
	return exitOK
}

// serve runs the node until ctx ends.
func serve(ctx context.Context, c config, log *slog.Logger) error {
	runners := newRunners(c.memoryScale, log)
	defer runners.close()
	c.node.Log, c.node.Spawner = log, runners
	if c.memoryScale == 0 {
		c.node.Spawner = nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.listen)
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	if c.pidFile != "" {
		if err := os.WriteFile(c.pidFile, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o644); err != nil {
			_ = listener.Close()
			return fmt.Errorf("cannot write the pid file: %w", err)
		}
		defer func() { _ = os.Remove(c.pidFile) }()
	}
	node := exosim.New(c.node)
	unhook := context.AfterFunc(ctx, func() { _ = node.Close() }) // streams are cut: nothing is worth waiting for
	defer func() { unhook(); _ = node.Close() }()
	log.Info("Simulated exo node listens; this is not exo",
		"url", "http://"+listener.Addr().String(), "dialect", c.node.Dialect, "variant", c.node.Variant,
		"speed", c.node.Speed, "pid", os.Getpid(), "controls", "http://"+listener.Addr().String()+"/_sim/")
	return node.Serve(listener)
}
