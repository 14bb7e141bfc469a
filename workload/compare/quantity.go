package compare

import (
	"math"
	"slices"
	"time"

	"exo-bench-exporter/workload"
)

// Quantity is what is compared.
type Quantity struct {
	Name   string // as in the JSON form
	Title  string // for people, with the unit
	Unit   string
	Higher bool // more of it is better
	// of returns what a turn shows, by prompt; under "" what it shows as a whole. What has a key is compared with what has the same
	// key alone. Only clean results count.
	of func(workload.Turn) map[string]float64
}

// Words returns what more and less of the quantity are called.
func (q Quantity) Words() (more, less string) {
	switch {
	case q.Higher:
		return "faster", "slower"
	case q.Unit == "s":
		return "longer", "shorter"
	default:
		return "more", "less"
	}
}

// Quantities returns all of them, in the order in which they are shown.
func Quantities() []Quantity {
	return []Quantity{
		{Name: "decode", Title: "Decode", Unit: "tok/s", Higher: true, of: byPrompt(decodeRate)},
		{Name: "prefill", Title: "Prefill", Unit: "tok/s", Higher: true, of: byPrompt(workload.Result.PrefillRate)},
		{Name: "ttft", Title: "Time to first token", Unit: "s", of: byPrompt(ttft)},
		{Name: "itl_p50", Title: "Inter-token latency, median", Unit: "s", of: byPrompt(medianGap)},
		{Name: "itl_p99", Title: "Inter-token latency, p99", Unit: "s", of: asWhole(farGap)},
		{Name: "e2e", Title: "Whole request", Unit: "s", of: byPrompt(whole)},
		{Name: "footprint", Title: "Footprint", Unit: "B", of: footprint},
		{Name: "memory", Title: "Resident memory, median", Unit: "B", of: asWhole(memory)},
		{Name: "energy", Title: "Energy per token", Unit: "J/token", of: asWhole(workload.Turn.EnergyPerToken)},
	}
}

// PerRequest returns a quantity that clean requests show, for LevelOf and Between.
func PerRequest(name, unit string, value func(workload.Result) (float64, bool)) Quantity {
	return Quantity{Name: name, Unit: unit, of: byPrompt(value)}
}

// PerTurn returns a quantity that turns show as a whole, for LevelOf and Between.
func PerTurn(name, unit string, value func(workload.Turn) (float64, bool)) Quantity {
	return Quantity{Name: name, Unit: unit, of: asWhole(value)}
}

// Named returns the quantity of that name; false where there is none.
func Named(name string) (Quantity, bool) {
	all := Quantities()
	i := slices.IndexFunc(all, func(q Quantity) bool { return q.Name == name })
	if i < 0 {
		return Quantity{}, false
	}
	return all[i], true
}

// byPrompt asks each clean result.
func byPrompt(value func(workload.Result) (float64, bool)) func(workload.Turn) map[string]float64 {
	return func(t workload.Turn) map[string]float64 {
		all := map[string]float64{}
		for _, r := range t.CleanResults() {
			if v, ok := value(r); ok && v > 0 && !math.IsInf(v, 0) {
				all[r.Prompt] = v
			}
		}
		return all
	}
}

// asWhole asks a turn that yielded figures.
func asWhole(value func(workload.Turn) (float64, bool)) func(workload.Turn) map[string]float64 {
	return func(t workload.Turn) map[string]float64 {
		if v, ok := value(t); ok && v > 0 && !math.IsInf(v, 0) {
			return map[string]float64{"": v}
		}
		return nil
	}
}

func decodeRate(r workload.Result) (float64, bool) {
	v, ok := r.DecodeRate()
	return v, ok && !r.RateDisagrees()
}

func ttft(r workload.Result) (float64, bool) { return r.TTFT.Seconds(), r.Timed }

func medianGap(r workload.Result) (float64, bool) {
	gap, ok := workload.Quantile(r.Gaps, 0.5)
	return gap.Seconds(), ok
}

// whole is of answers that are known to have all the tokens that were asked for: shorter ones take less time.
func whole(r workload.Result) (float64, bool) {
	return r.E2E.Seconds(), r.Timed && r.CountedTokens() > 0 && !slices.Contains(r.Marks(), workload.MarkShort)
}

// EnoughForP99 is the number of samples of which one is beyond their 99th percentile: of fewer it would be the maximum.
const EnoughForP99 = 100

func farGap(t workload.Turn) (float64, bool) {
	var all []time.Duration
	for _, r := range t.CleanResults() {
		all = append(all, r.Gaps...)
	}
	gap, ok := workload.Quantile(all, 0.99)
	return gap.Seconds(), ok && len(all) >= EnoughForP99
}

// memory is only known to be of the model where nobody else's was loaded too.
func memory(t workload.Turn) (float64, bool) {
	m := t.Memory
	return float64(m.Median), m.Samples > 0 && !m.Shared
}

// footprint is by its kind: what systems call so differs.
func footprint(t workload.Turn) map[string]float64 {
	m := t.Memory
	if m.Samples == 0 || m.Shared || m.Footprint == 0 {
		return nil
	}
	return map[string]float64{string(m.FootprintKind): float64(m.Footprint)}
}
