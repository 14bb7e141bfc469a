package wire

import (
	"bytes"
	"net/http"
	"time"
)

// SSE writes server-sent events, each with one write and one flush unless they are held.
type SSE struct {
	w     http.ResponseWriter
	rc    *http.ResponseController
	holds bool
	clump int // events that go together; 0 for all
	held  [][]byte
}

// NewSSE returns an SSE on w.
func NewSSE(w http.ResponseWriter) *SSE { return &SSE{w: w, rc: http.NewResponseController(w)} }

// Send sends an event, at once unless events are held.
func (s *SSE) Send(event []byte) error {
	if !s.holds {
		return s.write(event)
	}
	s.held = append(s.held, event)
	if s.clump == 0 || len(s.held) < s.clump {
		return nil
	}
	clump := bytes.Join(s.held, nil)
	s.held = nil
	return s.write(clump)
}

// Hold makes events wait until so many are there, or until Release when that is 0.
func (s *SSE) Hold(clump int) { s.holds, s.clump = true, clump }

// Release sends what waits, with so much time between two events: all in one write when it is
// none. What is sent afterwards does not wait.
func (s *SSE) Release(gap time.Duration) error {
	held := s.held
	s.holds, s.held = false, nil
	if gap == 0 {
		return s.write(bytes.Join(held, nil))
	}
	for _, event := range held {
		if err := s.write(event); err != nil {
			return err
		}
		time.Sleep(gap)
	}
	return nil
}

func (s *SSE) write(event []byte) error {
	if _, err := s.w.Write(event); err != nil {
		return err
	}
	return s.rc.Flush()
}

// KeepAlive sends the comment with which exo 1.x fills silence.
func (s *SSE) KeepAlive() error { return s.Send([]byte(": keep-alive\n\n")) }

// Done ends a stream of exo 1.x.
func (s *SSE) Done() error { return s.Send([]byte("data: [DONE]\n\n")) }

// DataEvent returns a data event.
func DataEvent(payload []byte) []byte {
	return append(append([]byte("data: "), payload...), "\n\n"...)
}

// Comment returns a comment of exo's that carries figures.
func Comment(name string, payload []byte) []byte {
	return append(append([]byte(": "+name+" "), payload...), "\n\n"...)
}

// StartStream sends the header of an exo 1.x stream and its first keep-alive.
func StartStream(w http.ResponseWriter) (*SSE, error) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("Connection", "close")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	s := NewSSE(w)
	return s, s.KeepAlive()
}
