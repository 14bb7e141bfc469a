package statefile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "doc.json")
	for _, want := range []string{"one", "another", ""} {
		noError(t, Write(path, []byte(want)))
		got := "nothing"
		noError(t, Load(path, 100, func(content []byte) error { got = string(content); return nil }))
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if noError(t, err); len(left) != 1 {
		t.Errorf("there is %v", left)
	}
}

// Nothing is left of what cannot be put in its place, and what was there stays.
func TestWhatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "doc.json")
	noError(t, os.MkdirAll(filepath.Join(path, "in the way"), 0o700))
	if err := Write(path, []byte("x")); err == nil {
		t.Error("written over a directory")
	}
	if err := Write(filepath.Join(path, "in the way", "x", "\x00"), nil); err == nil {
		t.Error("written to no name")
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if noError(t, err); len(left) != 1 {
		t.Errorf("there is %v", left)
	}
}

func TestWhatCannotBeUsedIsSetAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "doc.json")
	broken := errors.New("broken")
	use := func(content []byte) error {
		if string(content) != "good" {
			return broken
		}
		return nil
	}
	noError(t, Load(path, 10, use))
	for _, content := range []string{"bad", "longer than that"} {
		noError(t, os.WriteFile(path, []byte(content), 0o600))
		err := Load(path, 10, use)
		if err == nil || !strings.Contains(err.Error(), path+".unusable") || errors.Is(err, broken) != (content == "bad") {
			t.Errorf("%q: %v", content, err)
		}
		if kept, err := os.ReadFile(path + ".unusable"); err != nil || string(kept) != content {
			t.Errorf("%q is not set aside: %v", content, err)
		}
		noError(t, Load(path, 10, use)) // said once
	}
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var files [2]*os.File
	for i := range files {
		f, err := os.Create(path)
		noError(t, err)
		files[i] = f
	}
	for i, want := range []bool{true, false} {
		if ok, err := TryLock(files[i]); err != nil || ok != want {
			t.Errorf("lock %d: %t, %v", i, ok, err)
		}
	}
	noError(t, files[0].Close())
	if ok, err := TryLock(files[1]); err != nil || !ok {
		t.Errorf("after it was given up: %t, %v", ok, err)
	}
	noError(t, files[1].Close())
}

// One process keeps a document at a time; who has its lock for a moment is waited for.
func TestDocumentIsLocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "new", "doc.json")
		release, ours := Lock(path)
		if !ours {
			t.Fatal("a document that nobody keeps cannot be locked")
		}
		start := time.Now()
		none, second := Lock(path)
		if none(); second || time.Since(start) > time.Second {
			t.Errorf("locked twice: %v, after %s", second, time.Since(start))
		}
		time.AfterFunc(again/2, release)
		release, ours = Lock(path)
		if !ours {
			t.Error("a lock that was had for a moment is not waited for")
		}
		release()
		file := filepath.Join(t.TempDir(), "file")
		noError(t, os.WriteFile(file, nil, 0o600))
		release, ours = Lock(filepath.Join(file, "doc.json"))
		if release(); !ours {
			t.Error("where nothing can be locked somebody keeps the document")
		}
	})
}
