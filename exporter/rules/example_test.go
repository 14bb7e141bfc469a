package rules_test

import (
	"fmt"
	"strings"
	"time"

	"exo-bench-exporter/exporter/rules"
)

// Rules for a cycle every ten minutes, whose alerts lead to a Grafana that others reach.
func ExampleGenerate() {
	text, err := rules.Generate(rules.Options{Interval: 10 * time.Minute, GrafanaURL: "https://grafana.example"})
	if err != nil {
		panic(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	fmt.Println(first)
	fmt.Println("links to it:", strings.Contains(string(text), "https://grafana.example/d/exobench-"))
	// Output:
	// # Rules for exo-bench-exporter at a cycle interval of 10m. Generated; do not edit:
	// links to it: true
}
