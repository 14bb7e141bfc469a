package answer

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"exo-bench-exporter/workload"
)

// gram is how many characters a sequence has by which repetition is told: longer than most words, so that a text which
// uses a word again does not repeat itself by that.
const gram = 16

// spaces are the control characters that lay out a text. Others, such as vertical tabs, are none of an answer's: a small
// real model with a broken tensor wrote little else.
const spaces = "\t\n\r"

// signs counts signs of nonsense, character by character. White space, however much, counts as one space: the
// indentation of a program is no repetition.
type signs struct {
	scripts scripts // of the prompt

	seen, garbled    int
	letters, foreign int
	last             [gram]rune // a ring
	text             int        // characters that went into it
	said             map[uint64]struct{}
	repeated         int
}

func newSigns(prompt []string) signs {
	s := signs{said: make(map[uint64]struct{})}
	for _, text := range prompt {
		for _, c := range text {
			if unicode.IsLetter(c) {
				s.scripts |= scriptOf(c)
			}
		}
	}
	if s.scripts == 0 {
		s.scripts = ^scripts(0) // where the prompt is of no script, no answer is of another
	}
	return s
}

func (s *signs) add(c rune) {
	s.seen++
	switch {
	case strings.ContainsRune(spaces, c) || unicode.IsSpace(c) && !unicode.IsControl(c):
		c = ' '
	case c == utf8.RuneError || unicode.IsControl(c):
		s.garbled++
	case unicode.IsLetter(c):
		s.letters++
		if s.scripts&scriptOf(c) == 0 {
			s.foreign++
		}
	}
	if c == ' ' && s.text > 0 && s.last[(s.text-1)%gram] == ' ' {
		return
	}
	s.last[s.text%gram] = c
	s.text++
	if s.text >= gram {
		s.look()
	}
}

// look notes the sequence that has just ended, by FNV-1a of its characters.
func (s *signs) look() {
	h := uint64(14695981039346656037)
	for i := range gram {
		h = (h ^ uint64(s.last[(s.text+i)%gram])) * 1099511628211
	}
	if _, again := s.said[h]; again {
		s.repeated++
		return
	}
	s.said[h] = struct{}{}
}

func (s *signs) sum() *workload.Signs {
	return &workload.Signs{
		Characters: s.seen, Garbled: portion(s.garbled, s.seen), Foreign: portion(s.foreign, s.letters),
		Repeated: portion(s.repeated, s.text-gram+1),
	}
}

func portion(n, of int) float64 {
	if of <= 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// scripts is a set of scripts.
type scripts uint32

// known are the scripts that are told apart. Those that one language mixes are one.
var known = []*unicode.RangeTable{
	unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Arabic, unicode.Hebrew, unicode.Devanagari, unicode.Bengali,
	unicode.Tamil, unicode.Thai, unicode.Hangul, unicode.Georgian, unicode.Armenian,
}

const (
	eastAsian scripts = 1 << 30 // Chinese characters, and what Japanese puts beside them
	another   scripts = 1 << 31
)

func scriptOf(c rune) scripts {
	if unicode.In(c, unicode.Han, unicode.Hiragana, unicode.Katakana) {
		return eastAsian
	}
	for i, table := range known {
		if unicode.Is(table, c) {
			return 1 << i
		}
	}
	if unicode.Is(unicode.Common, c) || unicode.Is(unicode.Inherited, c) {
		return ^scripts(0) // of all, such as ª and the mark of a long vowel
	}
	return another
}
