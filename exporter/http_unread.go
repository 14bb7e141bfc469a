package exporter

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// maxUnread bounds the answers that wait for their clients to read them, and so the memory that
// clients who do not can take. The one that has waited longest gives way.
const maxUnread = 64

// detached answers by h, whose work ends before the first byte is written: a client that does not
// read takes none of the requests that h lets in at the same time from others.
type detached struct {
	h http.Handler

	mu     sync.Mutex
	unread []*http.ResponseController // oldest first
}

// ServeHTTP implements http.Handler.
func (d *detached) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := &answer{header: make(http.Header), status: http.StatusOK}
	d.h.ServeHTTP(a, r)
	defer d.begin(http.NewResponseController(w))()
	maps.Copy(w.Header(), a.header)
	w.Header().Set("Content-Length", strconv.Itoa(a.body.Len()))
	w.WriteHeader(a.status)
	_, _ = a.body.WriteTo(w)
}

// begin notes that an answer is being written, and returns what notes its end.
func (d *detached) begin(c *http.ResponseController) (end func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unread = append(d.unread, c)
	if len(d.unread) > maxUnread {
		_ = d.unread[0].SetWriteDeadline(time.Now()) // what cannot be cut off here ends at the server's timeout
		d.unread = slices.Delete(d.unread, 0, 1)
	}
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.unread = slices.DeleteFunc(d.unread, func(other *http.ResponseController) bool { return other == c })
	}
}

// answer is an http.ResponseWriter that keeps what is written.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }
