package answers

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"exo-bench-exporter/workload"
)

const (
	schema = 1
	// maxFile bounds the file, in bytes, and maxEntries what is remembered of prompts and of models.
	maxFile    = 4 << 20
	maxEntries = 4096
	keyLength  = 32 // bytes
)

// document is the form of the file.
type document struct {
	Schema int `json:"schema"`
	// Key makes fingerprints of this installation's answers mean nothing elsewhere.
	Key     []byte              `json:"key"`
	Turns   int                 `json:"turns"` // that were judged: the clock by which entries are old
	Prints  map[string]*prints  `json:"prints"`
	Records map[string]*quality `json:"quality"`
}

// newDocument returns one that knows nothing, with a key of its own.
func newDocument() document {
	d := document{Schema: schema, Key: make([]byte, keyLength), Prints: make(map[string]*prints), Records: make(map[string]*quality)}
	_, _ = rand.Read(d.Key) // never fails
	return d
}

// decode reads a document.
func decode(content []byte) (document, error) {
	d := document{Prints: make(map[string]*prints), Records: make(map[string]*quality)}
	if err := json.Unmarshal(content, &d); err != nil {
		return document{}, err
	}
	if d.Prints == nil || d.Records == nil {
		return document{}, errors.New("a part of it is null")
	}
	return d, d.check()
}

// check says why d is no Book's.
func (d document) check() error {
	switch {
	case d.Schema != schema:
		return fmt.Errorf("its schema is %d, and this exporter knows %d", d.Schema, schema)
	case len(d.Key) != keyLength:
		return fmt.Errorf("its key is of %d bytes instead of %d", len(d.Key), keyLength)
	case len(d.Prints) > maxEntries, len(d.Records) > maxEntries:
		return fmt.Errorf("it has more than %d entries", maxEntries)
	case slices.Contains(slices.Collect(maps.Values(d.Prints)), nil), slices.Contains(slices.Collect(maps.Values(d.Records)), nil):
		return errors.New("an entry of it is null")
	}
	return nil
}

func (d document) encode() []byte {
	content, err := json.Marshal(d)
	if err != nil { // only a number that is not finite could, and there is none
		panic("answers: the book cannot be encoded: " + err.Error())
	}
	return content
}

// accept takes the present quality of a model's answers, on the nodes whose names begin so, as its normal one, and returns it;
// nothing where nothing is known of it.
func (d document) accept(model, node string) (all []workload.Quality) {
	for _, by := range workload.Yardsticks() {
		if q := d.Records[name(model, string(by))]; q != nil && strings.HasPrefix(q.Of, node) {
			q.accept()
			all = append(all, q.standing(by))
		}
	}
	return all
}

// prune forgets the oldest entries.
func (d document) prune() {
	prune(d.Prints, func(p *prints) int { return p.Turn })
	prune(d.Records, func(q *quality) int { return q.Turn })
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
