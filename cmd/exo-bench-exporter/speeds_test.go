package main

import (
	"strings"
	"testing"
	"time"

	"exo-bench-exporter/workload/judge"
)

func TestSpeeds(t *testing.T) {
	now := time.Date(2026, 1, 5, 18, 0, 0, 0, time.UTC)
	slower := judge.Alarm{Kind: judge.Drop, Since: now.Add(-time.Hour), Change: judge.Change{Ratio: -0.1, Low: -0.12, High: -0.08}}
	var b strings.Builder
	err := writeSpeeds(&b, []judge.Verdict{
		{Quantity: judge.Decode},
		{Model: "a", Quantity: judge.Decode, Evidence: 1.5, Alarms: []judge.Alarm{slower}},
		{Model: "a", Quantity: judge.TTFT, Evidence: 2, Alarms: []judge.Alarm{slower}},
		{Model: "bb", Quantity: judge.Decode, Cycles: 3, Learning: true},
	}, now)
	want := `
MODEL         SPEED AGAINST WHAT IS NORMAL
all together  steady
a             10.0 % slower since 17:00 UTC (8.0 to 12.0 %), evidence 1.5 ×
              first token 11.1 % later since 17:00 UTC (8.7 to 13.6 %), evidence 2.0 ×
bb            learning: 3 of 24 cycles
`
	if err != nil || b.String() != want {
		t.Errorf("got %s, %v, want %s", b.String(), err, want)
	}
	b.Reset()
	if err := writeSpeeds(&b, nil, now); err != nil || b.Len() > 0 {
		t.Errorf("of nothing is said %q, %v", b.String(), err)
	}
}
