// Package answers remembers what models have answered, over turns and restarts: by keyed fingerprints, never by a text. It
// says where a node that used to repeat itself does not any more, and where answers have become worse.
//
//	workload.Runner → Book → Result.Repeats, Turn.Quality
package answers

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/statefile"
)

// File is the name of the file in the state directory.
const File = "answers.json"

const (
	schema = 1
	// maxFile bounds the file, in bytes, and maxEntries what is remembered of prompts and of models.
	maxFile    = 4 << 20
	maxEntries = 4096
	keyLength  = 32 // bytes
)

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

	mu sync.Mutex
	d  document
}

var _ workload.Witness = (*Book)(nil)

// document is the form of the file.
type document struct {
	Schema int `json:"schema"`
	// Key makes fingerprints of this installation's answers mean nothing elsewhere.
	Key     []byte              `json:"key"`
	Turns   int                 `json:"turns"` // that were judged: the clock by which entries are old
	Prints  map[string]*prints  `json:"prints"`
	Records map[string]*quality `json:"quality"`
}

// NewBook reads the Book at o.Path. One that cannot be used is set aside and begun anew, and the log says so.
func NewBook(o Options) *Book {
	b := &Book{o: o, waiting: make(chan []byte, 1)}
	err := statefile.Load(o.Path, maxFile, func(content []byte) error {
		if err := json.Unmarshal(content, &b.d); err != nil {
			return err
		}
		if b.d.Schema != schema || len(b.d.Key) != keyLength || len(b.d.Prints)+len(b.d.Records) > 2*maxEntries || b.d.hollow() {
			return fmt.Errorf("its schema is %d, and this exporter knows %d", b.d.Schema, schema)
		}
		return nil
	})
	if err != nil {
		o.Logger.Warn("What is known of earlier answers is lost", "err", err)
	}
	if err != nil || b.d.Key == nil {
		b.d = document{Schema: schema, Key: make([]byte, keyLength)}
		_, _ = rand.Read(b.d.Key) // never fails
	}
	if b.d.Prints == nil {
		b.d.Prints = make(map[string]*prints)
	}
	if b.d.Records == nil {
		b.d.Records = make(map[string]*quality)
	}
	return b
}

// hollow reports whether an entry is null.
func (d document) hollow() bool {
	return slices.Contains(slices.Collect(maps.Values(d.Prints)), nil) || slices.Contains(slices.Collect(maps.Values(d.Records)), nil)
}

// Key returns the key of fingerprints.
func (b *Book) Key() []byte { return slices.Clone(b.d.Key) }

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

// Judge implements workload.Witness.
func (b *Book) Judge(t workload.Turn) []workload.Quality {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.d.Turns++
	var all []workload.Quality
	for _, s := range samples(t) {
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

// Accept takes the present quality of a model's answers as its normal one; false where nothing is known of it.
func (b *Book) Accept(model string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	known := false
	for _, by := range workload.Yardsticks() {
		if q := b.d.Records[name(model, string(by))]; q != nil {
			known = true
			q.accept()
		}
	}
	if known {
		b.save()
	}
	return known
}

// method names how something was asked for.
func (b *Book) method(exoModel string, e workload.Epoch) string {
	return name(b.o.Target(), exoModel, e.SHA256, string(e.Dialect), string(e.Endpoint), e.Form)
}

func name(parts ...string) string { return strings.Join(parts, "\n") }

// save hands the Book to Run. b.mu is held.
func (b *Book) save() {
	prune(b.d.Prints, func(p *prints) int { return p.Turn })
	prune(b.d.Records, func(q *quality) int { return q.Turn })
	content, err := json.Marshal(b.d)
	if err != nil { // only a number that is not finite could, and there is none
		panic("answers: the book cannot be encoded: " + err.Error())
	}
	select {
	case <-b.waiting:
	default:
	}
	b.waiting <- content
}

// prune forgets the oldest entries beyond maxEntries.
func prune[E any](all map[string]E, turn func(E) int) {
	if len(all) <= maxEntries {
		return
	}
	keys := slices.SortedFunc(maps.Keys(all), func(a, b string) int { return turn(all[a]) - turn(all[b]) })
	for _, k := range keys[:len(keys)-maxEntries] {
		delete(all, k)
	}
}

// Run writes what comes until ctx is done, then what came before that. That the file cannot be written is said once.
func (b *Book) Run(ctx context.Context) {
	said := false
	write := func(content []byte) {
		err := statefile.Write(b.o.Path, content)
		if err != nil && !said {
			b.o.Logger.Warn("What is known of answers cannot be saved; after a restart it is learnt anew", "file", b.o.Path, "err", err)
		}
		said = err != nil
	}
	for ctx.Err() == nil {
		select {
		case content := <-b.waiting:
			write(content)
		case <-ctx.Done():
		}
	}
	select {
	case content := <-b.waiting:
		write(content)
	default:
	}
}

// AcceptIn is Accept for the Book at path, which no exporter keeps at this moment.
func AcceptIn(path, model string) (known bool, err error) {
	b := NewBook(Options{Path: path, Target: func() string { return "" }, Logger: slog.New(slog.DiscardHandler)})
	if !b.Accept(model) {
		return false, nil
	}
	return true, statefile.Write(path, <-b.waiting)
}
