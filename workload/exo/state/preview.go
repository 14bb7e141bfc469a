package state

import (
	"bytes"

	"exo-bench-exporter/workload/exo/foreign"
)

// Preview is one entry of /instance/previews: a placement that exo proposes, or why there is none.
type Preview struct {
	Sharding string
	Instance *Instance         // nil where exo proposes none
	Need     map[string]uint64 // bytes that it takes, by node; empty where exo does not say
	Error    string
}

// ReadPreview reads an entry.
func ReadPreview(doc []byte) (Preview, error) {
	p := Preview{Need: map[string]uint64{}}
	s := newScanner(bytes.NewReader(doc))
	s.fields(
		text("sharding", maxTag, &p.Sharding), text("error", foreign.MaxLine, &p.Error),
		field{"instance", func(s *scanner) {
			if s.peek() != '{' {
				s.skip()
				return
			}
			in := s.instance("")
			p.Instance = &in
		}},
		field{"memoryDeltaByNode", func(s *scanner) {
			s.object(func(node string) {
				s.keep(itemCost)
				amount("", func(b uint64) { p.Need[foreign.ID(node)] = b }).read(s)
			})
		}},
	)
	return p, s.end()
}
