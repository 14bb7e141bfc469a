package stack

import (
	"bytes"
	"sync"
)

// Log collects what a process prints.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String returns all of it.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// tail returns the last n bytes.
func (l *Log) tail(n int) string {
	s := l.String()
	return s[max(0, len(s)-n):]
}
