package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal returns both ends of a terminal: closing the first is what closing its window is.
func terminal(t *testing.T) (window, inside *os.File) {
	t.Helper()
	window, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("there are no terminals here: ", err)
	}
	t.Cleanup(func() { _ = window.Close() })
	// Not by Fd, after which closing would wait for a read.
	raw, err := window.SyscallConn()
	noError(t, err)
	var n int
	noError(t, raw.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			n, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	}))
	noError(t, err)
	inside, err = os.OpenFile(filepath.Join("/dev/pts", fmt.Sprint(n)), os.O_RDWR|syscall.O_NOCTTY, 0)
	noError(t, err)
	return window, inside
}

// inTerminal starts the program as a shell in a window does, and returns what closes the window.
func (p *program) inTerminal(t *testing.T) (closeWindow func()) {
	t.Helper()
	window, inside := terminal(t)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = inside, inside, inside
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	noError(t, p.cmd.Start())
	noError(t, inside.Close())
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	go func() { p.exited <- p.cmd.Wait() }()
	read := make(chan struct{})
	go func() { // what is written has to be read, or the program would wait
		defer close(read)
		for b := make([]byte, 4096); ; {
			if n, err := window.Read(b); err != nil {
				return
			} else if _, err := p.log.Write(b[:n]); err != nil {
				return
			}
		}
	}()
	return func() {
		noError(t, window.Close())
		<-read
	}
}

// suiteOfASecond keeps a stream going for a second or two.
const suiteOfASecond = `version: second-1
temperature: 0
seed: 1
prompts:
  - {id: second, kind: chat, max_tokens: 600, messages: [{role: user, content: "Count to a hundred, please."}]}
`

// When the window of its terminal is closed while a model is measured, a server goes on without one: the model is unloaded
// when its turn has ended, and the server ends as always when it is told to. once ends, and leaves nothing either.
func TestClosedTerminal(t *testing.T) {
	// Where the tests themselves were started with nohup, the programs that they start would be too.
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(heard) })
	for name, command := range map[string][]string{"server": nil, "once": {"once"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := startExo(t, fast)
			if name == "server" {
				noError(t, os.WriteFile(e.suite, []byte(suiteOfASecond), 0o600))
			}
			p := e.command(t, victim, command...)
			closeWindow := p.inTerminal(t)
			waitFor(t, "a stream", func() bool { return e.has("RunnerRunning") && e.RunningTasks() > 0 })
			closeWindow()
			waitFor(t, "the unloading of the model", func() bool {
				_, there := e.own()
				return !there && e.RunningTasks() == 0
			})
			if name == "server" {
				if len(p.exited) > 0 {
					t.Errorf("it has ended: %v", p.cmd.ProcessState)
				}
				if got := p.end(t, syscall.SIGTERM, 10*time.Second); got != exitOK {
					t.Errorf("exit status %d", got)
				}
			} else if err := <-p.exited; p.cmd.ProcessState.ExitCode() != exitStopped {
				t.Errorf("it has ended with %v; output:\n%s", err, p.log.String())
			}
			e.wantGuestsOnly(t)
		})
	}
}
