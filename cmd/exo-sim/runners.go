package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"time"

	"exo-bench-exporter/workload/exosim"
)

// The command line of a runner is that of a child of Python's multiprocessing, as exo's
// are: it names neither exo nor the model.
const (
	runnerCode = "from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=7, pipe_handle=9)"
	runnerMark = "--multiprocessing-fork"
)

// stopGrace is how long a runner may take to end by itself.
const stopGrace = 2 * time.Second

// runners starts the processes of runners and sees to it that all of them end.
type runners struct {
	scale float64
	log   *slog.Logger
	wg    sync.WaitGroup
}

func newRunners(scale float64, log *slog.Logger) *runners { return &runners{scale: scale, log: log} }

// close waits until every process has ended; the node must have stopped them all.
func (r *runners) close() { r.wg.Wait() }

// Spawn implements exosim.Spawner: it starts this program again, as a runner.
func (r *runners) Spawn(model string) (exosim.Child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this program: %w", err)
	}
	cmd := exec.CommandContext(context.Background(), self) // its life is command's business
	cmd.Args = []string{"python3", "-c", runnerCode, runnerMark}
	cmd.Stderr = os.Stderr
	orders, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("cannot talk to a runner: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start a runner: %w", err)
	}
	c := &child{
		process: cmd.Process, scale: r.scale,
		wanted: make(chan uint64, 1), stop: make(chan struct{}), exited: make(chan struct{}),
	}
	r.wg.Go(func() { c.command(orders) })
	r.wg.Go(func() {
		err := cmd.Wait()
		close(c.exited)
		r.log.Info("Runner ended", "model", model, "pid", cmd.Process.Pid, "err", err)
	})
	r.log.Info("Runner started", "model", model, "pid", cmd.Process.Pid)
	return c, nil
}

// child is the process of one runner.
type child struct {
	process *os.Process
	scale   float64
	wanted  chan uint64 // the latest order, if it was not passed on yet
	once    sync.Once
	stop    chan struct{} // closed by Stop
	exited  chan struct{} // closed when the process has ended
}

// PID implements exosim.Child.
func (c *child) PID() int { return c.process.Pid }

// Hold implements exosim.Child; a newer order takes the place of one that still waits.
func (c *child) Hold(bytes uint64) {
	order := uint64(float64(bytes) * c.scale)
	for {
		select {
		case c.wanted <- order:
			return
		default:
		}
		select {
		case <-c.wanted:
		default:
		}
	}
}

// Stop implements exosim.Child.
func (c *child) Stop() { c.once.Do(func() { close(c.stop) }) }

// command passes orders on until the process is to end, and ends it.
func (c *child) command(orders io.WriteCloser) {
	for {
		select {
		case bytes := <-c.wanted:
			_, _ = fmt.Fprintln(orders, bytes) // a dead process is noticed below
			continue
		case <-c.stop:
		case <-c.exited:
		}
		break
	}
	_ = orders.Close() // which a runner takes as its end
	select {
	case <-c.exited:
	case <-time.After(stopGrace):
		_ = c.process.Kill()
	}
}
