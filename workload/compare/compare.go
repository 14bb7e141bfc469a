package compare

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"exo-bench-exporter/workload"
)

// Verdict says what may be said of a Change.
type Verdict string

// The verdicts. They are part of the JSON form.
const (
	Higher  Verdict = "higher"  // there is more of the quantity, with 99 % confidence
	Lower   Verdict = "lower"   // there is less of it, with 99 % confidence
	Same    Verdict = "same"    // it has changed by less than the margin, with 95 % confidence
	Unknown Verdict = "unknown" // it cannot be told yet
)

// confidence: a comparison has some forty lines, of which with 95 % two would say that something had changed when
// nothing did.
const (
	shown   = 0.05 // one minus the confidence of the interval that is shown
	decided = 0.01 // and of what is said to have changed
)

// Margin is the relative difference up to which a model is as fast as before, unless somebody says otherwise.
const Margin = 0.02

// enough is the number of turns a side from which an interval of that confidence can be had at all.
const enough = 5

// Change is by how much a quantity of a model differs between two sides.
type Change struct {
	Model         string
	Quantity      Quantity
	Before, After float64 // geometric mean over the prompts that both sides have, of the median over turns each
	Turns         [2]int  // before and after
	Prompts       int     // that both sides have
	// Ratio is the relative change with its 95 % interval; Known says whether there is one.
	Ratio   Interval
	Known   bool
	Verdict Verdict
	More    int // turns more on each side after which it can be told, about; 0 unless Verdict is Unknown
	// Apart are prompts that have changed otherwise than the model as a whole.
	Apart []PromptChange
}

// PromptChange is the change of one prompt.
type PromptChange struct {
	Prompt string
	Ratio  Interval
}

// Worse reports whether the change is found, for the worse, and by more than a ratio of most.
func (c Change) Worse(most float64) bool {
	switch c.Verdict {
	case Higher:
		return !c.Quantity.Higher && c.Ratio.Centre > most
	case Lower:
		return c.Quantity.Higher && -c.Ratio.Centre > most
	}
	return false
}

// Comparison is what there is to say of two sides.
type Comparison struct {
	Before, After Side
	Changes       []Change // by quantity, then by model
	Notes         []string // what a reader has to know before
}

// Sides compares two sides. Changes of at most margin, a ratio, are called none. It is an error, for people, when
// they cannot be compared at all.
func Sides(before, after Side, margin float64) (Comparison, error) {
	if err := refuse(before, after); err != nil {
		return Comparison{}, err
	}
	c := Comparison{Before: before, After: after, Notes: notes(before, after)}
	for _, q := range Quantities() {
		for _, m := range before.Models {
			if after.Turns[m] == nil {
				continue
			}
			change, ok := of(q, q.series(before.Turns[m]), q.series(after.Turns[m]), margin)
			if ok {
				change.Model = m
				c.Changes = append(c.Changes, change)
			}
		}
	}
	return c, nil
}

// refuse says why two sides are nothing to compare; nil where they are.
func refuse(a, b Side) error {
	switch {
	case a.Source.Simulated != b.Source.Simulated:
		return fmt.Errorf("one of them is of the simulator and the other one is not (%s, %s): there is nothing to compare", a.Name, b.Name)
	case a.Source.Suite.SHA256 != b.Source.Suite.SHA256:
		return fmt.Errorf("they have different prompts (%s: suite %s %.12s, %s: %s %.12s): measure both with one suite",
			a.Name, a.Source.Suite.Version, a.Source.Suite.SHA256, b.Name, b.Source.Suite.Version, b.Source.Suite.SHA256)
	case !slices.ContainsFunc(a.Models, func(m string) bool { return b.Turns[m] != nil }):
		return fmt.Errorf("no model is in both (%s: %s; %s: %s)",
			a.Name, strings.Join(a.Models, ", "), b.Name, strings.Join(b.Models, ", "))
	}
	return nil
}

// notes names what else than the speed may differ between two sides.
func notes(a, b Side) (all []string) {
	for _, s := range []Side{a, b} {
		if s.Left > 0 {
			all = append(all, fmt.Sprintf("%s: %s left out: another method, node or model than the newest ones", s.Name, Several(s.Left, "turn")))
		}
	}
	if a.Source.Target != b.Source.Target {
		all = append(all, fmt.Sprintf("the nodes differ: %s and %s", a.Source.Target, b.Source.Target))
	}
	if a.Source.Version != b.Source.Version {
		all = append(all, fmt.Sprintf("the exporters differ: %s and %s", a.Source.Version, b.Source.Version))
	}
	differs := map[string][]string{} // by what differs, the models
	var order []string
	add := func(what, model string) {
		if differs[what] == nil {
			order = append(order, what)
		}
		differs[what] = append(differs[what], model)
	}
	for _, m := range a.Models {
		if b.Turns[m] == nil {
			add("only before", m)
			continue
		}
		if parts := b.epoch(m).Changed(a.epoch(m)); len(parts) > 0 {
			add("measured by another method ("+strings.Join(parts, ", ")+" differ)", m)
		}
		if a.exoModel(m) != b.exoModel(m) {
			add(fmt.Sprintf("another model was asked for (%s and %s)", a.exoModel(m), b.exoModel(m)), m)
		}
		if one, other := a.footprint(m), b.footprint(m); one != "" && other != "" && one != other {
			add(fmt.Sprintf("footprints of different kinds (%s and %s) are not compared", one, other), m)
		}
	}
	for _, m := range b.Models {
		if a.Turns[m] == nil {
			add("only after", m)
		}
	}
	for _, what := range order {
		all = append(all, strings.Join(differs[what], ", ")+": "+what)
	}
	return all
}

