package state

import "io"

// Model is an entry of exo's catalogue.
type Model struct {
	ID          string
	HuggingFace string // the id on Hugging Face; empty where exo does not say
}

// ReadModels reads exo's catalogue, {"data":[{"id", "huggingFaceId", …}, …]}, as a stream.
func ReadModels(r io.Reader) ([]Model, error) {
	var all []Model
	s := newScanner(r)
	s.fields(field{"data", func(s *scanner) {
		s.array(func(int) {
			var m Model
			s.fields(id("id", &m.ID), id("huggingFaceId", &m.HuggingFace))
			s.keep(itemCost)
			all = append(all, m)
		})
	}})
	return all, s.end()
}
