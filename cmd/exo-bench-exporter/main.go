// Command exo-bench-exporter measures how fast and how heavy the language models of an exo
// node are, and exports what it finds to Prometheus.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"exo-bench-exporter/exporter"
)

// Exit statuses.
const (
	exitOK     = 0 // all well
	exitFailed = 1 // something measured or checked is not well
	exitUsage  = 2 // wrong usage or configuration

	exitStopped = 130 // once was told to stop before it was done, as shells have it
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	// A reader of the log or the progress that has gone ends nothing: what was loaded on exo would stay.
	signal.Ignore(syscall.SIGPIPE)
	// Nobody writes there but net/http, which quotes what a server has sent unasked.
	log.SetOutput(io.Discard)
	inv := invocation{env: environ(), stdout: os.Stdout, stderr: os.Stderr}
	// Closing the terminal of a server has it read its configuration anew, and ends every other
	// command as Ctrl-C does, unless it was started with nohup.
	inv.detached = signal.Ignored(syscall.SIGHUP)
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	inv.hangup = hangup
	os.Exit(inv.run(ctx, os.Args[1:]))
}

func environ() map[string]string {
	env := map[string]string{}
	for _, kv := range os.Environ() {
		if name, value, ok := strings.Cut(kv, "="); ok {
			env[name] = value
		}
	}
	return env
}

// invocation is one call of the program.
type invocation struct {
	env            map[string]string
	stdout, stderr io.Writer
	hangup         <-chan os.Signal // receives SIGHUP; nil for never
	detached       bool             // the program is to outlive the terminal
}

// untilHangup returns a context that also ends when the terminal goes away.
func (inv invocation) untilHangup(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if !inv.detached {
		go func() {
			select {
			case <-inv.hangup:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	return ctx, cancel
}

type command struct {
	name, args, summary, help string
	operands                  bool // it takes arguments beside its flags
	// flags declares the command's flags and returns what runs once they are parsed.
	flags func(*flag.FlagSet) func(context.Context, invocation) int
}

func commands() []command {
	return []command{
		serveCommand(), onceCommand(), checkCommand(), healthcheckCommand(), compareCommand(), reportCommand(), exportCommand(), judgeCommand(),
		acceptCommand(), rulesCommand(), backfillCommand(), completionCommand(), manCommand(), versionCommand(),
	}
}

// run executes the command that args name and returns the exit status.
func (inv invocation) run(ctx context.Context, args []string) int {
	stdout, stderr := inv.stdout, inv.stderr
	name := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	}
	switch {
	case name == "help" && len(args) > 0:
		name, args = args[0], []string{"-h"}
	case name == "help":
		name, args = "", []string{"-h"}
	case len(args) == 1 && (args[0] == "-version" || args[0] == "--version"): // as every other exporter has it
		name, args = "version", nil
	}
	for _, c := range commands() {
		if c.name != name {
			continue
		}
		fs := flag.NewFlagSet(strings.TrimSpace("exo-bench-exporter "+c.name), flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		start := c.flags(fs)
		err := fs.Parse(args)
		switch {
		case errors.Is(err, flag.ErrHelp):
			c.usage(stdout, fs)
			return exitOK
		case err != nil:
			fmt.Fprintf(stderr, "%s: %v; see %s -h\n", fs.Name(), err, fs.Name())
			return exitUsage
		case fs.NArg() > 0 && !c.operands:
			fmt.Fprintf(stderr, "%s: %q is one argument too many; see %s -h\n", fs.Name(), fs.Arg(0), fs.Name())
			return exitUsage
		}
		return start(ctx, inv)
	}
	fmt.Fprintf(stderr, "exo-bench-exporter: there is no command %q; see exo-bench-exporter -h\n", name)
	return exitUsage
}

func (c command) usage(w io.Writer, fs *flag.FlagSet) {
	fmt.Fprintf(w, "Usage: %s%s\n\n%s\n", fs.Name(), c.args, strings.TrimSpace(c.help))
	if c.name == "" {
		fmt.Fprint(w, "\nCommands:\n")
		for _, other := range commands()[1:] {
			fmt.Fprintf(w, "  %-12s %s\n", other.name, other.summary)
		}
	}
	any := false
	fs.VisitAll(func(*flag.Flag) { any = true })
	if any {
		fmt.Fprint(w, "\nFlags:\n")
		fs.SetOutput(w)
		fs.PrintDefaults()
		fs.SetOutput(io.Discard)
	}
	if c.name == "" {
		fmt.Fprintf(w, "\nVariables and their defaults:\n%s", exporter.ConfigHelp())
	}
	fmt.Fprint(w, "\nExit status: 0 all well, 1 something measured or checked is not, 2 wrong usage or configuration, "+
		"130 once was stopped.\n")
}
