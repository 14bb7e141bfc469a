package main

import (
	"cmp"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"exo-bench-exporter/exporter"
	"exo-bench-exporter/workload/exosim"
)

// asProgram is the variable that makes the test binary the program itself, see TestMain. It
// does not begin with EXOBENCH_, which the program would refuse.
const asProgram = "TEST_AS_EXO_BENCH_EXPORTER"

// The model that is measured, one whose turn comes next, and one of a stranger's, which nothing
// may touch.
const (
	victim    = "llama-3.1-8b"
	next      = "llama-3.2-1b"
	strangers = "mlx-community/Qwen3-0.6B-4bit"
)

// longSuite keeps a stream going until it is ended from outside.
const longSuite = `version: long-1
temperature: 0
seed: 1
prompts:
  - {id: long, kind: chat, max_tokens: 30000, messages: [{role: user, content: "Count to a million, please."}]}
`

// Modelled durations go by so much faster. A load of the victim takes half a second, or two.
const (
	fast = 8
	slow = 2 // where a state that does not last is to be met
)

// exoServer is a simulated node behind a real listener, with a stranger's instances on it.
type exoServer struct {
	*exosim.Node
	url    string
	guests []string
	state  string // the exporter's state directory
	suite  string
	cut    func() // closes every connection
}

