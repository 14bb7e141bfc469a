// Package program runs the system's own programs, so that none can take more than its share: of memory by what it prints,
// of time by a child that holds its output open.
package program

import (
	"bytes"
	"fmt"
	"os/exec"
	"time"
)

const (
	// maxOutput bounds what is read of a program, in bytes: some 40,000 lines of a process table.
	maxOutput = 4 << 20
	// waitDelay is how long output is waited for after a program has ended, or was ended by its context.
	waitDelay = 100 * time.Millisecond
)

// Output runs cmd, which must have no output of its own yet, and returns what it prints. A program that fails gives what it
// printed and an *exec.ExitError, as of exec.Cmd; of one that prints more than 4 MiB there is nothing but an error.
func Output(cmd *exec.Cmd) ([]byte, error) {
	out := &bounded{left: maxOutput}
	cmd.Stdout, cmd.WaitDelay = out, waitDelay
	err := cmd.Run()
	if out.left < 0 { // whatever the program said to that: it may have failed for a broken pipe
		return nil, errTooMuch
	}
	return out.buf.Bytes(), err
}

var errTooMuch = fmt.Errorf("it printed more than %d bytes", maxOutput)

// bounded is a buffer that refuses to grow beyond a size. It has none of bytes.Buffer's other ways in, such as ReadFrom, which
// io.Copy prefers.
type bounded struct {
	buf  bytes.Buffer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errTooMuch
	}
	return b.buf.Write(p)
}
