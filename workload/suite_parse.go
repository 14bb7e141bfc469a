package workload

import (
	"bytes"
	_ "embed" // the standard suite
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"exo-bench-exporter/workload/regular"
)

//go:embed suites/standard-1.yaml
var standardSuite []byte

// StandardSuite returns the suite that is built into the program.
func StandardSuite() Suite {
	s, err := ParseSuite("standard-1.yaml", standardSuite)
	if err != nil {
		panic("workload: built-in suite: " + err.Error())
	}
	return s
}

// maxSuiteSize bounds a suite file, in bytes.
const maxSuiteSize = 4 << 20

// LoadSuite reads a suite from a file of the user's. The error names every mistake with its
// line.
func LoadSuite(path string) (Suite, error) {
	f, err := regular.Open(path)
	if err != nil {
		return Suite{}, fmt.Errorf("open suite: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSuiteSize+1))
	if err != nil {
		return Suite{}, fmt.Errorf("read suite %s: %w", path, err)
	}
	if len(data) > maxSuiteSize {
		return Suite{}, fmt.Errorf("suite %s is larger than %d bytes", path, maxSuiteSize)
	}
	return ParseSuite(path, data)
}

// suiteDoc is the form of a suite file. Temperature and seed are pointers because leaving
// them out must not silently mean zero.
type suiteDoc struct {
	Version     string   `yaml:"version"`
	Temperature *float64 `yaml:"temperature"`
	Seed        *int     `yaml:"seed"`
	Prompts     []struct {
		ID        string `yaml:"id"`
		Kind      string `yaml:"kind"`
		MaxTokens int    `yaml:"max_tokens"`
		Messages  []struct {
			Role    string `yaml:"role"`
			Content string `yaml:"content"`
		} `yaml:"messages"`
	} `yaml:"prompts"`
}

// ParseSuite reads a suite from YAML (or JSON, which is YAML). The error joins one error for
// every mistake, each with the file's name and the line.
func ParseSuite(name string, data []byte) (Suite, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return Suite{}, fmt.Errorf("suite %s: %w", name, cleanYAML(err))
	}
	if len(root.Content) == 0 {
		return Suite{}, fmt.Errorf("suite %s is empty", name)
	}
	c := checker{name: name, root: root.Content[0]}
	if c.shape(c.root, suiteShape); len(c.errs) > 0 {
		return Suite{}, errors.Join(c.errs...)
	}
	var doc suiteDoc
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&doc); err != nil {
		return Suite{}, fmt.Errorf("suite %s: %w", name, cleanYAML(err))
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return Suite{}, fmt.Errorf("suite %s: a second document begins after the first; a suite file holds one", name)
	}
	return c.suite(doc)
}

// cleanYAML returns what YAML itself finds wrong, such as a key that is there twice, in one line.
func cleanYAML(err error) error {
	var te *yaml.TypeError
	if !errors.As(err, &te) {
		return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	lines := slices.Clone(te.Errors)
	for i, l := range lines {
		lines[i] = intoGoType.ReplaceAllString(l, "$1 cannot be read as what should be there")
	}
	return errors.New(strings.Join(lines, "; "))
}

// intoGoType matches the end of a message that speaks of Go's types, such as of a number that is
// too large for one.
var intoGoType = regexp.MustCompile("cannot unmarshal !!\\w+ (`[^`]*`) into .*$")

// checker validates a decoded suite and finds the lines of its mistakes.
type checker struct {
	name string
	root *yaml.Node
	errs []error
}

// fail records a mistake at the node under path (map keys and list indexes), or at the
// closest node above it that is there.
func (c *checker) fail(reason string, path ...any) {
	node, where := c.root, ""
	for _, step := range path {
		next := child(node, step)
		if i, ok := step.(int); ok {
			where += fmt.Sprintf("[%d]", i)
		} else {
			where += fmt.Sprintf(".%v", step)
		}
		if next != nil {
			node = next
		}
	}
	what := strings.TrimSpace(strings.TrimPrefix(where, ".") + " " + reason)
	c.errs = append(c.errs, fmt.Errorf("%s:%d: %s", c.name, node.Line, what))
}

func child(n *yaml.Node, step any) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch s := step.(type) {
	case int:
		if n.Kind == yaml.SequenceNode && s < len(n.Content) {
			return n.Content[s]
		}
	case string:
		if n.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == s {
					return n.Content[i+1]
				}
			}
		}
	}
	return nil
}

