package exporter

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// writeTried is how many bytes a full disk has to take, more than a record of an instance.
const writeTried = 64 << 10

// Writable returns nil where files can be written in dir, and where dir can be made so that they can.
// It leaves nothing behind.
func Writable(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
		return Writable(filepath.Dir(dir))
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", dir)
	}
	f, err := os.CreateTemp(dir, ".exo-bench-check-*")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, writeTried))
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}
