package exosim

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"strings"
)

// Wrap puts a handler in front of exo's own routes, and of what earlier Wraps put there: for
// states and failures that exo knows and no fault of the simulator makes. The handler may
// answer itself, or leave that to exo and change it.
func (n *Node) Wrap(wrap func(exo http.Handler) http.Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answers = wrap(n.answers)
}

// Reword changes the documents that exo answers calls with whose "METHOD path" begins so: for what
// other releases of exo say.
func (n *Node) Reword(call string, change func(body string) string) {
	n.Wrap(func(exo http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.Method+" "+r.URL.Path, call) {
				exo.ServeHTTP(w, r)
				return
			}
			s := newSaid()
			exo.ServeHTTP(s, r)
			maps.Copy(w.Header(), s.header)
			w.Header().Del("Content-Length")
			w.WriteHeader(s.status)
			_, _ = io.WriteString(w, change(s.body.String()))
		})
	})
}

// said is an answer that is not sent yet, or never.
type said struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newSaid() *said { return &said{header: http.Header{}, status: http.StatusOK} }

// Header implements http.ResponseWriter.
func (s *said) Header() http.Header { return s.header }

// Write implements http.ResponseWriter.
func (s *said) Write(b []byte) (int, error) { return s.body.Write(b) }

// WriteHeader implements http.ResponseWriter.
func (s *said) WriteHeader(status int) { s.status = status }

// Flush implements http.Flusher.
func (s *said) Flush() {}
