package memory

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// helperEnv turns the test binary into a process that allocates, starts children and dies as
// its standard input says. It answers every line with one line.
const helperEnv = "EXOBENCH_MEMORY_TEST_HELPER"

const mib = 1 << 20

func helperMain() {
	debug.SetGCPercent(-1) // nothing moves unless it is asked for
	var held [][]byte
	children := map[int]*helper{}
	in := bufio.NewScanner(os.Stdin)
	fmt.Println("ready")
	for in.Scan() {
		verb, rest, _ := strings.Cut(in.Text(), " ")
		switch verb {
		case "alloc": // MiB
			held = append(held, touch(number(rest)))
		case "free": // what was allocated last
			if err := syscall.Munmap(held[len(held)-1]); err != nil {
				panic(err)
			}
			held = held[:len(held)-1]
		case "spike": // MiB, for 50 ms
			b := touch(number(rest))
			time.Sleep(50 * time.Millisecond)
			if err := syscall.Munmap(b); err != nil {
				panic(err)
			}
		case "listen": // answers with the port
			l, err := net.Listen("tcp4", rest+":0")
			if err != nil {
				panic(err)
			}
			defer l.Close()
			fmt.Println(l.Addr().(*net.TCPAddr).Port)
			continue
		case "nap": // ms
			time.Sleep(time.Duration(number(rest)) * time.Millisecond)
		case "spawn": // command line
			h, err := startHelper(strings.Fields(rest))
			if err != nil {
				panic(err)
			}
			children[h.pid()] = h
			fmt.Println(h.pid())
			continue
		case "child": // pid, then what it is to do
			pid, what, _ := strings.Cut(rest, " ")
			fmt.Println(children[number(pid)].ask(what))
			continue
		case "kill": // pid
			children[number(rest)].kill()
		}
		fmt.Println("ok")
	}
	for _, h := range children {
		h.kill()
	}
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// touch returns n MiB of memory, all of it resident and none of it Go's.
func touch(n int) []byte {
	b, err := syscall.Mmap(-1, 0, n*mib, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic(err)
	}
	for i := 0; i < len(b); i += os.Getpagesize() {
		b[i] = 1
	}
	return b
}

type helper struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// startHelper starts a helper that seems to have been started as argv, and waits until it is ready.
func startHelper(argv []string) (*helper, error) { return startHelperAs(argv, func(*exec.Cmd) {}) }

// startHelperAs is startHelper with a say in how the process is made.
func startHelperAs(argv []string, how func(*exec.Cmd)) (*helper, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	h := &helper{cmd: exec.Command(exe)}
	h.cmd.Args = argv
	h.cmd.Env = append(os.Environ(), helperEnv+"=1")
	h.cmd.Stderr = os.Stderr
	how(h.cmd)
	if h.in, err = h.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	h.out = bufio.NewScanner(out)
	if err := h.cmd.Start(); err != nil {
		return nil, err
	}
	if !h.out.Scan() || h.out.Text() != "ready" {
		return nil, fmt.Errorf("helper says %q", h.out.Text())
	}
	return h, nil
}

func (h *helper) pid() int { return h.cmd.Process.Pid }

// ask has the helper do something and returns its answer.
func (h *helper) ask(what string) string {
	if _, err := fmt.Fprintln(h.in, what); err != nil {
		return err.Error()
	}
	h.out.Scan()
	return h.out.Text()
}

func (h *helper) kill() {
	_ = h.cmd.Process.Kill()
	_ = h.cmd.Wait()
}

// newHelper starts a helper that ends with the test, its children too.
func newHelper(t testing.TB, argv ...string) *helper {
	t.Helper()
	h, err := startHelper(argv)
	if err != nil {
		t.Fatal(err)
	}
	h.endWith(t)
	return h
}

// endWith has the helper end with the test.
func (h *helper) endWith(t testing.TB) {
	t.Cleanup(func() {
		_ = h.in.Close()
		_ = h.cmd.Wait()
	})
}

func (h *helper) do(t testing.TB, what string, args ...any) {
	t.Helper()
	if got := h.ask(fmt.Sprintf(what, args...)); got != "ok" {
		t.Fatalf("helper answers %q to %q", got, fmt.Sprintf(what, args...))
	}
}

func (h *helper) spawn(t testing.TB, argv string) int {
	t.Helper()
	pid, err := strconv.Atoi(h.ask("spawn " + argv))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

const (
	exoArgv     = "/opt/exo/.venv/bin/python /opt/exo/.venv/bin/exo -v"
	trackerArgv = "/opt/exo/.venv/bin/python -c from_multiprocessing.resource_tracker_import_main;main(5)"
	runnerArgv  = "/opt/exo/.venv/bin/python -c from_multiprocessing.spawn_import_spawn_main --multiprocessing-fork"
)

// cpuTime returns the processor time that this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
