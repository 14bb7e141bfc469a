package record

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"
)

// Turns returns the turns of the named files, of either form, with their results, that began from from on and before to; the zero
// time leaves either open. A turn that is in several files, or in one that is named twice or beside the log that it belongs to, is
// there once, with the most results that are kept of it. broken counts lines that are no records. The error names the file.
func Turns(named []string, from, to time.Time) (all []Record, broken int, err error) {
	type identity struct{ id, target string }
	known := map[identity]int{} // places in all
	for _, file := range apart(named) {
		n, err := EachTurnIn(file, func(r Record) error {
			if at := r.Turn.Start; !from.IsZero() && at.Before(from) || !to.IsZero() && !at.Before(to) {
				return nil
			}
			who := identity{r.ID, r.Target}
			switch i, ok := known[who]; {
			case !ok:
				known[who] = len(all)
				all = append(all, r)
			case len(r.Turn.Results) > len(all[i].Turn.Results): // results may be in the file before that of their turn
				all[i] = r
			}
			return nil
		})
		broken += n
		if err != nil {
			return nil, broken, fmt.Errorf("%s: %w", file, err)
		}
	}
	return all, broken, nil
}

// apart returns what is named without those files that are read with another one of them.
func apart(named []string) (all []string) {
	beside := map[string]bool{}
	for _, file := range named {
		if documents, err := hasDocuments(file); err != nil || documents {
			continue // nothing is read with it
		}
		for i := 1; i < files; i++ {
			beside[filepath.Clean(nth(file, i))] = true
		}
	}
	for _, file := range named {
		if clean := filepath.Clean(file); !beside[clean] && !slices.Contains(all, clean) {
			all = append(all, clean)
		}
	}
	return all
}
