package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"slices"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/exporter/cluster"
	"exo-bench-exporter/exporter/machine"
	"exo-bench-exporter/exporter/memory"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/answers"
	"exo-bench-exporter/workload/exo"
	"exo-bench-exporter/workload/exo/instance"
	"exo-bench-exporter/workload/judging"
	"exo-bench-exporter/workload/record"
)

// wiring is what each part of a program is told by its configuration. Every variable ends here;
// what only the parts themselves can give, such as a channel of one for another, is filled in
// when they are joined.
type wiring struct {
	log     *slog.Logger
	serve   serving
	memory  memory.Config
	machine machine.Config

	// In mode bench.
	client  exo.Options
	shown   exporter.Options
	runner  workload.RunnerOptions
	record  record.Options
	resume  string           // file by which a restart goes on
	canary  *workload.Canary // nil where no questions are put
	answers string           // file of what is known of answers
	// judging lacks what only a Bench can give.
	judging judging.Options

	// In mode memory.
	driver cluster.ClientOptions
}

// newWiring translates cfg. The error is for the user and means wrong configuration.
func newWiring(cfg exporter.Config, seams Seams) (wiring, error) {
	w := wiring{
		log: seams.log(cfg),
		serve: serving{
			address: cfg.ListenAddress, webConfig: cfg.WebConfigFile, reload: cfg.WebReload, accept: cfg.WebAccept,
			listener: seams.Listener, hangup: seams.Hangup,
		},
	}
	api, err := url.Parse(cfg.ExoURL)
	if err != nil {
		return w, fmt.Errorf("EXOBENCH_EXO_URL: %w", err)
	}
	w.memory = memory.Config{
		APIURL: api, PID: cfg.ExoPID, Interval: cfg.MemoryInterval, Source: seams.Processes, Settle: seams.Settle, Logger: w.log,
	}
	w.machine = machine.Config{Source: seams.Machine, Logger: w.log}
	if cfg.Mode == exporter.ModeBench && cfg.ExoPID == 0 && seams.Processes == nil { // a pid is of this machine
		w.machine.Here = func(ctx context.Context) (bool, error) { return memory.Local(ctx, api) }
	}
	if cfg.Mode == exporter.ModeMemory {
		return w, w.agent(cfg, seams)
	}
	return w, w.bench(cfg, seams)
}

func (w *wiring) bench(cfg exporter.Config, seams Seams) error {
	suite := workload.StandardSuite()
	if cfg.SuiteFile != "" {
		var err error
		if suite, err = workload.LoadSuite(cfg.SuiteFile); err != nil {
			return fmt.Errorf("EXOBENCH_SUITE: %w", err)
		}
	}
	roots, err := cfg.ExoRoots()
	if err != nil {
		return fmt.Errorf("EXOBENCH_EXO_CA_FILE: %w", err)
	}
	w.memory.PSS = true // a Bench tells by its recordings when no request is measured
	w.client = exo.Options{
		BaseURL: cfg.ExoURL, APIKey: cfg.APIKey.Reveal(), Roots: roots, Transport: seams.Transport,
		Dialect: cfg.Dialect, Endpoint: exo.EndpointChoice(cfg.Endpoint),
		Timeouts:    exo.Timeouts{FirstToken: cfg.FirstTokenTimeout, Idle: cfg.IdleTimeout, Request: cfg.RequestTimeout},
		LoadTimeout: cfg.LoadTimeout, DownloadTimeout: cfg.DownloadTimeout, BusyTimeout: cfg.BusyTimeout,
		Reload: instance.Reload(cfg.Reload), KeepLoaded: cfg.KeepLoaded,
		StateDir: cfg.StateDir, AddModels: cfg.AddModels, MemoryBandwidth: cfg.MemoryBandwidth * 1e9, MinNodes: cfg.MinNodes,
		Sharding: cfg.Sharding,
		Progress: seams.loading(w.log), PowerEvery: seams.PowerEvery, Watcher: seams.Watcher, Prompts: suite.Texts(), Logger: w.log,
	}
	if cfg.Canary {
		canary := workload.StandardCanary()
		w.canary = &canary
		w.client.Prompts = append(w.client.Prompts, canary.Texts()...)
	}
	w.shown = exporter.Options{
		Target: cfg.ExoURL, Models: cfg.Models, Suite: suite, Interval: cfg.CycleInterval, Simulated: seams.Simulated,
		Records: cfg.ResultsFile != "",
	}
	w.record = record.Options{Path: cfg.ResultsFile, MaxBytes: int64(cfg.ResultsMegabytes) << 20, Logger: w.log}
	w.resume = filepath.Join(cfg.StateDir, "cycle.json")
	w.answers = filepath.Join(cfg.StateDir, answers.File)
	w.judging = judging.Options{Path: filepath.Join(cfg.StateDir, judging.File), Records: cfg.ResultsFile}
	w.runner = workload.RunnerOptions{
		Models: cfg.Models, Suite: suite, Canary: w.canary, Interval: cfg.CycleInterval, Observers: slices.Clone(seams.Observers), Logger: w.log,
	}
	return nil
}

func (w *wiring) agent(cfg exporter.Config, seams Seams) error {
	w.driver = cluster.ClientOptions{
		URL: cfg.DriverURL, User: cfg.DriverUser, Password: cfg.DriverPassword.Reveal(), Transport: seams.Transport,
	}
	if w.driver.Transport != nil {
		return nil
	}
	roots, err := cfg.DriverRoots()
	if err != nil {
		return fmt.Errorf("EXOBENCH_DRIVER_CA_FILE: %w", err)
	}
	w.driver.Transport = cluster.NewTransport(roots)
	return nil
}
