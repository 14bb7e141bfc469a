package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"

	"exo-bench-exporter/workload/regular"
)

// EachTurnIn is EachTurn for a file of either form: the records of EXOBENCH_RESULTS or of once -o, with the older files beside it, or
// documents that once -json printed, one or several after each other.
func EachTurnIn(path string, f func(Record) error) (broken int, err error) {
	documents, err := hasDocuments(path)
	if err != nil {
		return 0, err
	}
	if !documents {
		return EachTurn(path, math.MaxInt64, f)
	}
	file, err := regular.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	all := json.NewDecoder(bufio.NewReader(file))
	for {
		r, err := readReport(all)
		if errors.Is(err, io.EOF) {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		for _, turn := range r.Turns() {
			if err := f(turn); err != nil {
				return 0, err
			}
		}
	}
}

// hasDocuments reports whether the file begins with a document of once -json. A file that is not there is none: its
// records may have been moved aside.
func hasDocuments(path string) (bool, error) {
	file, err := regular.Open(path)
	if err != nil {
		return false, nil //nolint:nilerr // whoever reads the records says what is wrong
	}
	defer file.Close()
	in := bufio.NewReader(file)
	for {
		line, err := readLine(in)
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			// A record is a line of its own; a document is spread over several, or has a cycle that is no number.
			var head struct {
				Cycle json.RawMessage `json:"cycle"`
			}
			whole := json.Unmarshal(line, &head) == nil
			return string(line) == "{" || whole && bytes.HasPrefix(head.Cycle, []byte("{")), nil
		}
	}
}
