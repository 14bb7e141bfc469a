package stack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// shownLog is how many bytes of what a program printed a failed test shows.
const shownLog = 16 << 10

// Process is a program that runs beside the tests, in a process group of its own.
type Process struct {
	Cmd     *exec.Cmd
	Started time.Time
	Output  Log

	name string
	done chan struct{} // closed when the process has ended
}

// Start starts a program. Of the environment it inherits only what programs need, so that
// variables of the machine change nothing. It is ended with the test; what it printed is
// shown when the test has failed.
func Start(t *testing.T, env []string, path string, args ...string) *Process {
	t.Helper()
	p := &Process{name: filepath.Base(path), done: make(chan struct{})}
	p.Cmd = exec.CommandContext(context.Background(), path, args...) // the cleanup below ends it
	p.Cmd.Env = cleanEnv(t, env...)
	p.Cmd.Stdout, p.Cmd.Stderr = &p.Output, &p.Output
	p.Cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.Cmd.WaitDelay = time.Second // a child that outlives the program may hold on to its output
	p.Started = time.Now()
	if err := p.Cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	go func() {
		_ = p.Cmd.Wait()               // ProcessState says how it ended
		p.signalGroup(syscall.SIGKILL) // children that have outlived it
		close(p.done)
	}()
	t.Cleanup(func() {
		if _, err := p.Stop(10 * time.Second); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("output of %s:\n%s", p.name, p.Output.tail(shownLog))
		}
	})
	return p
}

func cleanEnv(t *testing.T, env ...string) []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + os.TempDir()}, env...)
}

// signalGroup sends a signal to the program and to its children; both may have ended.
func (p *Process) signalGroup(s syscall.Signal) { _ = syscall.Kill(-p.Cmd.Process.Pid, s) }

// Stop sends SIGTERM unless the process has ended, waits for its end and returns how long
// that took.
func (p *Process) Stop(within time.Duration) (time.Duration, error) {
	begin := time.Now()
	_ = p.Cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.done:
		return time.Since(begin), nil
	case <-time.After(within):
		p.Kill()
		return time.Since(begin), fmt.Errorf("%s did not end within %v of SIGTERM", p.name, within)
	}
}

// Kill ends the process with SIGKILL and returns when it has ended.
func (p *Process) Kill() {
	_ = p.Cmd.Process.Kill() // it may have ended
	<-p.done
}

// Alive reports whether the process still runs.
func (p *Process) Alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Run runs a program to its end and returns its standard output and exit status. What it
// prints to standard error is shown when the test has failed.
func Run(t *testing.T, env []string, path string, args ...string) (stdout []byte, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = cleanEnv(t, env...)
	cmd.WaitDelay = 5 * time.Second
	var stderr Log
	cmd.Stderr = &stderr
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("standard error of %v:\n%s", cmd, stderr.tail(shownLog))
		}
	})
	stdout, err := cmd.Output()
	if cmd.ProcessState == nil {
		t.Fatalf("%v: %v", cmd, err)
	}
	return stdout, cmd.ProcessState.ExitCode()
}