var (
	versionForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	idForm      = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)
)

// Bounds of a suite: enough for any sensible workload, small enough that a mistake in a
// file cannot make a thousand series or a turn of a week.
const (
	maxPrompts   = 100
	maxMaxTokens = 32768
)

func (c *checker) suite(doc suiteDoc) (Suite, error) {
	s := Suite{Version: doc.Version}
	if !versionForm.MatchString(doc.Version) {
		c.fail(fmt.Sprintf("is %q; give the suite a version of letters, digits, dots and dashes", doc.Version), "version")
	}
	switch {
	case doc.Temperature == nil:
		c.fail("is missing; 0 makes runs comparable", "temperature")
	case math.IsNaN(*doc.Temperature) || *doc.Temperature < 0 || *doc.Temperature > 2:
		c.fail(fmt.Sprintf("is %v; it must lie between 0 and 2", *doc.Temperature), "temperature")
	default:
		s.Temperature = *doc.Temperature
	}
	switch {
	case doc.Seed == nil:
		c.fail("is missing; a fixed seed makes runs comparable", "seed")
	case *doc.Seed < 0:
		c.fail(fmt.Sprintf("is %d; it must not be negative", *doc.Seed), "seed")
	default:
		s.Seed = *doc.Seed
	}
	if n := len(doc.Prompts); n == 0 || n > maxPrompts {
		c.fail(fmt.Sprintf("has %d entries; a suite has 1 to %d prompts", n, maxPrompts), "prompts")
	}
	seen := map[string]int{}
	for i, p := range doc.Prompts {
		out := Prompt{ID: p.ID, Kind: p.Kind, MaxTokens: p.MaxTokens}
		if !idForm.MatchString(p.ID) {
			c.fail(fmt.Sprintf("is %q; it must be lower-case letters, digits, dots and dashes", p.ID), "prompts", i, "id")
		} else if p.ID == CanaryID {
			c.fail(fmt.Sprintf("is %q, which is what metrics call the questions that follow the prompts", p.ID), "prompts", i, "id")
		} else if first, dup := seen[p.ID]; dup {
			c.fail(fmt.Sprintf("is %q, which prompts[%d] is called already", p.ID, first), "prompts", i, "id")
		} else {
			seen[p.ID] = i
		}
		if !idForm.MatchString(p.Kind) {
			c.fail(fmt.Sprintf("is %q; name a kind such as chat, code or summarization", p.Kind), "prompts", i, "kind")
		}
		if p.MaxTokens < 1 || p.MaxTokens > maxMaxTokens {
			c.fail(fmt.Sprintf("is %d; it must lie between 1 and %d", p.MaxTokens, maxMaxTokens), "prompts", i, "max_tokens")
		}
		if len(p.Messages) == 0 {
			c.fail("is empty; a prompt has at least one message", "prompts", i, "messages")
		}
		for j, m := range p.Messages {
			if !slices.Contains([]string{"system", "user", "assistant"}, m.Role) {
				c.fail(fmt.Sprintf("is %q; it must be system, user or assistant", m.Role), "prompts", i, "messages", j, "role")
			}
			if strings.TrimSpace(m.Content) == "" {
				c.fail("is empty", "prompts", i, "messages", j, "content")
			}
			if j == len(p.Messages)-1 && m.Role != "user" {
				c.fail("is the last message and must be the user's", "prompts", i, "messages", j)
			}
			out.Messages = append(out.Messages, Message{Role: m.Role, Content: m.Content})
		}
		s.Prompts = append(s.Prompts, out)
	}
	if err := errors.Join(c.errs...); err != nil {
		return Suite{}, err
	}
	return s, nil
}
