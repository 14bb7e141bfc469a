package answers

import (
	"slices"

	"exo-bench-exporter/workload"
)

const (
	// enough is how often an answer has to come in a row before the node is known to repeat itself, and patience in how
	// many answers it has to have done so.
	enough   = 6
	patience = 18
	// maxVariants bounds the numbers of cached tokens that are told apart.
	maxVariants = 8
)

// prints are the fingerprints of the answers to one prompt that was put in one way. What is taken from a prefix cache was
// computed in another batch than what is not: with other numerics, so that answers are compared with such alone that found
// as much in it.
type prints struct {
	Of       string    `json:"of"`
	Turn     int       `json:"turn"` // when it was compared last
	Variants []variant `json:"variants"`
}

type variant struct {
	Cached int    `json:"cached_tokens"`
	Print  uint64 `json:"fingerprint"` // of the last answer
	Equal  int    `json:"equal"`       // how often it has come in a row
	Seen   int    `json:"seen"`        // answers since the last change
}

func (p *prints) compare(print uint64, cached int) workload.Repeats {
	i := slices.IndexFunc(p.Variants, func(v variant) bool { return v.Cached == cached })
	if i < 0 {
		p.Variants = append(p.Variants, variant{Cached: cached})
		p.Variants = p.Variants[max(0, len(p.Variants)-maxVariants):]
		i = len(p.Variants) - 1
	}
	return p.Variants[i].compare(print)
}

func (v *variant) compare(print uint64) workload.Repeats {
	repeated := v.Equal >= enough
	v.Seen++
	switch {
	case v.Print == print:
		v.Equal++
	case repeated:
		v.Print, v.Equal, v.Seen = print, 1, 1
		return workload.RepeatsChanged
	default:
		v.Print, v.Equal = print, 1
	}
	switch {
	case repeated:
		return workload.RepeatsSame
	case v.Seen >= patience:
		return workload.RepeatsNever
	}
	return workload.RepeatsLearning
}
