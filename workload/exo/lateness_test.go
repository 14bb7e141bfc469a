package exo

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"testing"
	"time"

	"exo-bench-exporter/workload/exo/answer"
	"exo-bench-exporter/workload/stall"
)

// recorded is an answer as it was read once, in microseconds.
type recorded struct {
	Name    string  `json:"name"`
	Starved bool    `json:"starved"`
	Wrote   int64   `json:"wrote"` // after t0
	At      []int64 `json:"at"`    // after t0, of each token event
	Late    []int64 `json:"late"`  // how long before that the kernel had it
	Read    []int   `json:"read"`
}

func (r recorded) evidence(t0 time.Time) answer.Evidence {
	e := answer.Evidence{Sent: t0, Wrote: t0.Add(time.Duration(r.Wrote) * time.Microsecond), Asked: len(r.At), Finish: "length"}
	for i, us := range r.At {
		at := t0.Add(time.Duration(us) * time.Microsecond)
		e.Arrivals = append(e.Arrivals, answer.Arrival{
			At: at, Came: at.Add(-time.Duration(r.Late[i]) * time.Microsecond), Read: r.Read[i], Content: true, Size: 5,
		})
	}
	return e
}

// Answers as they were read on Linux, on a quiet machine and beside two busy loops on the exporter's only
// core: the latter are marked, the former are not, and no sample of theirs is off by more than a tenth.
func TestRecordedLateness(t *testing.T) {
	b, err := os.ReadFile("testdata/lateness.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		var r recorded
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		t.Run(r.Name, func(t *testing.T) {
			t0 := time.Now()
			rec := &record{dialect: openAI{}, t0: t0, evidence: r.evidence(t0)}
			rec.conclude()
			if why := rec.starved(stall.Report{Duration: time.Second}); (why != "") != r.Starved {
				t.Errorf("starved: %q, want %v", why, r.Starved)
			}
			if n := len(rec.res.Gaps) + rec.res.Withheld + rec.res.Coalesced; n != len(r.At)-1 {
				t.Errorf("%d gaps of %d: %d samples, %d withheld, %d coalesced", n, len(r.At)-1, len(rec.res.Gaps), rec.res.Withheld, rec.res.Coalesced)
			}
			if rec.res.Coalesced == 0 {
				checkGaps(t, r, rec.res.Gaps)
			}
		})
	}
}

// checkGaps compares samples with what the kernel saw. Each event came by a read of its own.
func checkGaps(t *testing.T, r recorded, gaps []time.Duration) {
	t.Helper()
	for i := 1; i < len(r.At); i++ {
		taken := r.At[i] - r.At[i-1]
		came := taken - r.Late[i] + r.Late[i-1]
		if math.Abs(float64(taken-came)) > float64(came)/10 {
			continue
		}
		if len(gaps) == 0 || gaps[0] != time.Duration(taken)*time.Microsecond {
			t.Fatalf("the gap before event %d, taken for %d µs, which was %d, is no sample", i, taken, came)
		}
		gaps = gaps[1:]
	}
	if len(gaps) > 0 {
		t.Errorf("%d samples are off by more than a tenth", len(gaps))
	}
}
