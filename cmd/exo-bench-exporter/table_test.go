package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload"
)

// Every column shows its own figure: no two of this turn are alike.
func TestTable(t *testing.T) {
	gaps := make([]time.Duration, 200) // 1 ms to 200 ms
	for i := range gaps {
		gaps[i] = time.Duration(i+1) * time.Millisecond
	}
	turn := workload.Turn{
		Host:  workload.Host{WeightsBytes: 700_000_000, MemoryBandwidth: 100e9},
		Model: "llama-3.2-1b", Outcome: workload.TurnPartial, Reason: "1 of 2 requests failed",
		Load:   workload.Load{Loaded: true, Duration: 3100 * time.Millisecond},
		Memory: workload.Memory{Samples: 9, Median: 5 << 29, Peak: 3 << 30, Footprint: 7 << 29},
		Asked:  &workload.Asked{Right: 9, Of: 10},
		Results: []workload.Result{
			{
				Outcome: workload.OutcomeOK, Timed: true, TTFT: 250 * time.Millisecond, Decode: 2 * time.Second, E2E: 3 * time.Second,
				Gaps: gaps, TokenEvents: 201, OutputTokens: 201, PromptTokens: 80, Prompt: "chat", AskedTokens: 256,
				EnergyJoules: 50.25, EnergySource: workload.EnergyFromPower,
				Server: &workload.ServerStats{GenerationTPS: 102.5, GenerationTokens: 201},
			},
			{Outcome: workload.OutcomeBuffered, Prompt: "code"},
		},
	}
	c := workload.Cycle{Outcome: workload.TurnPartial, Duration: 63 * time.Second, Turns: []workload.Turn{turn}}
	var b strings.Builder
	if err := writeTable(&b, c, []workload.Model{{Name: "llama-3.2-1b"}, {Name: "mistral-7b"}}, 2); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	want := [][]string{
		{
			"MODEL", "TURN", "TTFT p50", "ITL p50", "ITL p99", "DECODE tok/s", "SERVER tok/s", "PREFILL tok/s", "LOAD", "FOOTPRINT", "RSS p50",
			"RSS PEAK", "J/token", "MBU", "RIGHT", "REQUESTS",
		},
		{
			"llama-3.2-1b", "partial", "250 ms", "100 ms", "198 ms", "100.0", "102.5", "320", "3.1 s", "3.50 GiB", "2.50 GiB", "3.00 GiB",
			"0.25", "70 %", "90 %", "1 of 2 ok",
		},
		{"mistral-7b", "not run"},
		{""},
		{"llama-3.2-1b is partial: 1 of 2 requests failed"},
		{"buffered: code"},
		{"answers shorter than asked for: chat (201 of 256 tokens)"},
		{""},
		{"cycle partial after 1m3s"},
	}
	for i, columns := range want {
		var got []string
		for column := range strings.SplitSeq(strings.TrimSpace(lines[i]), "  ") {
			if column = strings.TrimSpace(column); column != "" || len(columns) == 1 {
				got = append(got, column)
			}
		}
		if !slices.Equal(got, columns) {
			t.Errorf("line %d: %q, want %q", i, got, columns)
		}
	}
}

// A terminal that is narrower than the table gets its further columns below, each row with its name.
func TestTableFitsTheTerminal(t *testing.T) {
	rows := [][]string{{"MODEL", "TURN", "TTFT", "RSS"}, {"llama", "ok", "1.5 ms", "5.03 GiB"}, {"qwen", "not run"}}
	for width, want := range map[int]string{
		0:  "MODEL  TURN  TTFT    RSS\nllama  ok    1.5 ms  5.03 GiB\nqwen   not run\n",
		32: "MODEL  TURN  TTFT    RSS\nllama  ok    1.5 ms  5.03 GiB\nqwen   not run\n",
		28: "MODEL  TURN  TTFT\nllama  ok    1.5 ms\nqwen   not run\n\nMODEL  RSS\nllama  5.03 GiB\n",
		1:  "MODEL  TURN\nllama  ok\nqwen   not run\n\nMODEL  TTFT\nllama  1.5 ms\n\nMODEL  RSS\nllama  5.03 GiB\n",
	} {
		var b strings.Builder
		if err := writeRows(&b, rows, width); err != nil || b.String() != want {
			t.Errorf("%d columns: %v\n%s\nwant\n%s", width, err, b.String(), want)
		}
	}
}
