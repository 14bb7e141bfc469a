package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"exo-bench-exporter/workload/regular"
)

// maxLine bounds a line in bytes: the longest answer that a suite allows, with a gap for each of
// its tokens.
const maxLine = 4 << 20

// Each calls f with every record that is kept at path and beside it, oldest first, until f
// returns an error, which it returns. Lines that are no records, such as one that was broken off
// when the machine lost its power, are passed over and counted. Other errors are of the files and
// a *NewerError.
func Each(path string, f func(Record) error) (broken int, err error) {
	return newest(path, math.MaxInt64, f)
}

// newest is Each for the newest files, of about most bytes together; for one of them at least.
func newest(path string, most int64, f func(Record) error) (broken int, err error) {
	first := 0
	for size := int64(0); first < files; first++ {
		if info, err := os.Stat(nth(path, first)); err == nil {
			size += info.Size()
		}
		if first > 0 && size > most {
			break
		}
	}
	found := false
	for i := first - 1; i >= 0; i-- {
		file, err := regular.Open(nth(path, i))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return broken, err
		}
		found = true
		n, err := EachOf(file, f)
		broken += n
		if err = errors.Join(err, file.Close()); err != nil {
			return broken, err
		}
	}
	if !found {
		return 0, fmt.Errorf("no records are kept at %s: %w", path, os.ErrNotExist)
	}
	return broken, nil
}

// EachOf is Each for the lines of one reader.
func EachOf(in io.Reader, f func(Record) error) (broken int, err error) {
	lines := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := readLine(lines)
		if errors.Is(err, io.EOF) {
			return broken, nil
		}
		if err != nil {
			return broken, err
		}
		r, err := decode(line)
		var newer *NewerError
		switch {
		case errors.As(err, &newer):
			return broken, err
		case err != nil:
			if len(bytes.TrimSpace(line)) > 0 {
				broken++
			}
			continue
		}
		if err := f(r); err != nil {
			return broken, err
		}
	}
}

// readLine returns the next line without its newline, of one that is too long only the beginning.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line) < maxLine {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err == nil || errors.Is(err, io.EOF) && len(line) > 0:
			return bytes.TrimSuffix(line, []byte("\n")), nil
		default:
			return nil, err
		}
	}
}

// ReadReport reads a document that `once -json` printed.
func ReadReport(in io.Reader) (Report, error) {
	r, err := readReport(json.NewDecoder(in))
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("not the document that once -json prints: %w", err)
	}
	return r, err
}

// readReport reads the next document; io.EOF where there is none.
func readReport(in *json.Decoder) (Report, error) {
	var r Report
	switch err := in.Decode(&r); {
	case errors.Is(err, io.EOF):
		return Report{}, err
	case err != nil:
		return Report{}, fmt.Errorf("not the document that once -json prints: %w", err)
	case r.Schema > Schema:
		return Report{}, &NewerError{r.Schema}
	case r.Schema < 1:
		return Report{}, errors.New("not the document that once -json prints: it has no schema")
	}
	return r, nil
}
