package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a program that runs beside the tests.
type process struct {
	name    string
	cmd     *exec.Cmd
	started time.Time
	output  logBuffer
	done    chan struct{} // closed when the process has ended
}

// start starts a program. Of the environment it inherits only what programs need, so that
// variables of the machine change nothing. It is ended with the test; what it printed is
// shown when the test has failed.
func start(t *testing.T, env []string, path string, args ...string) *process {
	t.Helper()
	p := &process{name: path[strings.LastIndexByte(path, '/')+1:], done: make(chan struct{})}
	p.cmd = exec.Command(path, args...)
	p.cmd.Env = cleanEnv(t, env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	p.started = time.Now()
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	go func() {
		_ = p.cmd.Wait() // ProcessState says how it ended
		close(p.done)
	}()
	t.Cleanup(func() {
		if _, err := p.stop(10 * time.Second); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("output of %s:\n%s", p.name, p.output.tail(16<<10))
		}
	})
	return p
}

func cleanEnv(t *testing.T, env ...string) []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + os.TempDir()}, env...)
}

// stop sends SIGTERM unless the process has ended, waits for its end and returns how long
// that took.
func (p *process) stop(within time.Duration) (time.Duration, error) {
	begin := time.Now()
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.done:
		return time.Since(begin), nil
	case <-time.After(within):
		_ = p.cmd.Process.Kill()
		<-p.done
		return time.Since(begin), fmt.Errorf("%s did not end within %v of SIGTERM", p.name, within)
	}
}

// alive reports whether the process still runs.
func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// logBuffer collects what a process prints.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *logBuffer) tail(n int) string {
	s := b.String()
	return s[max(0, len(s)-n):]
}

// output runs a program to its end and returns its standard output and exit status. What it
// prints to standard error is shown when the test has failed.
func output(t *testing.T, env []string, path string, args ...string) (stdout []byte, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = cleanEnv(t, env...)
	cmd.WaitDelay = 5 * time.Second
	var stderr logBuffer
	cmd.Stderr = &stderr
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("standard error of %v:\n%s", cmd, stderr.tail(16<<10))
		}
	})
	stdout, err := cmd.Output()
	if cmd.ProcessState == nil {
		t.Fatalf("%v: %v", cmd, err)
	}
	return stdout, cmd.ProcessState.ExitCode()
}

// freeAddress returns a loopback address that nothing listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// eventually calls ok every interval until it returns true, or fails the test.
func eventually(t *testing.T, within, interval time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
		time.Sleep(interval)
	}
}

var client = &http.Client{Timeout: 10 * time.Second}

// get returns the body of an answer with status 200.
func get(url string) ([]byte, error) {
	resp, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %s", url, resp.Status, body)
	}
	return body, err
}

// answers reports whether url is answered with status 200.
func answers(url string) bool {
	_, err := get(url)
	return err == nil
}
