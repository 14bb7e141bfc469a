package main

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxWaiting bounds the lines that wait for a reader of the log.
	maxWaiting = 1000
	// flushTime bounds how long the program's end waits for what reads the log.
	flushTime = time.Second
)

// background is a writer that nobody waits for: a log that is not read, such as a pipe to a
// program that hangs, costs lines and never a measurement. How many were lost is told when there
// is somebody to tell again.
type background struct {
	w     io.Writer
	lines chan []byte
	lost  atomic.Int64
	stop  func()
	ended chan struct{} // closed by stop
	done  chan struct{} // everything is written that came before
}

// newBackground returns a writer that hands on to w.
func newBackground(w io.Writer) *background {
	b := &background{w: w, lines: make(chan []byte, maxWaiting), ended: make(chan struct{}), done: make(chan struct{})}
	b.stop = sync.OnceFunc(func() { close(b.ended) })
	go b.run()
	return b
}

func (b *background) run() {
	defer close(b.done)
	for {
		select {
		case line := <-b.lines:
			b.put(line)
			continue
		case <-b.ended:
		}
		for len(b.lines) > 0 {
			b.put(<-b.lines)
		}
		return
	}
}

func (b *background) put(line []byte) {
	_, _ = b.w.Write(line) // nobody is left to tell
	if n := b.lost.Swap(0); n > 0 {
		_, _ = fmt.Fprintf(b.w, "exo-bench-exporter: %d lines of the log were lost: nobody read them\n", n)
	}
}

// Write implements io.Writer. It always succeeds; what comes after Close may not be written.
func (b *background) Write(p []byte) (int, error) {
	select {
	case b.lines <- bytes.Clone(p):
	default:
		b.lost.Add(1)
	}
	return len(p), nil
}

// Close waits until everything is written, but not for long.
func (b *background) Close() {
	b.stop()
	timer := time.NewTimer(flushTime)
	defer timer.Stop()
	select {
	case <-b.done:
	case <-timer.C:
	}
}