func startExo(t *testing.T, speed float64) *exoServer {
	t.Helper()
	known := []string{victim, next, strangers}
	profiles := slices.DeleteFunc(exosim.Profiles(), func(p exosim.Profile) bool { // few models keep the state small
		return !slices.Contains(known, p.Name) && !slices.Contains(known, p.ExoID)
	})
	e := &exoServer{Node: exosim.New(exosim.Options{Speed: speed, Profiles: profiles}), state: t.TempDir()}
	server := httptest.NewServer(e.Node)
	t.Cleanup(func() {
		_ = e.Close()
		server.CloseClientConnections()
		server.Close()
	})
	e.url, e.cut, e.suite = server.URL, server.CloseClientConnections, filepath.Join(t.TempDir(), "suite.yaml")
	if err := os.WriteFile(e.suite, []byte(longSuite), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, model := range []string{next, strangers} {
		id, err := e.PlaceStranger(model)
		if err != nil {
			t.Fatal(err)
		}
		e.guests = append(e.guests, id)
	}
	waitFor(t, "the stranger's instances", func() bool {
		return !slices.ContainsFunc(e.Instances(), func(i exosim.InstanceInfo) bool { return i.Status != "RunnerReady" })
	})
	return e
}

// own returns the instance that the exporter created; false when there is none.
func (e *exoServer) own() (exosim.InstanceInfo, bool) {
	for _, i := range e.Instances() {
		if !i.Stranger {
			return i, true
		}
	}
	return exosim.InstanceInfo{}, false
}

// has reports whether an instance of the exporter's is there whose runner is in this state.
func (e *exoServer) has(status string) bool {
	i, ok := e.own()
	return ok && i.Status == status
}

// wantGuestsOnly wants the strangers' instances as they were, and nothing else.
func (e *exoServer) wantGuestsOnly(t *testing.T) {
	t.Helper()
	var ids []string
	for _, i := range e.Instances() {
		if i.Status != "RunnerReady" {
			t.Errorf("instance %+v", i)
		}
		ids = append(ids, i.ID)
	}
	if !slices.Equal(ids, e.guests) {
		t.Errorf("the node has %v, want those of the stranger's: %v", ids, e.guests)
	}
	for _, i := range e.Deleted() {
		if i.Stranger {
			t.Errorf("a stranger's instance was deleted: %+v", i)
		}
	}
	if n := e.RunningTasks(); n != 0 {
		t.Errorf("%d tasks are running", n)
	}
}

// waitFor waits until what is true, and looks every few milliseconds.
func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !is() {
		if time.Now().After(deadline) {
			t.Fatalf("there is no sign of %s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// program is the exporter as a process of its own.
type program struct {
	cmd    *exec.Cmd
	log    buffer
	exited chan error
}

// command returns the program, with a command or as a server, to measure the model.
func (e *exoServer) command(t *testing.T, model string, command ...string) *program {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{cmd: exec.Command(self, command...), exited: make(chan error, 1)}
	p.cmd.Env = []string{asProgram + "=1", "HOME=" + t.TempDir()}
	for _, kv := range []string{
		"EXO_URL=" + e.url, "STATE_DIR=" + e.state, "SUITE=" + e.suite, "MODELS=" + model,
		"LISTEN_ADDRESS=127.0.0.1:0", "CYCLE_INTERVAL=1h",
	} {
		p.cmd.Env = append(p.cmd.Env, exporter.EnvPrefix+kv)
	}
	return p
}

// start starts the program and waits until it works.
func (e *exoServer) start(t *testing.T, model string, command ...string) *program {
	t.Helper()
	p := e.command(t, model, command...)
	p.run(t)
	return p
}

// run starts the program that command has returned, and waits until it works.
func (p *program) run(t *testing.T) {
	t.Helper()
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	go func() { p.exited <- p.cmd.Wait() }()
	running := "exo-bench-exporter is running"
	if len(p.cmd.Args) > 1 {
		running = "getting ready"
	}
	waitFor(t, "the exporter's start", func() bool { return strings.Contains(p.log.String(), running) })
}

// end sends the signal and returns the exit status, -1 when the signal ended the process.
func (p *program) end(t *testing.T, s os.Signal, within time.Duration) int {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("%v; log:\n%s", err, p.log.String())
	}
	select {
	case err := <-p.exited:
		var status *exec.ExitError
		if err != nil && !errors.As(err, &status) {
			t.Fatal(err)
		}
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(within):
		t.Fatalf("%s has not ended the process within %s; log:\n%s", s, within, p.log.String())
		return 0
	}
}

// Whenever the exporter is killed, the next start removes exactly what it had left behind,
// whatever it is started for.
func TestKilled(t *testing.T) {
	for _, c := range []struct {
		name  string
		speed float64 // fast when zero
		setup func(*testing.T, *exoServer)
		at    func(*exoServer) bool
		model string // that the next start measures; the same when empty
		args  []string
		exit  int
	}{
		{
			name: "load",
			setup: func(t *testing.T, e *exoServer) { // slow enough to be met while it lasts
				_, err := e.Inject(exosim.Fault{Kind: exosim.Slow, Model: victim, Percent: 75})
				noError(t, err)
			},
			at: func(e *exoServer) bool { return e.has("RunnerLoading") },
		},
		{
			name: "generation",
			at:   func(e *exoServer) bool { return e.has("RunnerRunning") && e.RunningTasks() > 0 },
		},
		{
			name:  "generation, then another model's turn",
			at:    func(e *exoServer) bool { return e.has("RunnerRunning") && e.RunningTasks() > 0 },
			model: next, // which a stranger has loaded
		},
		{
			name:  "generation, then once",
			at:    func(e *exoServer) bool { return e.has("RunnerRunning") && e.RunningTasks() > 0 },
			model: next, args: []string{"once"}, exit: exitStopped,
		},
		{
			name: "deletion",
			setup: func(t *testing.T, e *exoServer) { // exo does not come to delete it before the kill
				_, err := e.Inject(exosim.Fault{Kind: exosim.DeleteIgnored, Model: victim, Count: 1})
				noError(t, err)
				noError(t, os.WriteFile(e.suite, []byte(tinySuite), 0o600))
			},
			at: func(e *exoServer) bool { return e.Calls()["DELETE /instance/{id}"] > 0 },
		},
		{
			name:  "unload",
			speed: slow,
			setup: func(t *testing.T, e *exoServer) {
				noError(t, os.WriteFile(e.suite, []byte(tinySuite), 0o600))
			},
			at: func(e *exoServer) bool { return e.has("RunnerShuttingDown") },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := startExo(t, cmp.Or(c.speed, fast))
			if c.setup != nil {
				c.setup(t, e)
			}
			p := e.start(t, victim)
			waitFor(t, c.name, func() bool { return c.at(e) })
			left, ok := e.own()
			p.end(t, syscall.SIGKILL, 5*time.Second)
			if !ok {
				t.Fatalf("there was no instance of ours at the time; log:\n%s", p.log.String())
			}
			t.Logf("killed with the runner in %s", left.Status)
			waitFor(t, "the end of the stream", func() bool { return e.RunningTasks() == 0 })
			e.Clear("")

			p = e.start(t, cmp.Or(c.model, victim), c.args...)
			waitFor(t, "the orphan's end", func() bool {
				return slices.ContainsFunc(e.Deleted(), func(i exosim.InstanceInfo) bool { return i.ID == left.ID })
			})
			if got := p.end(t, syscall.SIGTERM, 5*time.Second); got != c.exit {
				t.Errorf("exit status %d, want %d; log:\n%s", got, c.exit, p.log.String())
			}
			waitFor(t, "the end of what exo does", func() bool { return e.RunningTasks() == 0 })
			e.wantGuestsOnly(t)
		})
	}
}

// Told to stop, the exporter ends its stream, removes its instance and exits, all within the
// time that process managers grant.
func TestTerminated(t *testing.T) {
	for name, at := range map[string]func(*exoServer) bool{
		"load":   func(e *exoServer) bool { return e.has("RunnerLoading") },
		"stream": func(e *exoServer) bool { return e.has("RunnerRunning") && e.RunningTasks() > 0 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := startExo(t, fast)
			p := e.start(t, victim)
			waitFor(t, name, func() bool { return at(e) })
			if got := p.end(t, syscall.SIGTERM, 5*time.Second); got != exitOK {
				t.Errorf("exit status %d; log:\n%s", got, p.log.String())
			}
			waitFor(t, "the end of what exo does", func() bool {
				_, there := e.own()
				return !there && e.RunningTasks() == 0
			})
			e.wantGuestsOnly(t)
			records, err := filepath.Glob(filepath.Join(e.state, "*"))
			noError(t, err)
			// What is shown, and what is judged, goes on.
			stays := []string{"cycle.json", "judge.json", "judge.json.lock", "answers.json", "answers.json.lock"}
			records = slices.DeleteFunc(records, func(name string) bool { return slices.Contains(stays, filepath.Base(name)) })
			if len(records) > 0 {
				t.Errorf("the state directory still has %v", records)
			}
		})
	}
}

// Closing the terminal does not end a server, which reads its configuration anew, and ends once as
// Ctrl-C does: nothing stays on exo in either case.
func TestHungUp(t *testing.T) {
	// Where the tests themselves were started with nohup, the programs that they start would be too.
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(heard) })
	streaming := func(e *exoServer) bool { return e.has("RunnerRunning") && e.RunningTasks() > 0 }
	gone := func(e *exoServer) bool {
		_, there := e.own()
		return !there && e.RunningTasks() == 0
	}
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		e := startExo(t, fast)
		p := e.start(t, victim)
		waitFor(t, "a stream", func() bool { return streaming(e) })
		instance, _ := e.own()
		noError(t, p.cmd.Process.Signal(syscall.SIGHUP))
		waitFor(t, "the reload", func() bool { return strings.Contains(p.log.String(), "The configuration was read anew") })
		waitFor(t, "a stream after it", func() bool { return streaming(e) }) // the first may have been the warm-up's
		if now, there := e.own(); !there || now.ID != instance.ID {
			t.Errorf("the turn that ran was cut off; log:\n%s", p.log.String())
		}
		if got := p.end(t, syscall.SIGTERM, 10*time.Second); got != exitOK {
			t.Errorf("exit status %d; log:\n%s", got, p.log.String())
		}
		waitFor(t, "the end of what exo does", func() bool { return gone(e) })
		e.wantGuestsOnly(t)
	})
	t.Run("once", func(t *testing.T) {
		t.Parallel()
		e := startExo(t, fast)
		p := e.start(t, victim, "once")
		waitFor(t, "a stream", func() bool { return streaming(e) })
		if got := p.end(t, syscall.SIGHUP, 10*time.Second); got != exitStopped {
			t.Errorf("exit status %d; output:\n%s", got, p.log.String())
		}
		waitFor(t, "the end of what exo does", func() bool { return gone(e) })
		e.wantGuestsOnly(t)
	})
}

