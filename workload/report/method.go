package report

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/compare"
)

// Method is how all of it was measured.
type Method struct {
	Suite     string   // its version
	SHA256    string   // of the suite
	BuiltIn   bool     // the suite is the one that the program has built in
	Prompts   int      // that were put
	Exporters []string // versions
	// What follows is of the turns that figures are made of.
	Dialects []string
	Routes   []string
	Engines  []Engine
	Nonce    bool // prompts were opened by digits that no cache has seen; valid when NonceKnown
	// NonceKnown is false of what Prometheus tells, which does not.
	NonceKnown bool
	Machines   []workload.Machine // that held a model, equal ones as often as they held one together
}

// Engine is what runs the models.
type Engine struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"` // empty where the node tells none
}

// String is for people.
func (e Engine) String() string { return e.Name + " " + cmp.Or(e.Version, "(version not told)") }

func (a *analysis) method() Method {
	newest := a.records[len(a.records)-1]
	m := Method{
		NonceKnown: !a.options.Recalled,
		Suite:      newest.Suite.Version, SHA256: newest.Suite.SHA256, BuiltIn: newest.Suite.SHA256 == workload.StandardSuite().SHA256(),
	}
	var prompts []string
	for _, r := range a.records {
		add(&m.Exporters, r.Version)
		for _, result := range r.Turn.Results {
			add(&prompts, result.Prompt)
		}
	}
	m.Prompts = len(prompts)
	turns := a.measured()
	for _, t := range turns {
		for _, result := range t.CleanResults() {
			e := result.Epoch
			add(&m.Dialects, string(e.Dialect))
			add(&m.Routes, string(e.Endpoint))
			if e.Engine != "" {
				add(&m.Engines, Engine{e.Engine, e.Version})
			}
			m.Nonce = m.Nonce || e.Nonce
		}
	}
	m.Machines = machines(turns)
	return m
}

// measured returns the turns that figures are made of, oldest first.
func (a *analysis) measured() (all []workload.Turn) {
	for _, m := range a.side.Models {
		all = append(all, a.side.Turns[m]...)
	}
	slices.SortStableFunc(all, func(a, b workload.Turn) int { return a.Start.Compare(b.Start) })
	return all
}

// machines returns those that held a model. Equal ones cannot be told apart, so that of each kind there are as many as held one
// model at once.
func machines(turns []workload.Turn) (all []workload.Machine) {
	most := map[workload.Machine]int{}
	var order []workload.Machine
	for _, t := range turns {
		n := map[workload.Machine]int{}
		for _, m := range t.Host.Machines {
			add(&order, m)
			n[m]++
			most[m] = max(most[m], n[m])
		}
	}
	for _, m := range order {
		all = append(all, slices.Repeat([]workload.Machine{m}, most[m])...)
	}
	return all
}

// add appends v unless it is there, or says nothing.
func add[T comparable](all *[]T, v T) {
	var nothing T
	if v != nothing && !slices.Contains(*all, v) {
		*all = append(*all, v)
	}
}

// notes says what makes figures uncertain.
func (a *analysis) notes(left int) (all []string) {
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	all = append(all, a.options.Notes...)
	if left > 0 {
		say("%s left out: of another node or suite than the newest one.", compare.Several(left, "turn"))
	}
	if a.side.Left > 0 {
		say("%s drawn in the course of time only: measured by another method than the newest ones of their model.",
			compare.Several(a.side.Left, "turn"))
	}
	fewest := -1
	for _, m := range a.rows {
		if n := len(a.side.Turns[m.Name]); fewest < 0 || n < fewest {
			fewest = n
		}
	}
	if fewest < 6 {
		say("The model with fewest turns has %d of them: an interval of a figure takes 6, that of a difference about 5 on each side.", fewest)
	}
	disturbed, withheld, gaps := 0, 0, 0
	for _, r := range a.records {
		for _, result := range r.Turn.Results {
			if result.OK() && !result.Clean() {
				disturbed++
			}
			withheld, gaps = withheld+result.Withheld, gaps+len(result.Gaps)
		}
	}
	if disturbed > 0 {
		say("%s succeeded but %s disturbed, by other people's work or by the exporter's own want of the processor; no figure is made of them.",
			compare.Several(disturbed, "request"), were(disturbed))
	}
	if withheld > 0 {
		say("%s of %s gaps between tokens are no samples, because the exporter was late to read one of their ends.",
			compare.Thousands(withheld), compare.Thousands(withheld+gaps))
	}
	return all
}

func were(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// reproduce says how to measure and to report the same again.
func (a *analysis) reproduce(r Report) []string {
	turns := 0
	names := make([]string, 0, len(r.Models))
	for _, m := range r.Models {
		names = append(names, m.Name)
		turns = max(turns, len(a.side.Turns[m.Name]))
	}
	measure := fmt.Sprintf("exo-bench-exporter once -repeat %d -o results.jsonl", max(1, turns))
	if r.Simulated {
		measure = fmt.Sprintf("exo-bench-exporter once -demo -repeat %d -o results.jsonl", max(1, turns))
	}
	var defaults []string
	for _, m := range workload.DefaultModels() {
		defaults = append(defaults, m.Name)
	}
	if !slices.Equal(names, defaults) {
		measure = "EXOBENCH_MODELS=" + quote(names) + " " + measure
	}
	if !r.Method.BuiltIn {
		measure = "EXOBENCH_SUITE=suite.yaml " + measure
	}
	return append([]string{measure}, a.options.Again...)
}

// strange is what a shell may take for something else than a part of a word.
var strange = regexp.MustCompile(`[^A-Za-z0-9_.,-]`)

// quote joins names to one word of a shell.
func quote(names []string) string {
	joined := strings.Join(names, ",")
	if strange.MatchString(joined) {
		return "'" + strings.ReplaceAll(joined, "'", `'\''`) + "'"
	}
	return joined
}
