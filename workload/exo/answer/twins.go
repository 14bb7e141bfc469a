package answer

// Bounds of what is taken for an answer of which each event came twice: so many pairs at least, of which so
// large a part differ from the pair before, and of which, where nobody counts, so large a part came together.
const (
	fewPairs      = 4
	differentPart = 0.5
	togetherPairs = 0.9
)

// Single returns e without the second ones where something on the way sent each event twice; twins tells
// whether it did.
//
// A model that repeats itself says the same twice, too, but not in pairs from the first word to the last that
// differ from each other. Where the node counts the tokens it must count half as many as events came, and
// where it does not, both of a pair must have come together and the pairs must not.
func (e *Evidence) Single() (single *Evidence, twins bool) {
	all := append(e.Arrivals[:len(e.Arrivals):len(e.Arrivals)], e.beyond...)
	if !paired(all) || !e.halved(all) {
		return e, false
	}
	once := *e
	once.Arrivals, once.beyond, once.Extra = nil, nil, (e.Extra-len(e.beyond))/2
	for i := 0; i < len(all); i += 2 {
		if len(once.Arrivals) < once.room() {
			once.Arrivals = append(once.Arrivals, all[i])
		} else {
			once.Extra++
		}
	}
	return &once, true
}

// paired reports whether the arrivals say everything twice.
func paired(all []Arrival) bool {
	pairs := len(all) / 2
	if pairs < fewPairs || len(all)%2 != 0 {
		return false
	}
	different := 0
	for i := 0; i < len(all); i += 2 {
		if all[i].Print == 0 || all[i].Print != all[i+1].Print {
			return false
		}
		if i > 0 && all[i].Print != all[i-1].Print {
			different++
		}
	}
	return float64(different) >= differentPart*float64(pairs-1)
}

// halved reports whether the node counts a token for two events, or shows it where it does not count.
func (e *Evidence) halved(all []Arrival) bool {
	if told := e.told(); told > 0 {
		return abs(2*told-e.Events()) <= 2 // the end may be counted, or not
	}
	near := nearness(all)
	within, between := 0, 0
	for i := 1; i < len(all); i++ {
		if all[i].Read != all[i-1].Read && all[i].At.Sub(all[i-1].At) >= near {
			continue
		}
		if i%2 == 1 {
			within++
		} else {
			between++
		}
	}
	pairs := float64(len(all) / 2)
	return float64(within) >= togetherPairs*pairs && float64(between) < differentPart*pairs
}

func abs(n int) int { return max(n, -n) }
