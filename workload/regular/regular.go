// Package regular reads files that users name: regular ones, without waiting. A named pipe holds up
// whoever opens it until somebody writes, a device may never end, and neither can be read again.
package regular

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// ErrNot marks errors about what is there and is no regular file.
var ErrNot = errors.New("not a regular file")

// Open opens the regular file at path, or the one that it links to, for reading.
func Open(path string) (*os.File, error) {
	if err := Check(path); errors.Is(err, ErrNot) {
		return nil, err
	}
	return open(path)
}

// open opens a regular file. What was one when it was looked at may be another thing by now.
func open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = is(path, info.Mode())
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Read returns the content of the regular file at path. More than most bytes are an error.
func Read(path string, most int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(content)) > most {
		err = fmt.Errorf("%s is longer than %d bytes", path, most)
	}
	return content, err
}

// Check returns nil where there is a regular file at path, without opening it.
func Check(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return is(path, info.Mode())
}

func is(path string, mode fs.FileMode) error {
	if mode.IsRegular() {
		return nil
	}
	return fmt.Errorf("%s is %s, %w", path, kind(mode), ErrNot)
}

func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}
