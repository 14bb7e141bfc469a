package program

import (
	"errors"
	"os/exec"
	"testing"
)

func TestOutput(t *testing.T) {
	out, err := Output(exec.CommandContext(t.Context(), "/bin/sh", "-c", "echo said"))
	if err != nil || string(out) != "said\n" {
		t.Errorf("%q, %v", out, err)
	}
	var exit *exec.ExitError
	out, err = Output(exec.CommandContext(t.Context(), "/bin/sh", "-c", "echo said; exit 3"))
	if !errors.As(err, &exit) || exit.ExitCode() != 3 || string(out) != "said\n" {
		t.Errorf("of a program that fails: %q, %v", out, err)
	}
	if out, err = Output(exec.CommandContext(t.Context(), "/nowhere/ps")); out != nil || err == nil {
		t.Errorf("of no program: %q, %v", out, err)
	}
}

// What is cut short is no output, however the program takes that: it may be killed by the broken pipe, fail, or see nothing.
func TestTooMuchOutput(t *testing.T) {
	const much = "head -c 5000000 /dev/zero"
	for name, script := range map[string]string{
		"without end":           "exec cat /dev/zero",
		"that fails afterwards": much + "; exit 3",
		"that is content":       much + "; exit 0",
	} {
		out, err := Output(exec.CommandContext(t.Context(), "/bin/sh", "-c", script))
		if out != nil || !errors.Is(err, errTooMuch) {
			t.Errorf("a program %s: %d bytes, %v", name, len(out), err)
		}
	}
}

// A program's children may outlive it and keep its output open.
func TestOutputThatIsHeldOpen(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", "sleep 60 & echo $!; exit 0")
	out, err := Output(cmd)
	if !errors.Is(err, exec.ErrWaitDelay) {
		t.Errorf("%q, %v", out, err)
	}
	if kill, err := exec.CommandContext(t.Context(), "/bin/sh", "-c", "kill "+string(out)).CombinedOutput(); err != nil {
		t.Errorf("%s, %v", kill, err)
	}
}
