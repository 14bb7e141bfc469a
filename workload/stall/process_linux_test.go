package stall

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// child is this test binary as a process that watches itself.
type child struct {
	cmd *exec.Cmd
	in  io.Closer
	out *bufio.Scanner
}

// start starts this test binary in the given part; it ends with the test.
func start(t *testing.T, part string) *child {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: exec.CommandContext(t.Context(), exe)}
	c.cmd.Env = append(os.Environ(), childEnv+"="+part)
	c.cmd.Stderr = os.Stderr
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewScanner(out)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	})
	return c
}

// watching starts a child that watches itself, and waits until it does.
func watching(t *testing.T) *child {
	t.Helper()
	c := start(t, "watch")
	if !c.out.Scan() || c.out.Text() != "watching" {
		t.Fatalf("the child says %q", c.out.Text())
	}
	return c
}

// report ends the child and returns what it saw.
func (c *child) report(t *testing.T) (r Report) {
	t.Helper()
	_ = c.in.Close()
	if !c.out.Scan() {
		t.Fatal("the child does not report")
	}
	if err := json.Unmarshal(c.out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestStoppedProcess(t *testing.T) {
	t.Parallel()
	const pause = 400 * time.Millisecond
	c := watching(t)
	if err := c.cmd.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(pause)
	if err := c.cmd.Process.Signal(unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	r := c.report(t)
	if r.Longest < pause/2 || r.Starved(Stream{Gap: 20 * time.Millisecond}) == "" {
		t.Errorf("stopped for %v, the process reports %+v: %q", pause, r, r.Starved(Stream{Gap: 20 * time.Millisecond}))
	}
}

func TestStarvedProcess(t *testing.T) {
	onOneCore(t)
	for range 4 {
		start(t, "spin")
	}
	c := watching(t)
	time.Sleep(800 * time.Millisecond)
	r := c.report(t)
	if !r.HasRunDelay {
		t.Skip("this kernel does not tell how long threads wait")
	}
	if r.Starved(Stream{Gap: 5 * time.Millisecond}) == "" {
		t.Errorf("beside four busy loops on its only core the process reports %+v", r)
	}
}

// onOneCore has processes that this test starts run on one core alone.
func onOneCore(t *testing.T) {
	t.Helper()
	runtime.LockOSThread() // a new process has the affinity of the thread that starts it
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		t.Skip("cores cannot be chosen here:", err)
	}
	for cpu := range len(all) * 64 {
		if all.IsSet(cpu) {
			one.Set(cpu)
			break
		}
	}
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		t.Skip("cores cannot be chosen here:", err)
	}
	t.Cleanup(func() {
		if unix.SchedSetaffinity(0, &all) == nil {
			runtime.UnlockOSThread()
		}
	})
}
