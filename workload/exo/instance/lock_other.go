//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package instance

import (
	"errors"
	"os"
)

// tryLock fails: without flock a dead predecessor cannot be told from a living sibling.
func tryLock(*os.File) (bool, error) {
	return false, errors.New("files cannot be locked on this system, so instances cannot be placed safely")
}
