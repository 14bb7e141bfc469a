package statefile

import (
	"os"
	"path/filepath"
	"time"
)

// How often, and after what time each, the lock of a document is tried that somebody has: a command that changes the document has
// it for a moment.
const (
	tries = 10
	again = 20 * time.Millisecond
)

// Lock takes the lock of the document at path, by a file beside it, for the process that keeps the document: ours is false when
// another process keeps it. Where nothing can be locked nobody has it: writing says why it cannot be. release, never nil, gives the
// lock up.
func Lock(path string) (release func(), ours bool) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return func() {}, true
	}
	f, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return func() {}, true
	}
	release = func() { _ = f.Close() }
	for range tries {
		if ok, err := TryLock(f); ok || err != nil {
			return release, true
		}
		time.Sleep(again)
	}
	release()
	return func() {}, false
}
