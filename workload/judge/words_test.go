package judge

import (
	"slices"
	"testing"
	"time"
)

func TestRemarks(t *testing.T) {
	now := time.Date(2026, 1, 5, 18, 0, 0, 0, time.UTC)
	since := now.Add(-220 * time.Minute)
	slow := func(kind Kind, ratio float64) Alarm {
		return Alarm{Kind: kind, Since: since, Change: Change{ratio, ratio - 0.01, ratio + 0.01}}
	}
	plain := func(kind Kind, ratio float64, prompts ...string) Alarm {
		return Alarm{Kind: kind, Since: since, Change: Change{ratio, ratio, ratio}, Prompts: prompts}
	}
	old := slow(Drift, -0.05)
	old.Since = now.Add(-30 * time.Hour)
	shared := slow(Drop, -0.098)
	shared.Shared = true
	for name, tt := range map[string]struct {
		verdicts []Verdict
		want     []Remark
	}{
		"nothing":  {nil, nil},
		"steady":   {[]Verdict{{Quantity: Decode, Cycles: 99}, {Quantity: TTFT, Learning: true}}, []Remark{{"steady", Good}}},
		"learning": {[]Verdict{{Quantity: Decode, Cycles: 14, Learning: true}}, []Remark{{"learning: 14 of 24 cycles", Unsure}}},
		"a day": {
			[]Verdict{{Quantity: Decode, Cycles: 40, Learning: true, First: now, Last: now.Add(7*time.Hour + 59*time.Minute)}},
			[]Remark{{"learning: 7 of 24 hours", Unsure}},
		},
		"slower": {
			[]Verdict{{Quantity: Decode, Evidence: 1.62, Alarms: []Alarm{slow(Drop, -0.098)}}},
			[]Remark{{"9.8 % slower since 14:20 UTC (8.8 to 10.8 %), evidence 1.6 ×", Bad}},
		},
		"days": {
			[]Verdict{{Quantity: Decode, Evidence: 1, Alarms: []Alarm{old}}},
			[]Remark{{"5.0 % slower since 2026-01-04 12:00 UTC (4.0 to 6.0 %), little by little, evidence 1.0 ×", Bad}},
		},
		"first token": {
			[]Verdict{{Quantity: TTFT, Evidence: 3, Alarms: []Alarm{slow(Collapse, -0.5)}}},
			[]Remark{{"first token 100.0 % later since 14:20 UTC (96.1 to 104.1 %), evidence 3.0 ×", Bad}},
		},
		"node": {
			[]Verdict{{Quantity: Decode, Evidence: 2, Alarms: []Alarm{shared}}},
			[]Remark{{"9.8 % slower since 14:20 UTC (8.8 to 10.8 %), evidence 2.0 ×, as the whole node", Bad}},
		},
		"parts": {
			[]Verdict{
				{Quantity: Decode, Alarms: []Alarm{plain(Partial, -0.2, "a", "b"), plain(Intermittent, -0.15)}},
				{Quantity: Prefill, Alarms: []Alarm{plain(Partial, -0.2, "a")}},
			},
			[]Remark{
				{"2 prompts: 20.0 % slower since 14:20 UTC: a, b", Bad},
				{"Again and again a cycle: 15.0 % slower since 14:20 UTC", Bad},
				{"1 prompt: prefill 20.0 % slower since 14:20 UTC: a", Bad},
			},
		},
		"information": {
			[]Verdict{{Quantity: Decode, Alarms: []Alarm{plain(Unstable, -0.04), slow(Gain, 0.2)}}},
			[]Remark{
				{"4.0 % slower since 14:20 UTC, as before, when it went away by itself", Note},
				{"20.0 % faster since 14:20 UTC (19.0 to 21.0 %)", Note},
			},
		},
	} {
		if got := Remarks(tt.verdicts, now); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
