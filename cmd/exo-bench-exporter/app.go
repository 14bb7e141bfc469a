package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/exporter/memory"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo"
	"exo-bench-exporter/workload/exo/instance"
)

// app is what every command that talks to a node is made of.
type app struct {
	cfg     exporter.Config
	suite   workload.Suite
	log     *slog.Logger
	client  *exo.Client
	sampler *memory.Sampler
	demo    *demo // nil unless the node is the built-in simulator
	loading func(instance.Progress)
}

// newApp builds the parts; nothing runs yet but the simulator, if it is asked for. The error is
// for the user and means wrong usage or configuration.
func newApp(inv invocation, cfg exporter.Config, simulated bool) (a *app, err error) {
	a = &app{cfg: cfg, log: cfg.Logger(inv.stderr)}
	a.loading = a.logLoading()
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	a.suite = workload.StandardSuite()
	if a.cfg.SuiteFile != "" {
		if a.suite, err = workload.LoadSuite(a.cfg.SuiteFile); err != nil {
			return a, fmt.Errorf("EXOBENCH_SUITE: %w", err)
		}
	}
	watch := memory.Config{PID: a.cfg.ExoPID, Interval: a.cfg.MemoryInterval, PSS: true, Logger: a.log}
	if simulated {
		if a.demo, err = startDemo(&a.cfg, inv.env, a.log); err != nil {
			return a, err
		}
		watch = a.demo.memoryConfig(watch)
	}
	a.client, err = exo.New(exo.Options{
		BaseURL: a.cfg.ExoURL, APIKey: a.cfg.APIKey.Reveal(),
		Dialect: a.cfg.Dialect, Endpoint: exo.EndpointChoice(a.cfg.Endpoint),
		Timeouts:    exo.Timeouts{FirstToken: a.cfg.FirstTokenTimeout, Idle: a.cfg.IdleTimeout, Request: a.cfg.RequestTimeout},
		LoadTimeout: a.cfg.LoadTimeout, DownloadTimeout: a.cfg.DownloadTimeout, BusyTimeout: a.cfg.BusyTimeout,
		StateDir: a.cfg.StateDir, AddModels: a.cfg.AddModels, MinNodes: a.cfg.MinNodes, Sharding: a.cfg.Sharding,
		Progress: func(p instance.Progress) { a.loading(p) },
		Logger:   a.log,
	})
	if err != nil {
		return a, fmt.Errorf("EXOBENCH_EXO_URL: %w", err)
	}
	watch.APIURL = a.client.API().BaseURL()
	a.sampler = memory.New(watch)
	return a, nil
}

// runner returns the runner of the configured workload; meter watches exo's memory meanwhile.
func (a *app) runner(meter workload.Meter, wake <-chan struct{}, observers ...workload.Observer) *workload.Runner {
	return workload.NewRunner(workload.RunnerOptions{
		Models: a.cfg.Models, Suite: a.suite, Target: a.client, Meter: meter,
		Observers: observers, Interval: a.cfg.CycleInterval, Wake: wake, Logger: a.log,
	})
}

// close ends what newApp began.
func (a *app) close() {
	if a.client != nil {
		if err := a.client.Close(); err != nil {
			a.log.Warn("could not close the client", "error", err)
		}
	}
	if a.demo != nil {
		a.demo.close()
	}
}

// fail prints an error of LoadConfig, newApp or newAgent and returns the exit status.
func fail(w io.Writer, err error) int {
	fmt.Fprintln(w, "exo-bench-exporter:", err)
	var cfg *exporter.ConfigError
	if errors.As(err, &cfg) || !errors.Is(err, errDemo) {
		return exitUsage
	}
	return exitFailed
}

// hostname names this machine where exo does not name its own.
func hostname() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "localhost"
	}
	return name
}
