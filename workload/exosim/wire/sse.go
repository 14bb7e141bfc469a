package wire

import "net/http"

// SSE writes server-sent events, each with one write and one flush.
type SSE struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

// NewSSE returns an SSE on w.
func NewSSE(w http.ResponseWriter) SSE { return SSE{w: w, rc: http.NewResponseController(w)} }

// Send sends bytes at once.
func (s SSE) Send(event []byte) error {
	if _, err := s.w.Write(event); err != nil {
		return err
	}
	return s.rc.Flush()
}

// KeepAlive sends the comment with which exo 1.x fills silence.
func (s SSE) KeepAlive() error { return s.Send([]byte(": keep-alive\n\n")) }

// Done ends a stream of exo 1.x.
func (s SSE) Done() error { return s.Send([]byte("data: [DONE]\n\n")) }

// DataEvent returns a data event.
func DataEvent(payload []byte) []byte {
	return append(append([]byte("data: "), payload...), "\n\n"...)
}

// Comment returns a comment of exo's that carries figures.
func Comment(name string, payload []byte) []byte {
	return append(append([]byte(": "+name+" "), payload...), "\n\n"...)
}

// StartStream sends the header of an exo 1.x stream and its first keep-alive.
func StartStream(w http.ResponseWriter) (SSE, error) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("Connection", "close")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	s := NewSSE(w)
	return s, s.KeepAlive()
}
