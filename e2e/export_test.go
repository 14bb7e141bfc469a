package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"exo-bench-exporter/e2e/internal/stack"
)

// TestExportIsAsDescribed holds what export prints against docs/export.schema.json: of a recorded run of a real exo, and of a run
// against the simulator, which has energy and hardware.
func TestExportIsAsDescribed(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(stack.Repository, "docs", "export.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	simulated := filepath.Join(t.TempDir(), "simulated.jsonl")
	env := []string{"EXOBENCH_STATE_DIR=" + t.TempDir(), "EXOBENCH_MODELS=llama-3.1-8b,llama-3.2-1b"}
	if _, status := stack.Run(t, env, stack.Exporter, "once", "-demo", "-o", simulated); status != 0 {
		t.Fatalf("once ends with status %d", status)
	}
	for name, file := range map[string]string{
		"recorded":  filepath.Join(stack.Repository, "workload", "report", "page", "testdata", "exo-1.0.71.jsonl"),
		"simulated": simulated,
	} {
		t.Run(name, func(t *testing.T) {
			out, status := stack.Run(t, nil, stack.Exporter, "export", file)
			if status != 0 {
				t.Fatalf("export ends with status %d", status)
			}
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(doc); err != nil {
				t.Errorf("%v\n%.2000s", err, out)
			}
			if got := doc.(map[string]any)["simulated"]; got != (name == "simulated") {
				t.Errorf("simulated: %v", got)
			}
			doc.(map[string]any)["address"] = "http://localhost:52415"
			if schema.Validate(doc) == nil {
				t.Error("a document with an address is as described")
			}
		})
	}
	var described struct {
		Schema string `json:"$schema"`
	}
	b, err := os.ReadFile(filepath.Join(stack.Repository, "docs", "export.schema.json"))
	if err != nil || json.Unmarshal(b, &described) != nil || described.Schema != "https://json-schema.org/draft/2020-12/schema" {
		t.Errorf("%v: %q", err, described.Schema)
	}
}
