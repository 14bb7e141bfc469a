package workload

import (
	"slices"
	"testing"
)

func TestOrderIsBalanced(t *testing.T) {
	for n := 1; n <= 9; n++ {
		round := n
		if n%2 == 1 {
			round = 2 * n
		}
		place := make(map[[2]int]int)  // (model, place) → times
		follow := make(map[[2]int]int) // (before, after) → times
		for k := range round {
			row := Order(n, k)
			sorted := slices.Sorted(slices.Values(row))
			for i, v := range sorted {
				if v != i {
					t.Fatalf("Order(%d, %d) = %v is no permutation", n, k, row)
				}
			}
			for i, m := range row {
				place[[2]int{m, i}]++
				if i > 0 {
					follow[[2]int{row[i-1], m}]++
				}
			}
		}
		for key, times := range place {
			if times != round/n {
				t.Errorf("n=%d: model %d stands at place %d %d times in a round, want %d", n, key[0], key[1], times, round/n)
			}
		}
		if n > 1 && len(follow) != n*(n-1) {
			t.Errorf("n=%d: %d of %d ordered pairs occur", n, len(follow), n*(n-1))
		}
		for key, times := range follow {
			if want := round / n; times != want {
				t.Errorf("n=%d: %d follows %d %d times in a round, want %d", n, key[1], key[0], times, want)
			}
		}
	}
}

func TestOrderRepeatsAndTakesAnyNumber(t *testing.T) {
	if !slices.Equal(Order(5, 3), Order(5, 13)) {
		t.Error("five models: the round should be ten cycles long")
	}
	if !slices.Equal(Order(5, -7), Order(5, 3)) {
		t.Error("a negative cycle number should count backwards through the round")
	}
	if Order(0, 1) != nil {
		t.Error("no models have no order")
	}
}
