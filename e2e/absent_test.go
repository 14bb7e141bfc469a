package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/e2e/internal/stack"
)

// TestExoAbsent starts the exporter where no exo is, lets one appear, and ends the exporter in
// the middle of a stream.
func TestExoAbsent(t *testing.T) {
	exo, address := stack.FreeAddress(t), stack.FreeAddress(t)
	p := stack.Start(t, []string{
		"EXOBENCH_EXO_URL=http://" + exo, "EXOBENCH_LISTEN_ADDRESS=" + address, "EXOBENCH_CYCLE_INTERVAL=5s",
		"EXOBENCH_MODELS=llama-3.2-1b",
	}, stack.Exporter)

	stack.Eventually(t, 10*time.Second, 50*time.Millisecond, "exobench_exo_up is 0", stack.Shows(address, "exobench_exo_up", "0"))
	const quiet = 12 * time.Second
	time.Sleep(quiet) // some cycles, in none of which exo is there
	if !p.Alive() {
		t.Fatal("the exporter has ended because exo is absent")
	}
	log := p.Output.String()
	if !strings.Contains(log, "http://"+exo) {
		t.Error("the log does not say which exo is absent")
	}
	lines := strings.Count(log, "\n")
	t.Logf("%d lines of log in the first %v without exo, at a cycle interval of 5 s", lines, quiet)
	if lines > 15 {
		t.Errorf("%d lines of log in %v without exo: too many", lines, quiet)
	}
	if ok := stack.Shows(address, `exobench_requests_total{model="llama-3.2-1b",outcome="ok",prompt="chat-short"}`, "0")(); !ok {
		t.Error("the counter of good requests is not there with value 0")
	}

	startSimulator(t, exo, fmt.Sprintf("-speed=%d", simSpeed))
	stack.Eventually(
		t, 30*time.Second, 100*time.Millisecond, "exobench_exo_up is 1 after exo has appeared", stack.Shows(address, "exobench_exo_up", "1"),
	)
	stack.Eventually(
		t, 60*time.Second, 100*time.Millisecond, "the model is measured after exo has appeared",
		stack.Shows(address, `exobench_model_up{model="llama-3.2-1b"}`, "1"),
	)

	// From now on every answer stops after three tokens, for ever.
	stack.Post(t, "http://"+exo+"/_sim/faults", `{"kind":"stall","after":3}`)
	stack.Eventually(t, 60*time.Second, 50*time.Millisecond, "a request is in the middle of its stream", func() bool {
		body, err := stack.Get("http://" + exo + "/_sim/truth?last=1")
		var last []truth
		return err == nil && json.Unmarshal(body, &last) == nil && len(last) == 1 && last[0].Events == 3 && last[0].Done.IsZero()
	})
	took, err := p.Stop(5 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("ended %v after SIGTERM in the middle of a stream", took.Round(time.Millisecond))
	if status := p.Cmd.ProcessState.ExitCode(); status != 0 {
		t.Errorf("ended with status %d after SIGTERM, want 0", status)
	}
}

// TestCostAtRest records what the exporter costs between two cycles. The figures depend on the
// machine, so nothing but their being there is asserted.
func TestCostAtRest(t *testing.T) {
	exo, address := stack.FreeAddress(t), stack.FreeAddress(t)
	// Faster still, and a whole answer may wait in one read, which is no answer whose times can be told.
	startSimulator(t, exo, "-speed=20")
	p := stack.Start(t, []string{
		"EXOBENCH_EXO_URL=http://" + exo, "EXOBENCH_LISTEN_ADDRESS=" + address, "EXOBENCH_CYCLE_INTERVAL=1h", "EXOBENCH_RELOAD=always",
	}, stack.Exporter)
	stack.Eventually(
		t, 10*time.Second, time.Millisecond, "/metrics is served", func() bool { return stack.Answers("http://" + address + "/metrics") },
	)
	t.Logf("first answer of /metrics %v after the start", time.Since(p.Started).Round(time.Millisecond))

	stack.Eventually(
		t, 60*time.Second, 100*time.Millisecond, "a cycle is done", stack.Shows(address, `exobench_cycles_total{outcome="ok"}`, "1"),
	)
	const rest = 10 * time.Second
	before := processTime(t, p.Cmd.Process.Pid)
	time.Sleep(rest)
	spent := processTime(t, p.Cmd.Process.Pid) - before
	t.Logf("at rest: %s of resident memory, %.2f %% of a core", residentMemory(t, p.Cmd.Process.Pid), 100*spent/rest.Seconds())
}

// processTime returns how many seconds of processor time a process has used.
func processTime(t *testing.T, pid int) float64 {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Skipf("processor time is read from /proc: %v", err)
	}
	// The fields after the name, which is in parentheses, begin with the third; the 14th and
	// 15th count ticks of 10 ms in user and system mode.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var user, system float64
	if _, err := fmt.Sscan(fields[14-3]+" "+fields[15-3], &user, &system); err != nil {
		t.Fatal(err)
	}
	return (user + system) / 100
}

// residentMemory returns the resident memory of a process, as /proc prints it.
func residentMemory(t *testing.T, pid int) string {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skipf("resident memory is read from /proc: %v", err)
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	line, _, _ := strings.Cut(after, "\n")
	return strings.TrimSpace(line)
}
