package compare

import (
	"maps"
	"math"
	"slices"
)

// Rank is the place of a model among those that were put the same prompts.
type Rank struct {
	Model string
	Value float64 // geometric mean over the prompts that all models have, of the median over turns each
	Turns int
	// Against is the change from this model to the one before it; nothing for the first.
	Against Change
}

// Ranking is the order of models by one quantity, the best first. Where a Rank's Against is not Higher or Lower the
// order of the two is within the noise.
type Ranking struct {
	Quantity Quantity
	Prompts  int // that all models have
	Ranks    []Rank
}

// Models puts the models of one side in order, by each quantity that is known of two or more.
func Models(s Side, margin float64) (all []Ranking) {
	for _, q := range Quantities() {
		if r, ok := rank(q, s, margin); ok {
			all = append(all, r)
		}
	}
	return all
}

func rank(q Quantity, s Side, margin float64) (Ranking, bool) {
	series, centre := map[string][]map[string]float64{}, map[string]map[string]float64{}
	var models []string
	var common map[string]float64
	for _, m := range s.Models {
		of := q.series(s.Turns[m])
		if len(of) == 0 {
			continue
		}
		models, series[m], centre[m] = append(models, m), of, centres(of)
		if common == nil {
			common = maps.Clone(centre[m])
		}
		maps.DeleteFunc(common, func(p string, _ float64) bool { _, ok := centre[m][p]; return !ok })
	}
	if len(models) < 2 || len(common) == 0 {
		return Ranking{}, false
	}
	r := Ranking{Quantity: q, Prompts: len(common)}
	for _, m := range models {
		r.Ranks = append(r.Ranks, Rank{Model: m, Value: mean(centre[m], common), Turns: len(series[m])})
	}
	slices.SortStableFunc(r.Ranks, func(a, b Rank) int {
		better := math.Log(b.Value) - math.Log(a.Value)
		if !q.Higher {
			better = -better
		}
		switch {
		case better < 0:
			return -1
		case better > 0:
			return 1
		}
		return 0
	})
	for i := 1; i < len(r.Ranks); i++ {
		r.Ranks[i].Against, _ = of(q, series[r.Ranks[i-1].Model], series[r.Ranks[i].Model], margin)
	}
	return r, true
}
