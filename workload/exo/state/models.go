package state

import "io"

// Model is an entry of a list of models.
type Model struct {
	ID          string
	HuggingFace string // the id on Hugging Face; empty where the node does not say
	Owner       string // whom the node names as its owner; empty where it does not say
	// Loading is true where an entry of legacy exo's list says whether the model is being loaded.
	Loading bool
}

// The readers of lists hand each entry on as it comes and keep nothing, however long a list is. Where
// the document is not of the form, ok is false and no entry was handed on.

// ReadModels reads OpenAI's form, {"data":[{"id", "owned_by", …}, …]}, which exo's catalogue has as well
// (with huggingFaceId), or the bare array of legacy exo before December 2024.
func ReadModels(r io.Reader, each func(Model)) (ok bool, err error) {
	return readList(r, "data", "id", each)
}

// ReadTags reads Ollama's form, {"models":[{"name", …}, …]}.
func ReadTags(r io.Reader, each func(Model)) (ok bool, err error) {
	return readList(r, "models", "name", each)
}

// readList reads a list that stands under key, or by itself, of entries that have their ids under the
// other key.
func readList(r io.Reader, key, ids string, each func(Model)) (ok bool, err error) {
	s := newScanner(r)
	list := func(s *scanner) {
		ok = s.array(func(int) {
			var m Model
			if s.fields(id(ids, &m.ID), id("huggingFaceId", &m.HuggingFace), id("ownedBy", &m.Owner)) && s.err == nil {
				each(m)
			}
			s.kept = 0 // what is kept of an entry is the caller's to bound
		})
	}
	if s.peek() == '[' {
		list(s)
	} else {
		s.fields(field{key, list})
	}
	return ok, s.end()
}

// ReadInitialModels reads legacy exo's form, {id: {"loading", …}, …}; one without entries tells nothing.
func ReadInitialModels(r io.Reader, each func(Model)) (ok bool, err error) {
	s := newScanner(r)
	s.object(func(key string) {
		m := Model{ID: key}
		s.fields(field{"loading", func(s *scanner) { m.Loading = s.truth() }})
		if s.err == nil {
			ok = true
			each(m)
		}
	})
	return ok, s.end()
}

// truth reads true or false, and reports whether it was one of them.
func (s *scanner) truth() bool {
	b := s.peek()
	s.skip()
	return (b == 't' || b == 'f') && s.err == nil
}
