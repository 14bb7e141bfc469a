// Package statefile writes documents whole or not at all, and keeps them in the state directory: one that cannot be used is set
// aside.
package statefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"exo-bench-exporter/workload/regular"
)

// Write is Replace for a document that only this user may read. Directories that are missing are made.
func Write(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return Replace(path, content, 0o600)
}

// Replace puts content in the place of the file at path, whole or not at all, for those whom mode lets read it.
func Replace(path string, content []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(mode), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// Load gives use the content of the file at path; where there is none it does nothing. A file of more
// than most bytes, one that cannot be read and one of which use returns an error are set aside, and
// the error says so.
func Load(path string, most int64, use func(content []byte) error) error {
	content, err := regular.Read(path, most)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = use(content)
	}
	if err == nil {
		return nil
	}
	aside := path + ".unusable"
	err = fmt.Errorf("it cannot be used, and is set aside as %s: %w", aside, err)
	return errors.Join(err, os.Rename(path, aside))
}
