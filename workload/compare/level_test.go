package compare

import (
	"math"
	"testing"
)

// The interval of a level holds the true one about as often as it says, and there is none of fewer than six turns.
func TestLevel(t *testing.T) {
	q, _ := Named("decode")
	const runs = 1000
	within := 0
	for seed := range uint64(runs) {
		m := reference(seed, 20)
		m.odd = 0
		l, ok := LevelOf(q, m.run("m"))
		if !ok || !l.Known || l.Turns != 20 || l.Prompts != 10 {
			t.Fatalf("%+v", l)
		}
		truth := 0.0
		for p := range m.prompts {
			truth += math.Log(50 * (1 + float64(p)/20))
		}
		if truth = math.Exp(truth / float64(m.prompts)); l.Range.Low <= truth && truth <= l.Range.High {
			within++
		}
	}
	if share := float64(within) / runs; share < 0.93 {
		t.Errorf("the true level is within the interval in %.1f %%", 100*share)
	}
	for turns, want := range map[int]bool{1: false, 5: false, 6: true} {
		if l, ok := LevelOf(q, reference(1, turns).run("m")); !ok || l.Known != want {
			t.Errorf("%d turns: %+v", turns, l)
		}
	}
	if _, ok := LevelOf(q, nil); ok {
		t.Error("nothing has a level")
	}
	if _, ok := Named("speed"); ok {
		t.Error("there is a quantity called speed")
	}
}

// P(B ≤ k) of four coins.
func TestSigns(t *testing.T) {
	for k, want := range []float64{1. / 16, 5. / 16, 11. / 16, 15. / 16, 1} {
		if got := signs(4)[k]; math.Abs(got-want) > 1e-12 {
			t.Errorf("%d: %v, want %v", k, got, want)
		}
	}
}
