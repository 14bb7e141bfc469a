package answers

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"exo-bench-exporter/workload"
)

var (
	halfYears = flag.Int("halfyears", 0, "runs of 180 days of each line of docs/answers.md about false alarms; 0 skips the table")
	seed      = flag.Uint64("seed", 7_000_000, "first seed, one that nothing was tuned on")
)

const (
	turnsOfHalfYear = 180 * 24 * 4 // one every 15 minutes
	models          = 5
	questions       = 10
)

// node is a model whose answers to ten questions are right by chance, each with a probability of its own.
type node struct {
	random *rand.Rand
	right  [questions]float64
}

// newNode returns one that answers so many questions now rightly, now wrongly, and most of the others rightly.
func newNode(seed uint64, marginal int) *node {
	n := &node{random: rand.New(rand.NewPCG(seed, 1))}
	for i := range n.right {
		switch {
		case i < marginal:
			n.right[i] = 0.05 + 0.9*n.random.Float64()
		case n.random.Float64() < 0.8:
			n.right[i] = 1
		}
	}
	return n
}

// lose has the model answer so many questions wrongly that it answers rightly for the most part; all when there are fewer.
func (n *node) lose(questions int) {
	for i, p := range n.right {
		if p > 0.5 && questions > 0 {
			n.right[i] = 0
			questions--
		}
	}
}

func (n *node) turn() sample {
	right := 0
	for _, p := range n.right {
		if n.random.Float64() < p {
			right++
		}
	}
	return sample{by: workload.ByCanary, share: float64(right) / questions}
}

// falseAlarms returns how often alarms begin in half a year of five models of which nothing becomes worse.
func falseAlarms(seed uint64, marginal int) (alarms int) {
	for m := range models {
		n, q, worse := newNode(seed+uint64(m), marginal), quality{}, false
		for range turnsOfHalfYear {
			now := q.judge(n.turn()).Worse
			if now && !worse {
				alarms++
			}
			worse = now
		}
	}
	return alarms
}

// found returns how many turns it takes until a loss of so many right answers is found, after a day of history; false where it
// is not within a day, or there was an alarm before.
func found(seed uint64, marginal, lost int) (turns int, ok bool) {
	n, q := newNode(seed, marginal), quality{}
	for range 96 {
		if q.judge(n.turn()).Worse {
			return 0, false
		}
	}
	n.lose(lost)
	for i := range 96 {
		if q.judge(n.turn()).Worse {
			return i + 1, true
		}
	}
	return 0, false
}

// shareFound returns the share of losses that are found within so many turns.
func shareFound(runs int, marginal, lost, within int) float64 {
	n := 0
	for i := range runs {
		if turns, ok := found(*seed+uint64(i), marginal, lost); ok && turns <= within {
			n++
		}
	}
	return float64(n) / float64(runs)
}

// TestTable prints the table of docs/answers.md.
func TestTable(t *testing.T) {
	if *halfYears == 0 {
		t.Skip("-halfyears says how many")
	}
	for _, marginal := range []int{0, 1, 2, 4, 6} {
		alarms := 0
		for i := range *halfYears {
			alarms += falseAlarms(*seed+uint64(models*i), marginal)
		}
		fmt.Printf("| %d of 10 | %.2f (%d in %d) |", marginal, float64(alarms)/float64(*halfYears), alarms, *halfYears)
		for _, lost := range []int{questions, 5, 3} {
			fmt.Printf(" %.1f %% |", 100*shareFound(2000, marginal, lost, 4))
		}
		fmt.Println()
	}
}

// A part of the table that does not take long.
func TestFalseAlarmsAreRare(t *testing.T) {
	for marginal, most := range map[int]int{0: 0, 1: 0, 2: 0} {
		if got := falseAlarms(*seed, marginal); got > most {
			t.Errorf("%d false alarms in half a year with %d questions that are answered by chance, want at most %d", got, marginal, most)
		}
	}
	if got := shareFound(100, 2, questions, 2); got < 0.98 {
		t.Errorf("%.1f %% of models that answer nothing any more are found within two turns", 100*got)
	}
}
