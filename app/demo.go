package app

import (
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"strconv"
	"time"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/exporter/memory"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/instance"
	"exo-bench-exporter/workload/exo/power"
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
	// demoPower is how often the simulated node reads its power.
	demoPower = power.Every / demoSpeed
)

// demo is the built-in simulator, serving on a free loopback port.
type demo struct {
	node  *exosim.Node
	url   string
	state string // directory for a state that is thrown away
}

// startDemo starts the simulator that a program with this configuration, read from environ, is
// to measure.
func startDemo(cfg exporter.Config, environ map[string]string, log *slog.Logger) (*demo, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	state, err := os.MkdirTemp("", "exo-bench-demo-")
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("no directory for its state: %w", err)
	}
	options := exosim.Options{Speed: demoSpeed, Seed: demoSeed, Log: log}
	if cfg.Dialect == workload.DialectExo0 {
		options.Dialect, options.MaxGenerateTokens = exosim.Exo0, 256
	}
	d := &demo{node: exosim.New(options), url: "http://" + l.Addr().String(), state: state}
	go func() {
		if err := d.node.Serve(l); err != nil {
			log.Error("The simulator has stopped", "err", err)
		}
	}()
	if environ[exporter.EnvPrefix+"EXO_URL"] != "" {
		log.Warn("-demo measures the built-in simulator; EXOBENCH_EXO_URL is not used", "configured", cfg.ExoURL)
	}
	log.Warn("SIMULATED: every figure comes from the built-in simulator in fast motion, none from a real exo", "speed", demoSpeed)
	return d, nil
}

// configure reads the configuration of a program that measures the simulator.
func (d *demo) configure(environ map[string]string) (exporter.Config, error) {
	all, err := exporter.Environ(environ)
	if err != nil {
		return exporter.Config{}, err
	}
	return exporter.LoadConfig(d.environ(all))
}

// environ returns env with what leads to the simulator instead of a node, and with what is fit
// for looking on where nothing else is set.
func (d *demo) environ(env map[string]string) map[string]string {
	env = maps.Clone(env)
	set := func(name, value string) { env[exporter.EnvPrefix+name] = value }
	set("EXO_URL", d.url)
	set("STATE_DIR", d.state)
	set("API_KEY", "")
	set("API_KEY_FILE", "")
	set("ENV_FILE", "") // it is in env already, and must not win
	set("EXO_PID", strconv.Itoa(d.node.Processes()[0].PID))
	for name, value := range map[string]string{
		"CYCLE_INTERVAL": demoInterval.String(),
		"RELOAD":         string(instance.ReloadAlways), // there is nobody to be disturbed
	} {
		if env[exporter.EnvPrefix+name] == "" {
			set(name, value)
		}
	}
	switch dialect := workload.Dialect(env[exporter.EnvPrefix+"DIALECT"]); dialect {
	case workload.DialectExo0, workload.DialectExo1:
	default:
		set("DIALECT", string(workload.DialectAuto)) // the simulator speaks no other
	}
	return env
}

// seams returns s with the simulator's processes.
func (d *demo) seams(s Seams) Seams {
	s.Processes, s.Settle, s.PowerEvery, s.Simulated = processesOf(d.node), demoSettle, demoPower, true
	return s
}

// processesOf returns the process tree that node simulates.
func processesOf(node *exosim.Node) memory.Source {
	return memory.SimulatedSource(func() []memory.Simulated { return simulated(node) })
}

// simulated returns the processes of node as they are now.
func simulated(node *exosim.Node) []memory.Simulated {
	var all []memory.Simulated
	for _, p := range node.Processes() {
		all = append(all, memory.Simulated{
			PID: int32(p.PID), PPID: int32(p.PPID), Created: p.Created, Command: p.Command,
			RSS: p.RSS, Peak: p.PeakRSS, Footprint: p.RSS, FootprintPeak: p.PeakRSS, // memory of its own, all of it
		})
	}
	return all
}

func (d *demo) close() {
	_ = d.node.Close()
	_ = os.RemoveAll(d.state)
}
