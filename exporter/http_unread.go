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

// A client has unreadPatience for each unreadPiece bytes of an answer: one that goes on reading is served
// for as long as it takes, one that does not is cut off.
const (
	unreadPatience = 10 * time.Second
	unreadPiece    = 16 << 10
)

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
	c := http.NewResponseController(w)
	defer d.begin(c)()
	maps.Copy(w.Header(), a.header)
	w.Header().Set("Content-Length", strconv.Itoa(a.body.Len()))
	w.WriteHeader(a.status)
	for a.body.Len() > 0 && d.grant(c) {
		if _, err := w.Write(a.body.Next(unreadPiece)); err != nil {
			return
		}
	}
}

// grant gives the client of an answer time for a piece of it; false when it has had to give way.
func (d *detached) grant(c *http.ResponseController) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Contains(d.unread, c) {
		return false
	}
	_ = c.SetWriteDeadline(time.Now().Add(unreadPatience)) // where that cannot be had the server's timeout holds
	return true
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
