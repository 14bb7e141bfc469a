package memory

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// errArguments says that bytes are not what kern.procargs2 gives.
var errArguments = errors.New("kern.procargs2 is cut short")

// decodeArguments returns the command line in what macOS' kern.procargs2 tells of a process: the
// number of arguments in four bytes, the path of the program, NULs up to the first argument, and the
// arguments with a NUL after each. The environment, which may follow, is not looked at.
func decodeArguments(b []byte) ([]string, error) {
	if len(b) < 4 {
		return nil, errArguments
	}
	count := int32(binary.LittleEndian.Uint32(b))
	_, b, ok := bytes.Cut(b[4:], []byte{0})
	if !ok || count < 0 {
		return nil, errArguments
	}
	b = bytes.TrimLeft(b, "\x00")
	var argv []string
	for range count {
		arg, rest, ok := bytes.Cut(b, []byte{0})
		if !ok {
			return nil, errArguments
		}
		argv = append(argv, string(arg))
		b = rest
	}
	return argv, nil
}
