package report

import (
	"slices"
	"strings"

	"exo-bench-exporter/workload"
)

// Model is what there is to say of one model.
type Model struct {
	Name string
	// ExoModel is the id that it was asked for by in the turns that figures are of, where that is one of the public collection that
	// exo takes its models from; others may name people or places.
	ExoModel string
	Facts    workload.ModelFacts
	Turns    []Count // by outcome
	Requests []Count // by outcome
	Asked    int     // requests, but for those that the exporter's own end cut off
	OK       int     // of those, successful
	Clean    int     // of those, undisturbed and of the newest method: what figures are made of
	Marks    []Count // of successful requests

	Decode, ServerDecode, Prefill                        Figure
	TTFT50, TTFT99, Gap50, Gap99, Whole                  Figure
	Footprint, FootprintPeak, GPU                        Figure
	Memory, Peak, Proportional, Reported, Weights        Figure // Memory is resident
	Unreleased, Load, Energy, Idle, BandwidthUtilization Figure
	TTFT, Gaps                                           Distribution

	Answers   Answers
	Meanwhile Meanwhile
}

// Count is how often something happened.
type Count struct {
	Name  string // as in the metrics
	Words string // what that means
	N     int
}

// Failed returns the number of requests that failed.
func (m Model) Failed() int { return m.Asked - m.OK }

// publicCollection begins the ids of the collection of models that exo serves.
const publicCollection = "mlx-community/"

// models fills in the rows, the models of the standard workload first.
func (a *analysis) models() {
	var names []string
	for _, m := range workload.DefaultModels() {
		names = append(names, m.Name)
	}
	met := map[string]bool{}
	for _, r := range a.records {
		if !met[r.Turn.Model] && !slices.Contains(names, r.Turn.Model) {
			names = append(names, r.Turn.Model)
		}
		met[r.Turn.Model] = true
	}
	for _, name := range names {
		if met[name] {
			a.rows = append(a.rows, a.model(name))
		}
	}
}

func (a *analysis) model(name string) Model {
	m := Model{Name: name, Facts: workload.Model{Name: name}.Facts()}
	turns, requests, marks := map[string]int{}, map[string]int{}, map[string]int{}
	for _, r := range a.records {
		if r.Turn.Model != name {
			continue
		}
		turns[string(r.Turn.Outcome)]++
		for _, result := range r.Turn.Results {
			requests[string(result.Outcome)]++
			if result.Outcome != workload.OutcomeCanceled {
				m.Asked++
			}
			if !result.OK() {
				continue
			}
			m.OK++
			for _, mark := range result.Marks() {
				marks[string(mark)]++
			}
		}
	}
	m.Turns, m.Requests, m.Marks = counts(turnOutcomes, turns), counts(outcomes, requests), counts(resultMarks, marks)
	if measured := a.side.Turns[name]; len(measured) > 0 && strings.HasPrefix(measured[0].ExoModel, publicCollection) {
		m.ExoModel = measured[0].ExoModel
	}
	a.figures(&m, a.side.Turns[name])
	m.Answers, m.Meanwhile = a.answers(name), a.meanwhile(name)
	return m
}

// Reasons why a figure is absent.
const (
	noRequest = "no request succeeded undisturbed"
	noTimes   = "nobody saw the tokens come"
	noServer  = "the node tells none"
	noMemory  = "exo's processes were not seen, or held other models too"
	noLoad    = "nothing was loaded in a turn"
	noPower   = "the node shows no power, or requests were too short for two readings"
	noChip    = "the chip's bandwidth or the size of the weights is not known, or they do not fit together"
)

func (a *analysis) figures(m *Model, turns []workload.Turn) {
	for _, t := range turns {
		for _, r := range t.CleanResults() {
			m.Clean++
			if !r.Timed {
				continue
			}
			m.TTFT.add(r.TTFT)
			for _, gap := range r.Gaps {
				m.Gaps.add(gap)
			}
		}
	}
	if binned, ok := a.options.Gaps[m.Name]; ok && m.Gaps.N == 0 {
		m.Gaps = binned
	}
	times := noTimes
	if m.Clean == 0 {
		times = noRequest
	}
	m.TTFT50, m.TTFT99 = pooled(m.TTFT, 0.5, "requests", times), pooled(m.TTFT, 0.99, "requests", times)
	m.Gap50, m.Gap99 = pooled(m.Gaps, 0.5, "gaps", times), pooled(m.Gaps, 0.99, "gaps", times)
	m.Whole, m.Decode, m.Prefill = level(wholeTime, turns, times), level(decode, turns, times), level(prefill, turns, times)
	for _, f := range []struct {
		of  *Figure
		as  Figure
		why string
	}{
		{&m.ServerDecode, level(serverDecode, turns, ""), noServer},
		{&m.Footprint, level(footprint, turns, ""), noMemory},
		{&m.FootprintPeak, level(footprintTop, turns, ""), noMemory},
		{&m.GPU, level(ofGPU, turns, ""), "no NVIDIA GPU was seen to be used"},
		{&m.Memory, level(memory, turns, ""), noMemory},
		{&m.Peak, level(peak, turns, ""), noMemory},
		{&m.Proportional, level(proportional, turns, ""), "not known on this system"},
		{&m.Reported, level(reported, turns, ""), noServer},
		{&m.Weights, level(weights, turns, ""), noServer},
		{&m.Unreleased, unreleased(turns), "nothing was unloaded in a turn"},
		{&m.Load, level(load, turns, ""), noLoad},
		{&m.Energy, level(energy, turns, ""), noPower},
		{&m.Idle, level(idle, turns, ""), noPower},
		{&m.BandwidthUtilization, level(bandwidth, turns, ""), noChip},
	} {
		*f.of = f.as
		if !f.as.Known {
			f.of.Absent = f.why
			if m.Clean == 0 {
				f.of.Absent = noRequest
			}
		}
	}
}