// series are the logarithms of what turns show, one after the other.
func (q Quantity) series(turns []workload.Turn) (s []map[string]float64) {
	for _, t := range turns {
		logs := map[string]float64{}
		for prompt, v := range q.of(t) {
			logs[prompt] = math.Log(v)
		}
		if len(logs) > 0 {
			s = append(s, logs)
		}
	}
	return s
}

// of compares two series; ok is false where they have no prompt in common.
func of(q Quantity, a, b []map[string]float64, margin float64) (c Change, ok bool) {
	before, after := centres(a), centres(b)
	common := map[string]float64{} // between the centres of both sides
	for p := range before {
		if _, ok := after[p]; ok {
			common[p] = (before[p] + after[p]) / 2
		}
	}
	if len(common) == 0 {
		return Change{}, false
	}
	x, y := levels(a, common), levels(b, common)
	c = Change{Quantity: q, Turns: [2]int{len(x), len(y)}, Prompts: len(common)}
	c.Before, c.After = mean(before, common), mean(after, common)
	c.judge(x, y, margin)
	if c.Known && len(common) > 1 {
		c.Apart = apart(a, b, common, c.Ratio, margin)
	}
	return c, true
}

// centres returns the median over turns of each prompt.
func centres(s []map[string]float64) map[string]float64 {
	values := map[string][]float64{}
	for _, turn := range s {
		for p, v := range turn {
			values[p] = append(values[p], v)
		}
	}
	all := map[string]float64{}
	for p, v := range values {
		all[p] = median(v)
	}
	return all
}

// mean returns the geometric mean of what logs are of, over the prompts of common.
func mean(logs, common map[string]float64) float64 {
	sum := 0.0
	for _, p := range slices.Sorted(maps.Keys(common)) {
		sum += logs[p]
	}
	return math.Exp(sum / float64(len(common)))
}

// levels returns for each turn that shows half of the common prompts or more how far it is from their centres: so
// prompts are paired, and one that failed in a turn does not move it.
func levels(s []map[string]float64, common map[string]float64) (all []float64) {
	for _, turn := range s {
		var off []float64
		for p, centre := range common {
			if v, ok := turn[p]; ok {
				off = append(off, v-centre)
			}
		}
		if len(off) > 0 && 2*len(off) >= len(common) {
			all = append(all, middle(off))
		}
	}
	return all
}

// judge sets what levels x and y, of logarithms, say.
func (c *Change) judge(x, y []float64, margin float64) {
	c.Verdict = Unknown
	rho := carry(x, y)
	wider := inflation(rho, float64(min(len(x), len(y))))
	i, known := shift(x, y, shown)
	c.Known, c.Ratio = known, ratios(i)
	if known {
		i = i.widened(wider)
		c.Ratio = ratios(i)
	}
	switch sure, ok := shift(x, y, decided); {
	case ok && sure.widened(wider).excludes(0) && i.Centre > 0:
		c.Verdict = Higher
	case ok && sure.widened(wider).excludes(0):
		c.Verdict = Lower
	case known && c.Ratio.within(margin):
		c.Verdict = Same
	default:
		c.More = more(x, y, i, known, margin)
	}
}

// more returns how many turns more a side would have to have, about, until the change is either beyond
// doubt or within the margin: arms shrink with the root of the number of turns.
func more(x, y []float64, i Interval, known bool, margin float64) int {
	n := min(len(x), len(y))
	if !known || n < enough {
		return max(1, enough-n)
	}
	// Beyond the margin the change itself has to be told from none, with the greater confidence.
	arm, room := i.half(), margin-min(margin, math.Abs(i.Centre))
	if greater := math.Abs(i.Centre) * normalQuantile(1-shown/2) / normalQuantile(1-decided/2); greater > room {
		room = greater
	}
	room = max(room, margin/4)
	return max(1, int(math.Ceil(float64(n)*(arm/room)*(arm/room)))-n)
}

// ratios turns differences of logarithms into relative changes.
func ratios(i Interval) Interval {
	return Interval{math.Expm1(i.Centre), math.Expm1(i.Low), math.Expm1(i.High)}
}

// apart returns the prompts whose own change is beyond doubt another one than that of the whole, most different
// first.
func apart(a, b []map[string]float64, common map[string]float64, whole Interval, margin float64) (all []PromptChange) {
	for _, p := range slices.Sorted(maps.Keys(common)) {
		x, y := valuesOf(a, p), valuesOf(b, p)
		i, ok := shift(x, y, decided/float64(len(common)))
		if !ok {
			continue
		}
		i = ratios(i.widened(inflation(carry(x, y), float64(min(len(x), len(y))))))
		if i.Low > whole.High+margin || i.High < whole.Low-margin {
			all = append(all, PromptChange{p, i})
		}
	}
	slices.SortStableFunc(all, func(l, r PromptChange) int {
		far := func(c PromptChange) float64 { return -math.Abs(c.Ratio.Centre - whole.Centre) }
		switch d := far(l) - far(r); {
		case d < 0:
			return -1
		case d > 0:
			return 1
		}
		return 0
	})
	return all
}

func valuesOf(s []map[string]float64, prompt string) (all []float64) {
	for _, turn := range s {
		if v, ok := turn[prompt]; ok {
			all = append(all, v)
		}
	}
	return all
}
