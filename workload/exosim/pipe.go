package exosim

import (
	"io"
	"sync"
)

// pipeBuffer is how much a pipe takes before its writer must wait, as a socket's buffers do.
const pipeBuffer = 256 << 10

// pipe is one direction of a connection in memory. Unlike io.Pipe it has a buffer, so that
// the node keeps its pace when the client is slow to read.
type pipe struct {
	mu     sync.Mutex
	moved  sync.Cond
	buf    []byte
	end    error // what the reader gets after buf; nil while the writer goes on
	broken error // set when reader or connection has gone: nothing in buf is delivered
}

func newPipe() *pipe {
	p := &pipe{}
	p.moved.L = &p.mu
	return p
}

func (p *pipe) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.broken == nil && len(p.buf) == 0 && p.end == nil {
		p.moved.Wait()
	}
	switch {
	case p.broken != nil:
		return 0, p.broken
	case len(p.buf) == 0:
		return 0, p.end
	}
	n := copy(b, p.buf)
	p.buf = p.buf[n:]
	p.moved.Broadcast()
	return n, nil
}

func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.broken == nil && p.end == nil && len(p.buf) >= pipeBuffer {
		p.moved.Wait()
	}
	if p.broken != nil || p.end != nil {
		return 0, io.ErrClosedPipe
	}
	p.buf = append(p.buf, b...)
	p.moved.Broadcast()
	return len(b), nil
}

// finish ends what the writer has to say; the reader gets err after it. The first end counts.
func (p *pipe) finish(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.end == nil {
		p.end = err
	}
	p.moved.Broadcast()
}

// breakOff ends both sides at once; the reader gets err unless it has had the end already.
func (p *pipe) breakOff(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken == nil && (p.end == nil || len(p.buf) > 0) {
		p.broken = err
	}
	p.moved.Broadcast()
}
