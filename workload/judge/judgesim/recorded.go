package judgesim

import (
	_ "embed"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// llamaServer is what was recorded of a real engine; its head says how.
//
//go:embed testdata/llama-server.txt
var llamaServer string

// realExo is what was recorded of a real exo; its head says how.
//
//go:embed testdata/exo.txt
var realExo string

// recorded returns the logarithms of the rates in text, one a line, less their median. Lines that begin with # are
// comments.
func recorded(text string) []float64 {
	var all []float64
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		rate, err := strconv.ParseFloat(line, 64)
		if err != nil {
			panic(err) // the file is part of the program
		}
		all = append(all, math.Log(rate))
	}
	sorted := slices.Sorted(slices.Values(all))
	middle := sorted[len(sorted)/2]
	for i := range all {
		all[i] -= middle
	}
	return all
}

// block is where a model is in a record.
type block struct{ at, left int }

// blockLength is the number of turns that follow each other as they were recorded: longer than what carries
// over, and short beside the record.
const blockLength = 20

// next returns the next value of a record that is made as long as it takes of blocks that begin anywhere in it
// (Künsch's moving blocks).
func (b *block) next(record []float64, r *rand.Rand) float64 {
	if b.left == 0 {
		b.at, b.left = r.IntN(len(record)-blockLength+1), blockLength
	}
	v := record[b.at]
	b.at++
	b.left--
	return v
}
