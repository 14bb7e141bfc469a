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

// editDistance returns how many bytes have to be put in, taken out, changed, or swapped with the next one to make b of a: the
// optimal string alignment distance, for which two letters in the wrong order are one mistake.
func editDistance(a, b string) int {
	var last2, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last2, last, row = last, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], last2[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
