package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"exo-bench-exporter/e2e/internal/stack"
)

// TestMissedSamplesAreTakenIn asserts that what backfill prints is taken in by promtool, and can
// then be asked for.
func TestMissedSamplesAreTakenIn(t *testing.T) {
	records := filepath.Join(stack.Repository, "workload", "record", "testdata", "schema-1.jsonl")
	out, status := stack.Run(t, nil, stack.Exporter, "backfill", "-file", records, "-from", "2026-01-31T11:59:00Z",
		"-to", "2026-01-31T12:30:00Z", "-instance", "localhost:9955")
	if status != 0 {
		t.Fatalf("backfill ends with status %d", status)
	}
	dir := t.TempDir()
	text, data := filepath.Join(dir, "gap.txt"), filepath.Join(dir, "data")
	if err := os.WriteFile(text, out, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool := stack.Tool(t, "promtool")
	if said, err := exec.Command(promtool, "tsdb", "create-blocks-from", "openmetrics", text, data).CombinedOutput(); err != nil {
		t.Fatalf("promtool refuses it: %v\n%s", err, said)
	}
	if err := os.Mkdir(filepath.Join(data, "wal"), 0o700); err != nil { // without it promtool dumps nothing
		t.Fatal(err)
	}
	dump, err := exec.Command(promtool, "tsdb", "dump", data).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := `{__name__="exobench_model_output_tokens_per_second", instance="localhost:9955", job="exo-bench-exporter", ` +
		`model="llama-3.2-1b"} 243.0000199260016 `
	if n := strings.Count(string(dump), want); n < 100 {
		t.Errorf("there are %d samples of %s, want half an hour in steps of 15 s; the dump begins\n%.2000s", n, want, dump)
	}
}
