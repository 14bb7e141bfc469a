package exporter

import (
	"cmp"
	"slices"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/record"
)

const (
	// maxSlowest bounds the slow results that are shown.
	maxSlowest = 10
	// slowestFor is how long a slow result is shown.
	slowestFor = 24 * time.Hour
	// usualOf is the number of results of a model and prompt by which the next is judged, and
	// usualFrom the least.
	usualOf, usualFrom = 32, 5
	// slowFrom is the ratio to the usual from which a result is worth looking at.
	slowFrom = 1.1
)

// Slow is a result that took longer than its model usually takes for its prompt.
type Slow struct {
	Start  time.Time
	Model  string
	Prompt string
	Took   time.Duration // end to end
	Usual  time.Duration // median of the results before it
	TTFT   *time.Duration
	Output *float64 // decode rate in tokens per second
	Record string   // id; empty where records are not kept
}

// Ratio returns how many times the usual the result took.
func (s Slow) Ratio() float64 { return float64(s.Took) / float64(s.Usual) }

// slowest finds the slowest results of a day: by the ratio to what is usual for the model and
// prompt, for otherwise a long prompt would always be the slowest.
type slowest struct {
	usual map[modelPrompt][]time.Duration // oldest first
	found []Slow                          // slowest first
}

type modelPrompt struct{ model, prompt string }

// add takes a clean result into account.
func (s *slowest) add(r workload.Result, id string) {
	key := modelPrompt{r.Model, r.Prompt}
	before := s.usual[key]
	if s.usual == nil {
		s.usual = make(map[modelPrompt][]time.Duration)
	}
	s.usual[key] = append(before[max(0, len(before)-usualOf+1):], r.E2E)
	s.found = slices.DeleteFunc(s.found, func(f Slow) bool { return r.Start.Sub(f.Start) > slowestFor })
	median, _ := workload.Quantile(before, 0.5)
	if len(before) < usualFrom || float64(r.E2E) < slowFrom*float64(median) {
		return
	}
	f := Slow{Start: r.Start, Model: r.Model, Prompt: r.Prompt, Took: r.E2E, Usual: median, Output: known(r.DecodeRate()), Record: id}
	if r.Timed {
		f.TTFT = &r.TTFT
	}
	s.found = append(s.found, f)
	slices.SortStableFunc(s.found, func(a, b Slow) int { return cmp.Compare(b.Ratio(), a.Ratio()) })
	s.found = s.found[:min(len(s.found), maxSlowest)]
}

// keep forgets models that are not configured, and everything where prompts have changed.
func (s *slowest) keep(models []ModelState, samePrompts bool) {
	gone := func(model string) bool {
		return !samePrompts || !slices.ContainsFunc(models, func(m ModelState) bool { return m.Name == model })
	}
	for key := range s.usual {
		if gone(key.model) {
			delete(s.usual, key)
		}
	}
	s.found = slices.DeleteFunc(s.found, func(f Slow) bool { return gone(f.Model) })
}

// recordID returns the id of the record of r where records are kept.
func (s *Store) recordID(r workload.Result) string {
	if !s.state.Records {
		return ""
	}
	return record.ResultID(r)
}
