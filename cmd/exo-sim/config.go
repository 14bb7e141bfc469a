package main

import (
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"exo-bench-exporter/workload/exosim"
	"exo-bench-exporter/workload/exosim/faults"
)

// config is what the command line says.
type config struct {
	listen      string
	pidFile     string
	healthy     bool
	memoryScale float64
	node        exosim.Options
}

const usage = `Usage: exo-sim [flags]

Exo-sim simulates one exo node: its HTTP API, its runners' states, the pace of its models
and the ways in which it fails. It computes nothing. Every answer carries the header
X-Exo-Sim, and GET /_sim/ lists the controls that change it while it runs.

Every instance has a child process that holds a scaled-down share of the model's memory.
POST /_sim/faults lets something go wrong, as described below the flags.

Flags:
`

// parse reads the command line. What is wrong with it has been written to stderr.
func parse(args []string, stderr io.Writer) (config, error) {
	var c config
	var dialect, variant, engine, absent string
	var memory uint64
	fs := flag.NewFlagSet("exo-sim", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() {
		fmt.Fprint(stderr, usage)
		fs.PrintDefaults()
		fmt.Fprint(stderr, "\n"+faults.Help())
	}
	fs.StringVar(&c.listen, "listen", "127.0.0.1:52416", "`address` to serve on; exo itself uses port 52415")
	fs.StringVar(&c.pidFile, "pid-file", "", "`file` that holds the process id while the node runs")
	fs.BoolVar(&c.healthy, "healthy", false, "ask the simulator that listens on -listen whether it answers, and do nothing else")
	fs.StringVar(&dialect, "dialect", "exo1", "generation of exo: exo1 (1.x) or exo0 (legacy 0.0.x)")
	fs.StringVar(&variant, "variant", "head", "wire format of exo 1.x: head or v1.0.71")
	fs.StringVar(&engine, "engine", "mlx", "engine of legacy exo: mlx, or tinygrad, which serves llama models only")
	fs.Float64Var(&c.node.Speed, "speed", 1, "`factor` by which everything runs faster than on an Apple M4 Pro")
	fs.Uint64Var(&c.node.Seed, "seed", 1, "`seed` of the jitter")
	fs.Float64Var(&c.memoryScale, "memory-scale", 0.02, "`share` of a model's memory that its child process really holds; 0 for no child "+
		"processes")
	fs.BoolVar(&c.node.CatalogueOnly, "catalogue-only", false, "know only the models of exo 1.x's own catalogue until others are added")
	fs.DurationVar(&c.node.Boot, "boot", 1200*time.Millisecond, "`time` that a spawned runner takes until it listens; 20 s on a busy Linux "+
		"machine")
	fs.DurationVar(&c.node.CatalogueIn, "catalogue-in", 3*time.Second, "`time` after the start until exo 1.x lists all of its models")
	fs.BoolVar(&c.node.Offline, "offline", false, "no internet: neither cards nor weights can be fetched")
	fs.StringVar(&absent, "not-downloaded", "", "comma-separated `models` whose weights are not on disk")
	fs.IntVar(&c.node.AnswerTokens, "answer-tokens", 0, "`tokens` after which an answer ends by itself; 0 for 150 to 900, by prompt")
	fs.IntVar(&c.node.MaxGenerateTokens, "max-generate-tokens", 10000, "legacy exo's own limit of an answer, in `tokens`")
	fs.Uint64Var(&memory, "memory-gib", 48, "memory of the simulated machine in `GiB`")
	if err := fs.Parse(args); err != nil {
		return config{}, err
	}
	var problems []string
	wrong := func(format string, a ...any) { problems = append(problems, fmt.Sprintf(format, a...)) }
	if fs.NArg() > 0 {
		wrong("unexpected argument %q: exo-sim takes flags only", fs.Arg(0))
	}
	switch c.node.Dialect = exosim.Dialect(dialect); c.node.Dialect {
	case exosim.Exo1, exosim.Exo0:
	default:
		wrong("-dialect %q: must be exo1 or exo0", dialect)
	}
	switch c.node.Variant = exosim.Variant(variant); c.node.Variant {
	case exosim.HEAD, exosim.V1071:
	default:
		wrong("-variant %q: must be head or v1.0.71", variant)
	}
	switch engine {
	case "mlx":
		c.node.Engine = exosim.MLX
	case "tinygrad":
		c.node.Engine = exosim.Tinygrad
	default:
		wrong("-engine %q: must be mlx or tinygrad", engine)
	}
	if !(c.node.Speed > 0 && c.node.Speed <= 1000) {
		wrong("-speed %g: must be above 0 and at most 1000", c.node.Speed)
	}
	if !(c.memoryScale >= 0 && c.memoryScale <= 1) {
		wrong("-memory-scale %g: must be between 0 and 1", c.memoryScale)
	}
	if c.node.MaxGenerateTokens < 1 {
		wrong("-max-generate-tokens %d: must be at least 1", c.node.MaxGenerateTokens)
	}
	if c.node.AnswerTokens < 0 {
		wrong("-answer-tokens %d: must not be negative", c.node.AnswerTokens)
	}
	if c.node.Boot <= 0 || c.node.CatalogueIn < 0 {
		wrong("-boot %v, -catalogue-in %v: must not be negative, and -boot not zero", c.node.Boot, c.node.CatalogueIn)
	}
	if memory < 1 || memory > 4096 {
		wrong("-memory-gib %d: must be between 1 and 4096", memory)
	}
	c.node.MemoryTotal = memory << 30
	if absent != "" {
		c.node.NotDownloaded = strings.Split(absent, ",")
	}
	if len(problems) > 0 {
		err := fmt.Errorf("exo-sim: %s", strings.Join(problems, "\nexo-sim: "))
		fmt.Fprintln(stderr, err)
		return config{}, err
	}
	return c, nil
}
