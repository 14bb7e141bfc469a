package state

import (
	"encoding/json"
	"io"

	"exo-bench-exporter/workload/exo/foreign"
)

// Preview is one entry of /instance/previews: a placement that exo proposes, or why there is none.
type Preview struct {
	Sharding string
	Instance *Instance         // nil where exo proposes none
	Raw      json.RawMessage   // the instance verbatim, to be posted back
	Need     map[string]uint64 // bytes that it takes, by node; empty where exo does not say
	Error    string
}

// maxInstance bounds a proposed instance, in bytes: one on a hundred nodes takes a few hundred KiB.
const maxInstance = 4 << 20

// ReadPreviews reads {"previews":[…]} and hands each entry on as it comes.
func ReadPreviews(r io.Reader, each func(Preview)) error {
	s := newScanner(r)
	s.fields(field{"previews", func(s *scanner) {
		s.array(func(int) {
			p := s.preview()
			if s.err == nil {
				each(p)
			}
			s.kept = 0 // what is kept of an entry is the caller's to bound
		})
	}})
	return s.end()
}

func (s *scanner) preview() Preview {
	p := Preview{Need: map[string]uint64{}}
	s.fields(
		text("sharding", maxTag, &p.Sharding), text("error", foreign.MaxLine, &p.Error),
		field{"instance", func(s *scanner) {
			if s.peek() != '{' {
				s.skip()
				return
			}
			p.Raw = s.verbatim(maxInstance, func() {
				in := s.instance("")
				p.Instance = &in
			})
		}},
		field{"memoryDeltaByNode", func(s *scanner) {
			s.object(func(node string) {
				s.keep(itemCost)
				amount("", func(b uint64) { p.Need[foreign.ID(node)] = b }).read(s)
			})
		}},
	)
	return p
}
