package state

import (
	"strings"

	"exo-bench-exporter/workload/exo/foreign"
)

// maxTag bounds a tag, in bytes.
const maxTag = 64

// is reports whether key is name, which is in camelCase, or name in snake_case.
func is(key, name string) bool {
	if key == name {
		return true
	}
	if !strings.Contains(key, "_") {
		return false
	}
	i := 0
	for _, b := range []byte(name) {
		if b >= 'A' && b <= 'Z' {
			if i == len(key) || key[i] != '_' {
				return false
			}
			i++
			b |= 0x20
		}
		if i == len(key) || key[i] != b {
			return false
		}
		i++
	}
	return i == len(key)
}

// field is what becomes of the value under a key.
type field struct {
	name string
	read func(*scanner)
}

// fields reads an object with the given fields and skips all others.
func (s *scanner) fields(all ...field) bool {
	return s.object(func(key string) {
		if !s.field(key, all) {
			s.skip()
		}
	})
}

// field reads the value if key is one of the fields.
func (s *scanner) field(key string, all []field) bool {
	for _, f := range all {
		if is(key, f.name) {
			f.read(s)
			return true
		}
	}
	return false
}

// union reads {"Tag": body}, the tag alone, or the body alone, and returns the tag. reset
// takes back what fields have read of an object that was no union after all.
func (s *scanner) union(reset func(), body ...field) (tag string) {
	switch s.peek() {
	case '"':
		tag, _ = s.str(maxTag)
		return tag
	case '{':
	default:
		s.skip()
		return ""
	}
	first := true
	s.object(func(key string) {
		if !first && tag != "" {
			tag = ""
			reset()
		}
		switch kind := s.peek(); {
		case s.field(key, body):
		case first && (kind == '{' || kind == 'n'):
			tag = foreign.Cut(key, maxTag)
			s.fields(body...)
		default:
			s.skip()
		}
		first = false
	})
	return tag
}

// byID reads a map of entries by id, or a list of entries, for which id is empty.
func (s *scanner) byID(entry func(id string)) {
	switch s.peek() {
	case '{':
		s.object(func(id string) { entry(foreign.ID(id)) })
	case '[':
		s.array(func(int) { entry("") })
	default:
		s.skip()
	}
}

// text reads a string into v.
func text(name string, limit int, v *string) field {
	return field{name, func(s *scanner) { *v, _ = s.str(limit) }}
}

func id(name string, v *string) field { return text(name, foreign.MaxID, v) }

// count reads a number that is not negative.
func count(name string, v *uint64) field {
	return field{name, func(s *scanner) { *v = s.count() }}
}

func (s *scanner) count() uint64 {
	if f, _ := s.number(); f > 0 && f < 1<<63 {
		return uint64(f)
	}
	return 0
}

// amount reads an amount of memory in bytes, {"inBytes": n} or n. known is told when there is one.
func amount(name string, known func(uint64)) field {
	return field{name, func(s *scanner) {
		switch b := s.peek(); {
		case b == '{':
			s.fields(field{"inBytes", func(s *scanner) {
				if f, ok := s.number(); ok {
					known(uint64(min(max(f, 0), 1<<62)))
				}
			}})
		case b == '-' || b >= '0' && b <= '9':
			known(s.count())
		default:
			s.skip()
		}
	}}
}
