package workload_test

import (
	"fmt"

	"exo-bench-exporter/workload"
)

// The built-in suite: fixed prompts, and the hash by which figures of it are known.
func ExampleStandardSuite() {
	suite := workload.StandardSuite()
	fmt.Println(suite.Version, "has", len(suite.Prompts), "prompts, the first is", suite.Prompts[0].ID)
	fmt.Println("hash of 64 digits:", len(suite.SHA256()) == 64)
	// Output:
	// standard-1 has 10 prompts, the first is chat-short
	// hash of 64 digits: true
}

// A suite of one's own. Every mistake in it is reported at once, with its line.
func ExampleParseSuite() {
	_, err := workload.ParseSuite("mine.yaml", []byte(`version: mine-1
prompts:
  - id: Hello World
    kind: chat
    max_tokens: -3
    messages: [{role: user, content: Hello}]
`))
	fmt.Println(err)
	// Output:
	// mine.yaml:1: temperature is missing; 0 makes runs comparable
	// mine.yaml:1: seed is missing; a fixed seed makes runs comparable
	// mine.yaml:3: prompts[0].id is "Hello World"; it must be lower-case letters, digits, dots and dashes
	// mine.yaml:5: prompts[0].max_tokens is -3; it must lie between 1 and 32768
}
