package answer

import "testing"

// Whether a count is that of a part of the answer shows in when it was told.
func TestCountIsTheLastThatWasTold(t *testing.T) {
	for name, tc := range map[string]struct {
		told map[int]Count // completion tokens, by how many events had come
		want int           // of ten events
	}{
		"at the end":                       {map[int]Count{10: 10}, 10},
		"at half":                          {map[int]Count{5: 5}, 10},
		"at half, one more than events":    {map[int]Count{5: 6}, 11},
		"along, but not at the end":        {map[int]Count{1: 1, 2: 2, 3: 3}, 10},
		"at half, and at the end":          {map[int]Count{5: 5, 10: 9}, 9},
		"at half, and nothing at the end":  {map[int]Count{5: 5, 10: 0}, 10},
		"all of it before the first event": {map[int]Count{0: 10}, 10},
		"all of it at half":                {map[int]Count{5: 10}, 10},
		"before two events more":           {map[int]Count{8: 8}, 8},
	} {
		e := Evidence{Asked: 64}
		tell := func(n int) {
			if told, ok := tc.told[n]; ok {
				e.Add(Event{Usage: Usage{Completion: told}}, None)
			}
		}
		tell(0)
		for i := range 10 {
			e.Add(Event{}, Content)
			tell(i + 1)
		}
		if got := e.told(); got != tc.want {
			t.Errorf("%s: %d tokens, want %d", name, got, tc.want)
		}
	}
}
