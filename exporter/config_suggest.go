package exporter

import "strings"

// nearest returns the candidate that name was probably meant to be: the first that name is
// the beginning of, else the first with the smallest edit distance.
func nearest(name string, candidates []string) string {
	var best string
	least := -1
	for _, c := range candidates {
		if strings.HasPrefix(c, name) {
			return c
		}
		if d := editDistance(name, c); least < 0 || d < least {
			best, least = c, d
		}
	}
	return best
}

// editDistance returns the Levenshtein distance between a and b, counted in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
