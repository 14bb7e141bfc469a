package main

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const model = "mlx-community/Meta-Llama-3.1-8B-Instruct-4bit"

// rss returns the resident set of a process in bytes, and false when there is none.
func rss(pid int) (uint64, bool) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(status)) {
		var kib uint64
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kib); err == nil {
			return kib << 10, true
		}
	}
	return 0, false // a zombie
}

// children returns the child processes of pid.
func children(t *testing.T, pid int) (pids []int) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, _ := os.ReadFile(f)
		for field := range strings.FieldsSeq(string(text)) {
			child, _ := strconv.Atoi(field)
			pids = append(pids, child)
		}
	}
	return pids
}

// eventually fails the test unless f becomes true within ten seconds.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 2000 {
		if f() {
			return
		}
		<-tick.C
	}
	t.Fatalf("in vain: %s", what)
}

func gone(pid int) func() bool {
	return func() bool {
		_, there := rss(pid)
		return !there
	}
}

// raceDetector reports whether this binary was built with it.
func raceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

func TestRunnerHoldsMemory(t *testing.T) {
	r := newRunners(0.01, slog.New(slog.DiscardHandler))
	c, err := r.Spawn("m")
	if err != nil {
		t.Fatal(err)
	}
	var most uint64
	c.Hold(1 << 30)
	c.Hold(8 << 30)
	eventually(t, "holds a hundredth of 8 GiB", func() bool {
		most, _ = rss(c.PID())
		return most >= 80<<20
	})
	if !raceDetector() { // under which a program never gives memory back
		c.Hold(1 << 30)
		eventually(t, "gives most of it back", func() bool {
			n, _ := rss(c.PID())
			return n+(60<<20) < most
		})
	}
	c.Stop()
	c.Stop()
	r.close()
	if !gone(c.PID())() {
		t.Error("the runner outlived its end")
	}
}

// sim is exo-sim as a process.
type sim struct {
	cmd *exec.Cmd
	url string
	log chan struct{} // closed when stderr has ended
}

func start(t *testing.T, args ...string) *sim {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"-listen", "127.0.0.1:0", "-speed", "50", "-memory-scale", "0.01"}, args...)...)
	// The race detector sleeps a second at exit unless it is told not to.
	cmd.Env = append(os.Environ(), "EXO_SIM_TEST_MAIN=1", "GORACE=atexit_sleep_ms=0")
	pr, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = pw
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = pw.Close()
	lines := bufio.NewScanner(pr)
	s := &sim{cmd: cmd, log: make(chan struct{})}
	for s.url == "" && lines.Scan() {
		if found := regexp.MustCompile(`url=(\S+)`).FindStringSubmatch(lines.Text()); found != nil {
			s.url = found[1]
		}
	}
	if s.url == "" {
		t.Fatal("exo-sim never said where it listens")
	}
	go func() {
		defer close(s.log)
		defer pr.Close()
		_, _ = io.Copy(io.Discard, pr)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		<-s.log
	})
	return s
}

func (s *sim) call(t *testing.T, method, path, body string) string {
	t.Helper()
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 || res.Header.Get("X-Exo-Sim") != "1" {
		t.Fatalf("%s %s: %d %s, %v", method, path, res.StatusCode, answer, err)
	}
	return string(answer)
}

// load places the model and returns the pid of its runner once that is ready.
func (s *sim) load(t *testing.T) int {
	t.Helper()
	s.call(t, "POST", "/place_instance", `{"model_id":"`+model+`"}`)
	eventually(t, "a runner is ready", func() bool {
		return strings.Contains(s.call(t, "GET", "/state/runners", ""), "RunnerReady")
	})
	pids := children(t, s.cmd.Process.Pid)
	if len(pids) != 1 {
		t.Fatalf("children are %v", pids)
	}
	return pids[0]
}

func TestOneChildPerInstance(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "exo.pid")
	s := start(t, "-pid-file", pidFile)
	if text, err := os.ReadFile(pidFile); err != nil || string(text) != fmt.Sprintln(s.cmd.Process.Pid) {
		t.Errorf("pid file %q, %v", text, err)
	}
	if pids := children(t, s.cmd.Process.Pid); len(pids) != 0 {
		t.Errorf("children before any instance: %v", pids)
	}
	child := s.load(t)
	most := uint64(90 << 20)
	if raceDetector() { // which remembers, page by page, who wrote there
		most *= 5
	}
	eventually(t, "the runner holds a hundredth of the weights", func() bool {
		n, _ := rss(child)
		return n > 44<<20 && n < most
	})
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", child))
	if err != nil || strings.ReplaceAll(string(cmdline), "\x00", " ") != "python3 -c "+runnerCode+" --multiprocessing-fork " {
		t.Errorf("command line %q, %v", cmdline, err)
	}
	id := regexp.MustCompile(`"present":\[\{"id":"([^"]+)"`).FindStringSubmatch(s.call(t, "GET", "/_sim/instances", ""))
	if id == nil {
		t.Fatal("the instance is not listed")
	}
	if processes := s.call(t, "GET", "/_sim/processes", ""); !strings.Contains(processes, fmt.Sprintf(`{"pid":%d,`, child)) {
		t.Errorf("processes are %s", processes)
	}
	s.call(t, "DELETE", "/instance/"+id[1], "")
	eventually(t, "the runner ends with its instance", gone(child))

	// A stream is running and a runner is alive when the node is told to stop.
	child = s.load(t)
	res, err := http.Post(s.url+"/v1/chat/completions", "application/json", strings.NewReader(
		`{"model":"`+model+`","stream":true,"messages":[{"role":"user","content":"hi"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	asked := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
	if took := time.Since(asked); took > stopGrace {
		t.Errorf("the end took %v", took)
	}
	if !gone(child)() {
		t.Error("the runner outlived the node")
	}
	if _, err := os.Stat(pidFile); !os.IsNotExist(err) {
		t.Errorf("pid file: %v", err)
	}
}

func TestRunnerDiesWithItsParent(t *testing.T) {
	s := start(t)
	child := s.load(t)
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the runner ends", gone(child))
}
