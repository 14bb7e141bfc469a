package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

// isRunner reports whether this process was started as a runner.
func isRunner(args []string) bool {
	return len(args) == 4 && args[1] == "-c" && args[3] == runnerMark
}

// block is the unit in which a runner holds memory.
const block = 1 << 20

// hold is the life of a runner: each line of orders says how many bytes of memory to hold.
// It ends with orders, and therefore also when the process that gives them dies.
func hold(orders io.Reader) int {
	var held [][]byte
	lines := bufio.NewScanner(orders)
	for lines.Scan() {
		var bytes uint64
		if _, err := fmt.Sscan(lines.Text(), &bytes); err != nil {
			fmt.Fprintf(os.Stderr, "exo-sim runner: bad order %q: %v\n", lines.Text(), err)
			return exitFailed
		}
		held = resize(held, int(bytes/block))
	}
	return exitOK
}

// resize returns held with so many blocks, every page of which has been written to.
func resize(held [][]byte, blocks int) [][]byte {
	for len(held) < blocks {
		b := make([]byte, block)
		for i := 0; i < len(b); i += 4096 {
			b[i] = byte(i >> 12)
		}
		held = append(held, b)
	}
	if len(held) > blocks {
		clear(held[blocks:])
		held = held[:blocks]
		debug.FreeOSMemory()
	}
	return held
}
