package state

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"exo-bench-exporter/workload/exo/httpapi"
)

// Bounds of a document, in bytes. They bound time, not memory: a document is never held.
const (
	maxBody  = httpapi.MaxStream // of a part, or the whole
	maxTasks = 512 << 20         // of the tasks, and of the whole with them: exo forgets few of them
)

// Reader reads one node's state. It is safe for concurrent use.
type Reader struct {
	api *httpapi.Client
	log *slog.Logger

	mu    sync.Mutex
	whole bool // this exo has no paths below /state
	lacks Part // parts that this exo does not have
	held  map[Part]look
}

// look is a part as it was read last.
type look struct {
	Snapshot
	at time.Time
}

// NewReader returns a Reader of the node that api calls.
func NewReader(api *httpapi.Client, log *slog.Logger) *Reader {
	return &Reader{api: api, log: log, held: map[Part]look{}}
}

// Query says what to look at.
type Query struct {
	Parts Part
	// MaxAge is how old an earlier look at a part may be to be taken for this one. Tasks and
	// Events are always looked at anew.
	MaxAge time.Duration
	// Since is an earlier look at the tasks, those since which are told apart.
	Since *TaskList
	// Instance is one whose tasks, finished ones too, are told apart.
	Instance string
}

// Look reads the parts of the state that q asks for: one call each, or one for all where this
// exo has no paths below /state. An error is that of a call, or wraps ErrSyntax or ErrTooBig.
func (r *Reader) Look(ctx context.Context, q Query) (Snapshot, error) {
	var out Snapshot
	missing := q.Parts &^ r.lacking()
	for p := range missing.each {
		if l, ok := r.recent(p, q.MaxAge); ok {
			out.take(&l.Snapshot, p)
			missing &^= p
		}
	}
	for p := range missing.each {
		if r.readsWhole() {
			return out, r.lookWhole(ctx, missing, q, &out)
		}
		err := r.lookPart(ctx, p, q, &out)
		if httpapi.IsStatus(err, http.StatusNotFound) { // it is believed that a part is missing when that was said twice
			err = r.lookPart(ctx, p, q, &out)
		}
		switch {
		case err == nil:
		case !httpapi.IsStatus(err, http.StatusNotFound):
			return out, err
		case p == Instances:
			r.log.Info("This exo has no paths below /state (before v1.0.70): reading its state whole")
			r.setWhole()
			return out, r.lookWhole(ctx, missing, q, &out)
		default:
			r.lack(p)
		}
		missing &^= p
	}
	return out, nil
}

// recent returns the last look at p if it is young enough.
func (r *Reader) recent(p Part, maxAge time.Duration) (look, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l, ok := r.held[p]
	return l, ok && time.Since(l.at) < maxAge
}

func (r *Reader) lacking() Part {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lacks
}

func (r *Reader) readsWhole() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.whole
}

func (r *Reader) setWhole() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.whole = true
}

// Narrow reports whether a part can be read without the rest: a look then costs exo little to send and nobody much to
// read.
func (r *Reader) Narrow() bool { return !r.readsWhole() }

// Forget drops what was read and found out: the node may come back as another.
func (r *Reader) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.whole, r.lacks = false, 0
	clear(r.held)
}

// lack notes that this exo does not have p, so that it is not asked for it again.
func (r *Reader) lack(p Part) {
	r.mu.Lock()
	r.lacks |= p
	r.mu.Unlock()
	r.log.Info("This exo's state has no part of that name: going on without it", "part", parts[p].name)
}

// lookPart reads one part into out.
func (r *Reader) lookPart(ctx context.Context, p Part, q Query, out *Snapshot) error {
	limit := int64(maxBody)
	if p == Tasks {
		limit = maxTasks
	}
	at := time.Now()
	var s Snapshot
	err := r.api.Stream(ctx, http.MethodGet, "/state/"+parts[p].name, limit, func(body io.Reader) error {
		return decodePart(body, p, q, &s)
	})
	if err != nil {
		return err
	}
	r.hold(p, &s, at)
	out.take(&s, p)
	return nil
}

// lookWhole reads all of the state and takes the wanted parts into out.
func (r *Reader) lookWhole(ctx context.Context, wanted Part, q Query, out *Snapshot) error {
	at := time.Now()
	var s Snapshot
	err := r.api.Stream(ctx, http.MethodGet, "/state", maxTasks, func(body io.Reader) error {
		return decodeWhole(body, wanted, q, &s)
	})
	if err != nil {
		return err
	}
	for p := range wanted.each {
		r.hold(p, &s, at)
		out.take(&s, p)
	}
	return nil
}

// hold keeps a part for later looks that do not need it newer.
func (r *Reader) hold(p Part, s *Snapshot, at time.Time) {
	if p == Tasks || p == Events {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l := look{at: at}
	l.take(s, p)
	r.held[p] = l
}

func decodePart(body io.Reader, p Part, q Query, to *Snapshot) error {
	s := newScanner(body)
	parts[p].read(s, q, to)
	to.Known |= p
	return s.end()
}

func decodeWhole(body io.Reader, wanted Part, q Query, to *Snapshot) error {
	s := newScanner(body)
	s.object(func(key string) {
		for p := range wanted.each {
			if is(key, parts[p].name) {
				parts[p].read(s, q, to)
				to.Known |= p
				s.kept = 0 // what is kept is bounded for each part
				return
			}
		}
		s.skip()
	})
	return s.end()
}
