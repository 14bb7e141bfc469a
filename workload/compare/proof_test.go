package compare

import (
	"flag"
	"math"
	"testing"
)

var pairs = flag.Int("pairs", 60, "seeded pairs of each line of TestProof")

// TestProof compares seeded pairs of which the truth is known. go test -run TestProof -v prints the table of docs/compare.md.
func TestProof(t *testing.T) {
	t.Logf("| noise | turns a side | true change | said wrongly | found | within the interval |")
	for _, line := range []struct {
		noise  string
		turns  int
		carry  float64
		covers float64 // least share of true changes within the 95 % interval; few turns cannot know what they carry over
	}{
		{noise: "turns by themselves", turns: 5, covers: 0.93},
		{noise: "turns by themselves", turns: 12, covers: 0.93},
		{noise: "turns by themselves", turns: 30, covers: 0.93},
		{noise: "turns by themselves", turns: 96, covers: 0.93},
		{noise: "half carried over", turns: 12, carry: 0.5, covers: 0.87},
		{noise: "half carried over", turns: 30, carry: 0.5, covers: 0.90},
		{noise: "half carried over", turns: 96, carry: 0.5, covers: 0.90},
	} {
		for _, factor := range []float64{1, 0.95} {
			wrong, found, covered := 0, 0, 0
			for seed := range uint64(*pairs) {
				before := reference(1_000*uint64(line.turns)+seed, line.turns)
				before.carry = line.carry
				c := decodeOf(t, before, before.changed(factor))
				if c.Ratio.Low <= factor-1 && factor-1 <= c.Ratio.High {
					covered++
				}
				switch {
				case c.Verdict == Unknown:
				case (c.Verdict == Same) == (factor == 1) && c.Verdict != Higher:
					found++
				default:
					wrong++
				}
			}
			share := func(n int) float64 { return float64(n) / float64(*pairs) }
			t.Logf("| %s | %d | %+.0f %% | %.1f %% | %.1f %% | %.1f %% |", line.noise, line.turns, 100*(factor-1),
				100*share(wrong), 100*share(found), 100*share(covered))
			chance := 3 / math.Sqrt(float64(*pairs)) // three standard deviations of a share of n are 3 √(p (1-p) / n)
			if limit := 0.05 + chance*math.Sqrt(0.05*0.95); share(wrong) > limit {
				t.Errorf("%s, %d turns, %v: %d of %d are wrong", line.noise, line.turns, factor, wrong, *pairs)
			}
			if least := line.covers - chance*math.Sqrt(line.covers*(1-line.covers)); share(covered) < least {
				t.Errorf("%s, %d turns, %v: %d of %d within the interval", line.noise, line.turns, factor, covered, *pairs)
			}
		}
	}
}

// decodeOf compares the speed of decoding alone, of which the table is.
func decodeOf(t *testing.T, before, after made) Change {
	t.Helper()
	decode := Quantities()[0]
	c, ok := of(decode, decode.series(before.run("m")), decode.series(after.run("m")), 0.02)
	if !ok || decode.Name != "decode" {
		t.Fatal("decode is not compared")
	}
	return c
}
