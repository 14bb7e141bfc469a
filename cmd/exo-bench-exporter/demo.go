package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/exporter/memory"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exosim"
)

const (
	// demoSpeed lets the simulated node run in fast motion, so that a cycle of five models is
	// over in less than a minute.
	demoSpeed = 5
	// demoInterval is the cycle interval of a demo unless one is configured.
	demoInterval = time.Minute
	// demoSettle is how long memory may settle after a model is unloaded there.
	demoSettle = 500 * time.Millisecond
	demoSeed   = 1
)

// errDemo marks errors of starting the simulator.
var errDemo = errors.New("the simulator cannot be started")

// demo is the built-in simulator, serving on a free loopback port.
type demo struct {
	node   *exosim.Node
	server *http.Server
	state  string
}

// startDemo starts the simulator and points cfg at it: its URL, a cycle interval fit for
// looking on, and a state directory that is thrown away.
func startDemo(cfg *exporter.Config, env map[string]string, log *slog.Logger) (*demo, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDemo, err)
	}
	state, err := os.MkdirTemp("", "exo-bench-demo-")
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("%w: no directory for its state: %w", errDemo, err)
	}
	options := exosim.Options{Speed: demoSpeed, Seed: demoSeed, Log: log}
	if cfg.Dialect == workload.DialectExo0 {
		options.Dialect, options.MaxGenerateTokens = exosim.Exo0, 256
	}
	d := &demo{node: exosim.New(options), state: state}
	d.server = &http.Server{Handler: d.node, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := d.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the simulator has stopped", "error", err)
		}
	}()
	if env[exporter.EnvPrefix+"EXO_URL"] != "" {
		log.Warn("-demo measures the built-in simulator; EXOBENCH_EXO_URL is not used", "configured", cfg.ExoURL)
	}
	cfg.ExoURL, cfg.StateDir, cfg.APIKey = "http://"+l.Addr().String(), state, ""
	if env[exporter.EnvPrefix+"CYCLE_INTERVAL"] == "" {
		cfg.CycleInterval = demoInterval
	}
	if cfg.Dialect != workload.DialectExo0 && cfg.Dialect != workload.DialectExo1 {
		cfg.Dialect = workload.DialectAuto // the simulator speaks no other
	}
	log.Warn("SIMULATED: every figure comes from the built-in simulator in fast motion, none from a real exo", "speed", demoSpeed)
	return d, nil
}

// memoryConfig makes c read the simulated process tree.
func (d *demo) memoryConfig(c memory.Config) memory.Config {
	root := d.node.Processes()[0]
	c.PID, c.Settle = root.PID, demoSettle
	c.Source = memory.SimulatedSource(func() []memory.Simulated {
		var all []memory.Simulated
		for _, p := range d.node.Processes() {
			all = append(all, memory.Simulated{
				PID: int32(p.PID), PPID: int32(p.PPID), Created: p.Created, RSS: p.RSS, Peak: p.PeakRSS, Command: p.Command,
			})
		}
		return all
	})
	return c
}

func (d *demo) close() {
	_ = d.server.Close()
	_ = d.node.Close()
	_ = os.RemoveAll(d.state)
}
