package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/e2e/internal/stack"
)

// shared is as much of what export prints as is compared.
type shared struct {
	Simulated bool `json:"simulated"`
	Workload  struct {
		SHA256 string `json:"sha256"`
	} `json:"workload"`
	Hardware []map[string]any `json:"hardware"`
	Models   []struct {
		Name     string         `json:"name"`
		Turns    map[string]int `json:"turns"`
		Requests map[string]int `json:"requests"`
		Clean    int            `json:"clean_requests"`
		Figures  map[string]struct {
			Value float64 `json:"value"`
			N     int     `json:"n"`
		} `json:"figures"`
	} `json:"models"`
}

// TestReportFromPrometheus asserts that what is read back from a real Prometheus is what the exporter itself has kept of the same
// cycle, which is the one after a moment between two. Few prompts leave room between cycles on a slow machine, too.
func TestReportFromPrometheus(t *testing.T) {
	address, suite := stack.FreeAddress(t), filepath.Join(t.TempDir(), "suite.yaml")
	stack.WriteFile(t, suite, `version: report-1
temperature: 0
seed: 1
prompts:
  - {id: one, kind: chat, max_tokens: 64, messages: [{role: user, content: "Say something short, please."}]}
  - {id: two, kind: code, max_tokens: 96, messages: [{role: user, content: "Now say something else."}]}
`)
	p := stack.StartPrometheus(t, address, nil)
	stack.Start(t, []string{
		"EXOBENCH_LISTEN_ADDRESS=" + address, "EXOBENCH_STATE_DIR=" + t.TempDir(), "EXOBENCH_SUITE=" + suite,
		"EXOBENCH_MODELS=llama-3.1-8b,llama-3.2-1b", "EXOBENCH_CYCLE_INTERVAL=1m",
	}, stack.Exporter, "-demo")

	begin := settled(t, p)
	cycles := func(at time.Time) float64 { return float64(p.At(t, at, `sum(exobench_cycles_total)`)[0].Value) }
	before, end := cycles(begin), begin
	stack.Eventually(t, 3*time.Minute, time.Second, "one more cycle has ended", func() bool {
		end = settled(t, p)
		return cycles(end) > before
	})
	span := []string{
		"-from", begin.UTC().Format(time.RFC3339Nano), "-to", end.Add(time.Millisecond).UTC().Format(time.RFC3339Nano),
	}
	dir := t.TempDir()
	recall := append([]string{"-prometheus", p.URL}, span...)
	recalled := exported(t, recall...)
	kept := exported(t, append(span, keptResults(t, address, dir))...)

	if !recalled.Simulated || recalled.Workload != kept.Workload || len(recalled.Models) != 2 || len(kept.Models) != 2 ||
		fmt.Sprint(recalled.Hardware) != fmt.Sprint(kept.Hardware) {
		t.Fatalf("Prometheus: %+v\nkept: %+v", recalled, kept)
	}
	for i, want := range kept.Models {
		got := recalled.Models[i]
		if got.Name != want.Name || fmt.Sprint(got.Turns) != fmt.Sprint(want.Turns) || fmt.Sprint(got.Requests) != fmt.Sprint(want.Requests) ||
			got.Clean != want.Clean {
			t.Errorf("counts of Prometheus: %+v\nkept: %+v", got, want)
		}
		for name, within := range map[string]float64{
			"decode_tokens_per_second": 0.001, "prefill_tokens_per_second": 0.001, "time_to_first_token_p50_seconds": 0.001,
			"request_duration_seconds": 0.001, "resident_memory_bytes": 0.001, "weights_bytes": 0.001,
			"inter_token_latency_p50_seconds": 0.1, // a bucket
		} {
			g, w := got.Figures[name], want.Figures[name]
			if g.N == 0 && w.N == 0 { // on a busy machine there may be no undisturbed request
				continue
			}
			if !(math.Abs(g.Value/w.Value-1) <= within) || name != "inter_token_latency_p50_seconds" && g.N != w.N {
				t.Errorf("%s of %s: Prometheus has %v of %d, kept is %v of %d", name, want.Name, g.Value, g.N, w.Value, w.N)
			}
		}
	}
	page := filepath.Join(dir, "report.html")
	if _, status := stack.Run(t, nil, stack.Exporter, append([]string{"report", "-o", page}, recall...)...); status != 0 {
		t.Fatalf("report ends with status %d", status)
	}
	b, err := os.ReadFile(page)
	if err != nil || !strings.Contains(string(b), "<strong>SIMULATED</strong>") || strings.Contains(string(b), p.URL) {
		t.Errorf("%v: the page has no banner, or Prometheus' address", err)
	}
	if *pictures != "" {
		stack.WriteFile(t, filepath.Join(*pictures, "report.html"), string(b))
	}
}

func exported(t *testing.T, args ...string) (doc shared) {
	t.Helper()
	out, status := stack.Run(t, nil, stack.Exporter, append([]string{"export"}, args...)...)
	if err := json.Unmarshal(out, &doc); status != 0 || err != nil {
		t.Fatalf("export %v ends with status %d: %v", args, status, err)
	}
	return doc
}

// keptResults writes what the exporter's API has of single results to a file, the oldest first, and returns its name.
func keptResults(t *testing.T, address, dir string) string {
	t.Helper()
	var lines []string
	for next := "?limit=100"; next != ""; {
		body, err := stack.Get("http://" + address + "/api/v1/results" + next)
		var page struct {
			Items []json.RawMessage `json:"items"`
			Next  string            `json:"next"`
		}
		if err != nil || json.Unmarshal(body, &page) != nil {
			t.Fatalf("%v: %.300s", err, body)
		}
		for _, line := range page.Items {
			var compact bytes.Buffer
			if err := json.Compact(&compact, line); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, compact.String())
		}
		if next = page.Next; next != "" {
			next = "?limit=100&before=" + next
		}
	}
	slices.Reverse(lines)
	file := filepath.Join(dir, "kept.jsonl")
	stack.WriteFile(t, file, strings.Join(lines, "\n"))
	return file
}
