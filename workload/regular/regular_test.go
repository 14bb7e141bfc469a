//go:build unix

package regular

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What is no regular file is told by its kind, and nothing is waited for: a test that hangs here is
// one that opened a pipe.
func TestOnlyRegularFilesAreRead(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(os.WriteFile(at("file"), []byte("content"), 0o600))
	ok(os.Symlink("file", at("link")))
	ok(os.Symlink("nothing", at("dangling")))
	ok(syscall.Mkfifo(at("pipe"), 0o600))
	l, err := net.Listen("unix", at("socket"))
	ok(err)
	defer l.Close()
	for path, want := range map[string]string{
		at("file"): "", at("link"): "", at("pipe"): "is a pipe", at("socket"): "is a socket", dir: "is a directory",
		os.DevNull: "is a device", at("dangling"): "no such file", at("absent"): "no such file",
	} {
		content, err := Read(path, 7)
		switch {
		case want == "" && (err != nil || string(content) != "content"):
			t.Errorf("%s: %q, %v", path, content, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path)):
			t.Errorf("%s: %v, want %q", path, err, want)
		case strings.HasPrefix(want, "is ") != errors.Is(err, ErrNot):
			t.Errorf("%s: %v is told apart wrongly", path, err)
		}
	}
	// What is put in the place of a file when it has been looked at.
	for _, path := range []string{at("pipe"), dir, os.DevNull} {
		if f, err := open(path); !errors.Is(err, ErrNot) || f != nil {
			t.Errorf("%s is opened: %v", path, err)
		}
	}
	if _, err := Read(at("file"), 6); err == nil || !strings.Contains(err.Error(), "longer than 6 bytes") {
		t.Errorf("a file of 7 bytes: %v", err)
	}
}
