package judge

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// TestSkewMovesNoLevel has ten prompts whose noise is not symmetrical, as that of a first token is which waits for up to a
// tenth of a second. What is usual of each must not wander off with that of all, and the level the other way.
func TestSkewMovesNoLevel(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	c := context{interval: 60, strict: 1, share: 1, q: TTFT}
	var ps parts
	mean := func(turns int) float64 {
		sum := 0.0
		for range turns {
			var samples []Sample
			for p := range 10 {
				samples = append(samples, Sample{Prompt: fmt.Sprint(p), TTFT: 0.02*float64(p+1) + 0.1*r.Float64()})
			}
			level, _ := ps.level(c, samples, 0)
			sum += level
		}
		return sum / float64(turns)
	}
	mean(2000)
	before := mean(1000)
	mean(17_000)
	if after := mean(1000); math.Abs(after-before) > 0.004 {
		t.Errorf("the level went from %.4f to %.4f", before, after)
	}
}
