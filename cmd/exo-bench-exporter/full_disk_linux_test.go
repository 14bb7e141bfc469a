package main

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"exo-bench-exporter/exporter"
)

// A disk that takes part of a file and no more is found before anything is measured, and nothing of the
// attempt is left on it. A bound of a process's files stops a write in its midst as a full disk does.
func TestCheckOnAFullDisk(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	noError(t, err)
	state := t.TempDir()
	cmd := exec.Command("/bin/sh", "-c", `ulimit -f 16; exec "$0" check`, self)
	cmd.Env = []string{
		asProgram + "=1", "HOME=" + t.TempDir(), exporter.EnvPrefix + "STATE_DIR=" + state, exporter.EnvPrefix + "EXO_URL=" + deadURL(t),
	}
	out, err := cmd.CombinedOutput()
	var status *exec.ExitError
	if !errors.As(err, &status) || status.ExitCode() != exitFailed {
		t.Errorf("check on a full disk: %v", err)
	}
	for _, want := range []string{"FAIL  state          write " + state, "EXOBENCH_STATE_DIR"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("check lacks %q:\n%s", want, out)
		}
	}
	if left, err := os.ReadDir(state); err != nil || len(left) != 0 {
		t.Errorf("the attempt leaves %v (%v)", left, err)
	}
}
