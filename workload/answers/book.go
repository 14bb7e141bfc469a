// Package answers remembers what models have answered, over turns and restarts: by keyed fingerprints, never by a text. It
// says where a node that used to repeat itself does not any more, and where answers have become worse.
//
//	workload.Runner → Book → Result.Repeats, Turn.Quality
package answers

import (
	"log/slog"
	"slices"
	"strings"
	"sync"

	"exo-bench-exporter/workload"
)

// File is the name of the file in the state directory.
const File = "answers.json"

// Options say where a Book is kept, and of which node it is.
type Options struct {
	Path   string
	Target func() string // base URL of the node now
	Logger *slog.Logger
}

// Book is a workload.Witness. Its methods may be called concurrently; none of them waits for a disk.
type Book struct {
	o       Options
	waiting chan []byte // holds the newest content that is not written yet
	ours    bool        // the file is, and no other exporter's
	release func()      // gives its lock up

	mu sync.Mutex
	d  document
}

var _ workload.Witness = (*Book)(nil)

// NewBook returns a Book that knows nothing yet.
func NewBook(o Options) *Book {
	b := &Book{o: o, waiting: make(chan []byte, 1), release: func() {}}
	b.take(newDocument())
	return b
}

// Key returns the key of fingerprints, which is another one after Load.
func (b *Book) Key() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.d.Key)
}

// Compare implements workload.Witness. What ran beside other people's work was computed with it in one batch, which gives other
// numerics: it tells nothing.
func (b *Book) Compare(r workload.Result) workload.Repeats {
	if r.Fingerprint == 0 || !r.OK() || r.Contended {
		return ""
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	kind := "prompt"
	if r.Verdict != "" {
		kind = "question"
	}
	key, of := name(r.Model, kind, r.Prompt), b.method(r.ExoModel, r.Epoch)
	p := b.d.Prints[key]
	if p == nil || p.Of != of {
		p = &prints{Of: of}
		b.d.Prints[key] = p
	}
	p.Turn = b.d.Turns
	return p.compare(r.Fingerprint, r.CachedTokens)
}

// Judge implements workload.Witness. By a yardstick for which t has no share, what was found last stands, and is not counted again.
func (b *Book) Judge(t workload.Turn) []workload.Quality {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.d.Turns++
	now := samples(t)
	all := b.standing(t, func(by workload.Yardstick) bool {
		return !slices.ContainsFunc(now, func(s sample) bool { return s.by == by })
	})
	for _, s := range now {
		key, of := name(t.Model, string(s.by)), b.method(t.ExoModel, s.epoch)
		q := b.d.Records[key]
		if q == nil || q.Of != of {
			q = &quality{Of: of}
			b.d.Records[key] = q
		}
		q.Turn = b.d.Turns
		all = append(all, q.judge(s))
	}
	b.save()
	return all
}

// Known returns what is known of the quality of a model's answers that says something of those of t, its last turn.
func (b *Book) Known(t workload.Turn) []workload.Quality {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.standing(t, func(workload.Yardstick) bool { return true })
}

// standing returns what was found before by those yardsticks and says something of the answers of t. b.mu is held.
func (b *Book) standing(t workload.Turn, which func(workload.Yardstick) bool) (all []workload.Quality) {
	for _, by := range workload.Yardsticks() {
		if q := b.d.Records[name(t.Model, string(by))]; q != nil && which(by) && b.stands(q, t, by) {
			all = append(all, q.standing(by))
		}
	}
	return all
}

// stands reports whether q, found by an earlier turn, says something of the answers of t: they are of the same node, and were asked
// for in the same way as far as t tells. Questions that are not put any more tell nothing. b.mu is held.
func (b *Book) stands(q *quality, t workload.Turn, by workload.Yardstick) bool {
	switch {
	case by == workload.ByCanary && t.Asked != nil:
		return q.Of == b.method(t.ExoModel, workload.Epoch{SHA256: t.Asked.Version})
	case by == workload.ByCanary && t.Outcome.Good():
		return false
	}
	if i := slices.IndexFunc(t.Results, func(r workload.Result) bool { return r.OK() }); by == workload.BySigns && i >= 0 {
		return q.Of == b.method(t.ExoModel, t.Results[i].Epoch)
	}
	return strings.HasPrefix(q.Of, b.node())
}

// Accept takes the present quality of a model's answers as its normal one, and returns it; nothing where nothing is known of it.
func (b *Book) Accept(model string) []workload.Quality {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.d.accept(model, b.node())
	if all != nil {
		b.save()
	}
	return all
}

// node is how the names of all methods begin by which the node is asked.
func (b *Book) node() string { return name(b.o.Target(), "") }

// method names how something was asked for.
func (b *Book) method(exoModel string, e workload.Epoch) string {
	return name(b.o.Target(), exoModel, e.SHA256, string(e.Dialect), string(e.Endpoint), e.Form)
}

func name(parts ...string) string { return strings.Join(parts, "\n") }