// Whoever reads the log or the progress may go away: that ends nothing.
func TestReaderOfTheLogGoesAway(t *testing.T) {
	for name, command := range map[string][]string{"server": nil, "once": {"once"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := startExo(t, fast)
			noError(t, os.WriteFile(e.suite, []byte(tinySuite), 0o600))
			r, w, err := os.Pipe()
			noError(t, err)
			p := e.command(t, victim, command...)
			p.cmd.Stdout, p.cmd.Stderr = w, w
			noError(t, p.cmd.Start())
			t.Cleanup(func() { _ = p.cmd.Process.Kill() })
			go func() { p.exited <- p.cmd.Wait() }()
			noError(t, w.Close())
			noError(t, r.Close())
			waitFor(t, "a whole turn", func() bool { return e.Calls()["DELETE /instance/{id}"] > 0 })
			if name == "server" {
				waitFor(t, "its end", func() bool { _, there := e.own(); return !there })
				if got := p.end(t, syscall.SIGTERM, 10*time.Second); got != exitOK {
					t.Errorf("exit status %d", got)
				}
			} else if err := <-p.exited; p.cmd.ProcessState.ExitCode() != exitFailed { // the table could not be printed
				t.Errorf("ended with %v", err)
			}
			e.wantGuestsOnly(t)
		})
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
