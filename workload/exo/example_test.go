package exo_test

import (
	"context"
	"fmt"
	"os"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo"
	"exo-bench-exporter/workload/exosim"
)

// One prompt, measured on a node: here the simulator in fast motion, reached in memory.
func ExampleClient_Open() {
	node := exosim.New(exosim.Options{Speed: 200})
	defer node.Close()
	dir, err := os.MkdirTemp("", "exo-example-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	client, err := exo.New(exo.Options{BaseURL: "http://exo.test:52415", Transport: node.Transport(), StateDir: dir})
	if err != nil {
		panic(err)
	}
	defer client.Close()

	ctx := context.Background()
	session, err := client.Open(ctx, workload.Model{Name: "llama-3.2-1b"}) // places an instance
	if err != nil {
		panic(err)
	}
	defer session.Close(ctx) // and removes it

	prompt := workload.StandardSuite().Prompts[0]
	result := session.Measure(ctx, workload.Request{Model: "llama-3.2-1b", Prompt: prompt})
	fmt.Println(client.Dialect(), session.ExoModel())
	fmt.Println(result.Outcome, result.OutputTokens, "tokens as asked:", result.OutputTokens == prompt.MaxTokens)
	// Output:
	// exo1 mlx-community/Llama-3.2-1B-Instruct-4bit
	// ok 64 tokens as asked: true
}
