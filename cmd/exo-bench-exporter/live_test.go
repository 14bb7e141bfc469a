package main

import (
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/instance"
)

// screen returns what is to be read on a terminal after w was written to it, line by line; of control sequences it
// knows those that erase a line and its end.
func screen(t *testing.T, written string) []string {
	t.Helper()
	lines := []string{""}
	for _, part := range strings.SplitAfter(strings.NewReplacer("\x1b[2K", "\f", "\x1b[0K", "\v").Replace(written), "\n") {
		line := []rune(lines[len(lines)-1])
		column := len(line)
		for _, r := range strings.TrimSuffix(part, "\n") {
			switch {
			case r == '\r':
				column = 0
			case r == '\f':
				line = line[:0]
			case r == '\v':
				line = line[:min(column, len(line))]
			case r == '\x1b':
				t.Fatalf("a control sequence that is not known, or a colour: %q", part)
			default:
				for len(line) <= column {
					line = append(line, ' ')
				}
				line[column] = r
				column++
			}
		}
		lines[len(lines)-1] = strings.TrimRight(string(line), " ")
		if strings.HasSuffix(part, "\n") {
			lines = append(lines, "")
		}
	}
	return lines
}

// On a terminal one line tells what goes on, and what is over stays above it.
func TestLive(t *testing.T) {
	var b buffer
	line := &liveLine{w: &b, width: 80}
	l := follow(&progress{prompts: 2}, line)
	shows := func(want ...string) {
		t.Helper()
		got := screen(t, b.String())
		last := len(got) - 1
		if !strings.HasPrefix(got[last], want[len(want)-1]) || len([]rune(got[last])) > 80 ||
			strings.Join(got[:last], "|") != strings.Join(want[:len(want)-1], "|") {
			t.Errorf("the terminal shows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	l.CycleStarted(0, make([]workload.Model, 3), time.Time{})
	l.TurnStarted("m", time.Time{})
	l.loading(instance.Progress{Model: "m", Stage: "placing", Elapsed: time.Second})
	l.loading(instance.Progress{Model: "m", Stage: "downloading", Elapsed: 16 * time.Second, Done: 15e8, Total: 4e9, BytesPerSecond: 1e8})
	shows("[1/3] m: downloading 1.50 of 4.00 GB at 100.0 MB/")
	l.RequestDone(workload.Result{Prompt: "one", Outcome: workload.OutcomeOK, OutputTokens: 7})
	shows("[1/3] m: prompt 2 of 2, 7 tokens  50%")
	l.RequestDone(workload.Result{Prompt: "two", Outcome: workload.OutcomeIdleTimeout, OutputTokens: 3})
	shows("[1/3] m: 2/2 two: idle_timeout", "[1/3] m: prompt 2 of 2, 10 tokens")
	_, _ = line.Write([]byte("a warning\n"))
	l.TurnDone(workload.Turn{Outcome: workload.TurnPartial, Duration: 1234 * time.Millisecond})
	l.CycleDone(workload.Cycle{})
	shows("[1/3] m: 2/2 two: idle_timeout", "a warning", "[1/3] m: turn partial after 1.2s", "")
}

// What is no terminal gets lines, and of a load now and then.
func TestNoLiveLineInAPipe(t *testing.T) {
	var b buffer
	if line := newLiveLine(invocation{stderr: &b}, &b); line != nil {
		t.Error("a pipe gets a line that changes")
	}
	f := follow(&progress{w: &b}, nil)
	for i := range 10 {
		f.loading(instance.Progress{Model: "m", Stage: "loading", Elapsed: time.Duration(i+1) * time.Second})
	}
	if got := b.String(); got != "      loading for 1s \n" {
		t.Errorf("told %q", got)
	}
}
