package judgesim

import (
	"math/rand/v2"
	"sort"
	"time"
)

// horizon is the time for which random habits are made.
const horizon = 220 * 24 * time.Hour

// office is slower in office hours.
func office(loss float64) func(World, *rand.Rand) Effect {
	return func(World, *rand.Rand) Effect {
		return func(_, _ int, at time.Time) float64 {
			if d := at.Weekday(); d != time.Saturday && d != time.Sunday && at.Hour() >= 9 && at.Hour() < 18 {
				return 1 - loss
			}
			return 1
		}
	}
}

// backup is slower for an hour of each night, all models.
func backup(loss float64) func(World, *rand.Rand) Effect {
	return func(World, *rand.Rand) Effect {
		return func(_, _ int, at time.Time) float64 {
			if at.Hour() == 2 {
				return 1 - loss
			}
			return 1
		}
	}
}

// span is a time in which a model is slow.
type span struct{ from, to time.Time }

// spans makes an effect of times that each model has by itself. next returns how long it is well and
// then slow.
func spans(loss float64, next func() (well, slow time.Duration)) Effect {
	var all [Models][]span
	for m := range all {
		for at := Start; at.Before(Start.Add(horizon)); {
			well, slow := next()
			from := at.Add(well)
			at = from.Add(slow)
			all[m] = append(all[m], span{from, at})
		}
	}
	return func(m, _ int, at time.Time) float64 {
		i := sort.Search(len(all[m]), func(i int) bool { return all[m][i].to.After(at) })
		if i < len(all[m]) && !all[m][i].from.After(at) {
			return 1 - loss
		}
		return 1
	}
}

func exponential(r *rand.Rand, mean time.Duration) time.Duration {
	return time.Duration(r.ExpFloat64() * float64(mean))
}

// slowMode is slower for a time that is always the same, for a share of the time.
func slowMode(loss float64, lasts time.Duration, share float64) func(World, *rand.Rand) Effect {
	return func(_ World, r *rand.Rand) Effect {
		return spans(loss, func() (time.Duration, time.Duration) {
			return exponential(r, time.Duration(float64(lasts)*(1/share-1))), lasts
		})
	}
}

// bimodal is slower half of the time, for times around dwell.
func bimodal(loss float64, dwell time.Duration) func(World, *rand.Rand) Effect {
	return func(_ World, r *rand.Rand) Effect {
		return spans(loss, func() (time.Duration, time.Duration) { return exponential(r, dwell), exponential(r, dwell) })
	}
}

// stalls are three slow cycles about once a week.
func stalls(loss float64) func(World, *rand.Rand) Effect {
	return func(w World, r *rand.Rand) Effect {
		return spans(loss, func() (time.Duration, time.Duration) {
			// Ends are put between cycles, so that three of each model's turns are struck.
			well := exponential(r, 7*24*time.Hour).Truncate(w.Interval)
			return well, 3 * w.Interval
		})
	}
}

// everyThird loses in every third cycle.
func everyThird(loss float64, m int) Effect {
	return func(model, cycle int, _ time.Time) float64 {
		if model == m && cycle%3 == 0 {
			return 1 - loss
		}
		return 1
	}
}

// lasting loses from a cycle on.
func lasting(loss float64, m, onset int) Effect {
	return func(model, cycle int, _ time.Time) float64 {
		if model == m && cycle >= onset {
			return 1 - loss
		}
		return 1
	}
}
