package compare

import (
	"math"
	"strings"
	"testing"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/record"
)

// Footprints are compared with those of their own kind alone, and not where other models had a part in them.
func TestFootprint(t *testing.T) {
	side := func(kind workload.FootprintKind, bytes uint64, shared bool) Side {
		var all []record.Record
		for _, r := range reference(1, 12).records("m") {
			r.Turn.Memory.Footprint, r.Turn.Memory.FootprintKind, r.Turn.Memory.Shared = bytes, kind, shared
			all = append(all, r)
		}
		s, err := NewSide(string(kind), all)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	mac := side(workload.FootprintPhysical, 5e9, false)
	for name, c := range map[string]struct {
		after Side
		found bool
		note  string
	}{
		"of one kind": {after: side(workload.FootprintPhysical, 4e9, false), found: true},
		"of another": {
			after: side(workload.FootprintPSS, 4e9, false), note: "m: footprints of different kinds (physical and pss_swap) are not compared",
		},
		"shared":    {after: side(workload.FootprintPhysical, 4e9, true)},
		"not known": {after: side(workload.FootprintNone, 0, false)},
	} {
		got, err := Sides(mac, c.after, Margin)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, change := range got.Changes {
			if change.Quantity.Name == "footprint" {
				found = true
				if change.Verdict != Lower || math.Round(change.Before) != 5e9 || math.Round(change.After) != 4e9 || change.Turns != [2]int{12, 12} {
					t.Errorf("%s: %+v", name, change)
				}
			}
		}
		if found != c.found || strings.Join(got.Notes, "\n") != c.note {
			t.Errorf("%s: compared %t, notes %q", name, found, got.Notes)
		}
	}
}
