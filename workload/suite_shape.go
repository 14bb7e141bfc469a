package workload

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// shape is what has to be at a place of a suite file, in the words of the people who write one.
type shape struct {
	words  string // after "must be"
	scalar func(tag string) bool
	item   *shape            // of each entry of a list
	fields map[string]*shape // of a mapping
}

var (
	aText   = &shape{words: "a text", scalar: func(tag string) bool { return tag != "!!null" }}
	aNumber = &shape{words: "a number", scalar: func(tag string) bool { return tag == "!!int" || tag == "!!float" }}
	anInt   = &shape{words: "a whole number", scalar: func(tag string) bool { return tag == "!!int" }}

	messageShape = &shape{words: "a message: {role, content}", fields: map[string]*shape{"role": aText, "content": aText}}
	promptShape  = &shape{words: "a prompt: {id, kind, max_tokens, messages}", fields: map[string]*shape{
		"id": aText, "kind": aText, "max_tokens": anInt,
		"messages": {words: "a list of {role, content}", item: messageShape},
	}}
	suiteShape = &shape{words: "a suite: {version, temperature, seed, prompts}", fields: map[string]*shape{
		"version": aText, "temperature": aNumber, "seed": anInt,
		"prompts": {words: "a list of {id, kind, max_tokens, messages}", item: promptShape},
	}}
)

// maxMistakes bounds how many mistakes are named at once.
const maxMistakes = 50

// shape records every place below n that has not the shape of s. path leads to n.
func (c *checker) shape(n *yaml.Node, s *shape, path ...any) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Tag == "!!null" || len(c.errs) >= maxMistakes {
		return // what is empty is missing, which has a message of its own
	}
	switch {
	case s.scalar != nil && (n.Kind != yaml.ScalarNode || !s.scalar(n.ShortTag())),
		s.item != nil && n.Kind != yaml.SequenceNode,
		s.fields != nil && n.Kind != yaml.MappingNode:
		c.fail("must be "+s.words+was(n), path...)
	case s.item != nil:
		for i, entry := range n.Content[:min(len(n.Content), maxPrompts+1)] {
			c.shape(entry, s.item, append(slices.Clip(path), i)...)
		}
	case s.fields != nil:
		c.fields(n, s, path)
	}
}

func (c *checker) fields(n *yaml.Node, s *shape, path []any) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		field := s.fields[key.Value]
		switch {
		case key.ShortTag() == "!!merge":
		case field == nil:
			known := slices.Sorted(maps.Keys(s.fields))
			c.fail(fmt.Sprintf("is not a known field here (%s)", strings.Join(known, ", ")), append(slices.Clip(path), key.Value)...)
		default:
			c.shape(value, field, append(slices.Clip(path), key.Value)...)
		}
	}
}

// was says what is at n where something else should be.
func was(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return ", and is a list"
	case yaml.MappingNode:
		return ", and is a mapping"
	}
	const most = 40
	text := []rune(n.Value)
	if len(text) > most {
		text = append(text[:most], '…')
	}
	return fmt.Sprintf(", and is %q", string(text))
}
