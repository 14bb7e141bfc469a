//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package statefile

import (
	"errors"
	"os"
)

// TryLock fails: without flock a dead predecessor cannot be told from a living sibling.
func TryLock(*os.File) (bool, error) {
	return false, errors.New("files cannot be locked on this system")
}
