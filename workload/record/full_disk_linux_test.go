package record

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fullDisk is the variable that makes this test's own process one whose files are bounded, and names a log.
const fullDisk = "TEST_RECORD_FULL_DISK"

// A line that a disk takes only a part of is not there, and the lines before it are whole. A bound of a
// process's files stops a write in its midst as a full disk does.
func TestDiskThatTakesPartOfALine(t *testing.T) {
	t.Parallel()
	line := []byte(strings.Repeat("x", 999) + "\n")
	if path := os.Getenv(fullDisk); path != "" {
		l := log{path: path, most: 1 << 20}
		refused := 0
		for range 20 {
			if _, err := l.append(line); err != nil {
				refused++
			}
		}
		if refused == 0 || l.size%int64(len(line)) != 0 {
			t.Errorf("%d lines refused, size %d", refused, l.size)
		}
		l.close()
		return
	}
	self, err := os.Executable()
	noError(t, err)
	path := filepath.Join(t.TempDir(), "results.jsonl")
	cmd := exec.Command("/bin/sh", "-c", `ulimit -f 16; exec "$0" -test.run "^TestDiskThatTakesPartOfALine$"`, self)
	cmd.Env = []string{fullDisk + "=" + path}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	content, err := os.ReadFile(path)
	noError(t, err)
	if n := bytes.Count(content, line); n == 0 || n == 20 || len(content) != n*len(line) {
		t.Errorf("%d whole lines in %d bytes", n, len(content))
	}
}
