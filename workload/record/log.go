package record

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"exo-bench-exporter/workload/regular"
)

// files is the number of files over which the bound of a log is spread. With each rotation the
// oldest goes, so that a log keeps at least (files-1)/files of its bound.
const files = 8

// log is a set of files of lines: path is written to, path.1 was before, and so on. Its methods
// are called one at a time.
type log struct {
	path string
	most int64 // bytes of one file

	f          *os.File // nil while none is open
	size       int64    // of f
	generation int      // rotations since the log was made
}

var errOther = errors.New("the file is not what was written")

// place is where a line is.
type place struct {
	generation int // of the log when path was written to; negative before the log was made
	offset     int64
	length     int
}

// append writes a line, which ends with its newline. A line that cannot be written as a whole is
// not there at all, as far as that can be had: what was written of it is cut off again.
func (l *log) append(line []byte) (place, error) {
	if err := l.ready(int64(len(line))); err != nil {
		return place{}, err
	}
	at := place{l.generation, l.size, len(line)}
	if _, err := l.f.Write(line); err != nil {
		if l.f.Truncate(l.size) != nil {
			l.close() // opening it again ends the broken line
		}
		return place{}, err
	}
	l.size += int64(len(line))
	return at, nil
}

// ready opens the file, and begins a new one when n bytes more would be too many.
func (l *log) ready(n int64) error {
	if l.f != nil && !l.there() {
		l.close()
		l.generation += files // what was written is elsewhere
	}
	if l.f == nil {
		if err := l.open(); err != nil {
			return err
		}
	}
	if l.size == 0 || l.size+n <= l.most {
		return nil
	}
	l.close()
	if err := l.rotate(); err != nil {
		return err
	}
	l.generation++
	return l.open()
}

// there reports whether path still names the file that is open: somebody may have removed it, or put
// another in the place of its directory.
func (l *log) there() bool {
	named, err := os.Stat(l.path)
	if err != nil {
		return false
	}
	open, err := l.f.Stat()
	return err == nil && os.SameFile(named, open)
}

// open opens the file for appending and ends a line that was broken off.
func (l *log) open() error {
	if err := os.MkdirAll(filepath.Dir(l.path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(l.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil && size > 0 {
		last := make([]byte, 1)
		if _, err = f.ReadAt(last, size-1); err == nil && last[0] != '\n' {
			if _, err = f.Write([]byte{'\n'}); err == nil {
				size++
			}
		}
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.f, l.size = f, size
	return nil
}

// rotate renames every file to the next name; the last one's is taken by the one before.
func (l *log) rotate() error {
	for i := files - 1; i > 0; i-- {
		err := os.Rename(nth(l.path, i-1), nth(l.path, i))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// read returns the line at p; os.ErrNotExist when it was rotated away.
func (l *log) read(p place) ([]byte, error) {
	age := l.generation - p.generation
	if age >= files {
		return nil, os.ErrNotExist
	}
	f, err := regular.Open(nth(l.path, age))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	line := make([]byte, p.length)
	if _, err := f.ReadAt(line, p.offset); err != nil {
		return nil, fmt.Errorf("%w: %w", errOther, err)
	}
	return line, nil
}

func (l *log) close() {
	if l.f != nil {
		_ = l.f.Close() // each line was written without error
		l.f = nil
	}
}

// nth returns the name of the file that was written to i rotations ago.
func nth(path string, i int) string {
	if i == 0 {
		return path
	}
	return fmt.Sprintf("%s.%d", path, i)
}
