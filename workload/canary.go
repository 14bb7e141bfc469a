package workload

import (
	"bytes"
	_ "embed" // the canary's questions
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// CanaryID names all of the questions where a prompt's id would stand. It is a label value and therefore a contract; no prompt of
// a suite has it.
const CanaryID = "canary"

//go:embed suites/canary-1.yaml
var canarySuite []byte

// Canary is a fixed set of questions whose answers can be checked. They are put to a model after the prompts of its turn,
// and not timed: they tell nonsense at full speed from an answer.
type Canary struct {
	Suite
	Expect []Expectation // of each of Suite.Prompts
}

// Expectation is what the right answer to a question holds: either.
type Expectation struct {
	match *regexp.Regexp // found in it
	json  map[string]any // members of the first object of JSON in it
}

// StandardCanary returns the questions that are built into the program.
func StandardCanary() Canary {
	c, err := parseCanary(canarySuite)
	if err != nil {
		panic("workload: built-in canary: " + err.Error())
	}
	return c
}

// parseCanary reads a suite whose prompts say beside their messages what is expected.
func parseCanary(data []byte) (c Canary, err error) {
	var doc struct {
		Version     string  `yaml:"version"`
		Temperature float64 `yaml:"temperature"`
		Seed        int     `yaml:"seed"`
		MaxTokens   int     `yaml:"max_tokens"`
		Questions   []struct {
			ID    string         `yaml:"id"`
			Kind  string         `yaml:"kind"`
			Ask   string         `yaml:"ask"`
			Match string         `yaml:"match"`
			JSON  map[string]any `yaml:"json"`
		} `yaml:"questions"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&doc); err != nil {
		return c, err
	}
	c.Suite = Suite{Version: doc.Version, Temperature: doc.Temperature, Seed: doc.Seed}
	for _, q := range doc.Questions {
		if (q.Match == "") == (q.JSON == nil) {
			return c, fmt.Errorf("question %s: want either match or json", q.ID)
		}
		e := Expectation{json: q.JSON}
		if q.Match != "" {
			if e.match, err = regexp.Compile(q.Match); err != nil {
				return c, fmt.Errorf("question %s: %w", q.ID, err)
			}
		}
		c.Prompts = append(c.Prompts, Prompt{
			ID: q.ID, Kind: q.Kind, MaxTokens: doc.MaxTokens, Messages: []Message{{Role: "user", Content: strings.TrimSpace(q.Ask)}},
		})
		c.Expect = append(c.Expect, e)
	}
	return c, nil
}

// Met reports whether text holds what is expected. What follows it does not matter: some engines go on.
func (e Expectation) Met(text string) bool {
	if e.match != nil {
		return e.match.MatchString(text)
	}
	begin := strings.IndexByte(text, '{')
	if begin < 0 {
		return false
	}
	var got map[string]any
	if json.NewDecoder(strings.NewReader(text[begin:])).Decode(&got) != nil {
		return false
	}
	for key, want := range e.json {
		value, is := got[key]
		if !is || !strings.EqualFold(fmt.Sprint(value), fmt.Sprint(want)) {
			return false
		}
	}
	return true
}

// Verdict says what became of a question.
type Verdict string

// The verdicts on an answer.
const (
	VerdictRight   Verdict = "right"
	VerdictWrong   Verdict = "wrong"
	VerdictThought Verdict = "thought" // it had not ended its thoughts: no answer yet
)

// Asked is what became of a turn's questions.
type Asked struct {
	Version string   `json:"version"`         // of the questions
	Right   int      `json:"right"`           // answered rightly
	Of      int      `json:"of"`              // asked; 0 where there is no verdict
	Wrong   []string `json:"wrong,omitempty"` // ids of those answered wrongly
	// Reason says, for people, why there is no verdict; empty when there is.
	Reason string `json:"reason,omitempty"`
	// Repeats says whether the answers are those before; empty where there is no verdict.
	Repeats Repeats `json:"repeats,omitempty"`
}

// Correct returns the share of the questions that the model answered rightly; false where there is no verdict.
func (t Turn) Correct() (float64, bool) {
	if t.Asked == nil || t.Asked.Of == 0 {
		return 0, false
	}
	return float64(t.Asked.Right) / float64(t.Asked.Of), true
}
