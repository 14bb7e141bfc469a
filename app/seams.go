package app

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/exporter/machine"
	"exo-bench-exporter/exporter/memory"
	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/instance"
	"exo-bench-exporter/workload/stall"
)

// Seams are what a program takes from its surroundings. The zero value takes all of it from the
// machine that the program runs on, and logs nothing.
type Seams struct {
	Log io.Writer // where the log goes; nil for nowhere
	// Transport carries the requests to the node, and an agent's to its driver; nil for HTTP.
	Transport http.RoundTripper
	// Listener is where the program serves; nil for the configured address.
	Listener net.Listener
	// Processes are those among which exo is looked for; nil for this machine's.
	Processes memory.Source
	// Machine tells the conditions under which it works; nil for this machine.
	Machine machine.Source
	// Settle is how long memory may settle after a model was unloaded; 0 for the sampler's own.
	Settle time.Duration
	// PowerEvery is how often exo reads the power of its machines; 0 for a real one's.
	PowerEvery time.Duration
	// Watcher tells when the program itself was held up while an answer came; nil where time is
	// not the real one.
	Watcher *stall.Watcher
	// Simulated says that the node is the built-in simulator, whatever its answers say.
	Simulated bool
	// Hangup receives when the user wants the configuration to be read anew; nil for never.
	Hangup <-chan os.Signal
	// Observers are told what happens after the program's own.
	Observers []workload.Observer
	// Loading is told at every look how the load of a model goes on; nil for a line in the log now and then.
	Loading func(instance.Progress)

	logger *slog.Logger // of a program that runs already; nil for the one that is configured
}

// log returns the logger of a program with this configuration.
func (s Seams) log(cfg exporter.Config) *slog.Logger {
	switch {
	case s.logger != nil:
		return s.logger
	case s.Log == nil:
		return slog.New(slog.DiscardHandler)
	}
	return cfg.Logger(s.Log)
}
