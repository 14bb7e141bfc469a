package exporter

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"exo-bench-exporter/workload"
)

// numbers returns every number that reg exposes, by name, labels and part; grows tells of which
// may only grow.
func numbers(t *testing.T, reg prometheus.Gatherer) (all map[string]float64, grows map[string]bool) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all, grows = make(map[string]float64), make(map[string]bool)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			name := f.GetName() + "{" + strings.Join(labels, ",") + "}"
			switch f.GetType() {
			case dto.MetricType_COUNTER:
				all[name], grows[name] = m.GetCounter().GetValue(), true
			case dto.MetricType_GAUGE:
				all[name] = m.GetGauge().GetValue()
			case dto.MetricType_HISTOGRAM:
				all[name+" sum"], grows[name+" sum"] = m.GetHistogram().GetSampleSum(), true
				all[name+" count"], grows[name+" count"] = float64(m.GetHistogram().GetSampleCount()), true
			}
		}
	}
	return all, grows
}

// figures are the numbers of a result.
type figures struct {
	Flags                                                    uint16
	Gaps                                                     uint8
	TTFT, TTFO, Decode, E2E, Gap                             int64
	Events, Prompt, Cached, Output, First, Silent, Coalesced int32
	Generation, Prefill, Energy                              float64
	Peak                                                     uint64
}

// flag reports whether the i-th of the flags is set.
func (f figures) flag(i int) bool { return f.Flags>>i&1 == 1 }

// plausible returns f with most numbers brought into a range in which they can be true: of what
// comes by chance hardly anything passes the gate.
func (f figures) plausible() figures {
	f.E2E = fold(f.E2E, int64(time.Hour))
	f.TTFT, f.TTFO, f.Decode = fold(f.TTFT, f.E2E), fold(f.TTFO, f.E2E), fold(f.Decode, f.E2E)
	f.Gap = fold(f.Gap, f.Decode)
	f.Output, f.Events, f.Prompt = fold(f.Output, 5), fold(f.Events, 1e6), fold(f.Prompt, 1e4)
	f.First, f.Silent, f.Coalesced = fold(f.First, f.Output), fold(f.Silent, f.Output), fold(f.Coalesced, f.Events)
	f.Cached = fold(f.Cached, f.Prompt)
	f.Generation, f.Prefill = math.Mod(math.Abs(f.Generation), 1e6), math.Mod(math.Abs(f.Prefill), 1e6)
	f.Energy, f.Peak = math.Mod(math.Abs(f.Energy), 1e9), f.Peak%(1<<50)
	return f
}

// fold returns v brought into the range from 0 to most.
func fold[T int32 | int64](v, most T) T {
	if most <= 0 {
		return 0
	}
	return T(uint64(v) % uint64(most+1))
}

// result returns a result with those figures.
func (f figures) result() workload.Result {
	r := okResult("llama-3.2-1b", "long")
	if !f.flag(0) {
		r.Outcome = workload.OutcomeTruncated
	}
	r.Timed, r.Contended, r.Starved, r.TokenMismatch, r.Overran = f.flag(1), f.flag(2), f.flag(3), f.flag(4), f.flag(5)
	r.TTFT, r.TTFO, r.Decode, r.E2E = time.Duration(f.TTFT), time.Duration(f.TTFO), time.Duration(f.Decode), time.Duration(f.E2E)
	r.Gaps = slices.Repeat([]time.Duration{time.Duration(f.Gap)}, int(f.Gaps))
	r.TokenEvents, r.PromptTokens, r.CachedTokens, r.OutputTokens = int(f.Events), int(f.Prompt), int(f.Cached), int(f.Output)
	r.FirstTokens, r.SilentTokens, r.Coalesced, r.EnergyJoules = int(f.First), int(f.Silent), int(f.Coalesced), f.Energy
	r.Server = &workload.ServerStats{
		GenerationTPS: f.Generation, PromptTPS: f.Prefill, GenerationTokens: int(f.Output), PromptTokens: int(f.Prompt), PeakMemoryBytes: f.Peak,
	}
	if f.flag(6) {
		r.Server = nil
	}
	if f.flag(7) {
		r.Epoch.Version = "other"
	}
	return r
}

// Whatever passes the gate leaves every number finite, no counter smaller than it was, and no more
// tokens counted than were asked for; what is not clean counts by how it ended and its marks only.
func FuzzObserver(f *testing.F) {
	for _, seed := range []figures{
		{
			Flags: 1<<15 | 0b11, Gaps: 200, TTFT: 5e9, TTFO: 7e9, Decode: 9e9, E2E: 3e12, Gap: 8e8, Events: 77, Prompt: 9999, Cached: 123,
			Output: 4, First: 2, Silent: 1, Coalesced: 3, Generation: 47.5, Prefill: 800.25, Energy: 12.5, Peak: 123456789012,
		},
		{ // just plausible
			Flags: 0x7fff, Gaps: 1, TTFT: 1, TTFO: 1, Decode: 1, E2E: 2, Gap: 1, Events: math.MaxInt32, Prompt: 1, Cached: 1,
			Output: 5, First: 5, Silent: 5, Coalesced: 2, Generation: math.SmallestNonzeroFloat64, Prefill: 1e6, Energy: 1e9, Peak: 1 << 50,
		},
		{
			Flags: 0b11, Gaps: 255, TTFT: -1, Decode: math.MaxInt64, E2E: math.MaxInt64, Events: -1, Prompt: -1, Output: 6, First: -1,
			Generation: math.NaN(), Prefill: math.Inf(1), Energy: math.Inf(-1), Peak: math.MaxUint64,
		},
	} {
		f.Add(seed.Flags, seed.Gaps, seed.TTFT, seed.TTFO, seed.Decode, seed.E2E, seed.Gap, seed.Events, seed.Prompt, seed.Cached,
			seed.Output, seed.First, seed.Silent, seed.Coalesced, seed.Generation, seed.Prefill, seed.Energy, seed.Peak)
	}
	prompt := testOptions().Suite.Prompts[1]
	f.Fuzz(func(t *testing.T, flags uint16, gaps uint8, ttft, ttfo, decode, e2e, gap int64, events, asked, cached,
		output, begin, silent, coalesced int32, generation, prefill, energy float64, peak uint64,
	) {
		figs := figures{
			flags, gaps, ttft, ttfo, decode, e2e, gap, events, asked, cached,
			output, begin, silent, coalesced, generation, prefill, energy, peak,
		}
		if figs.flag(15) {
			figs = figs.plausible()
		}
		r := figs.result()
		if r.Check(prompt) != nil {
			return // the runner makes a failure without figures of it
		}
		m, reg := newTestMetrics(t, testOptions())
		o := NewObserver(m)
		goodTurn(o, r.Model)
		before, _ := numbers(t, reg)
		o.RequestDone(r)
		after, grows := numbers(t, reg)
		for name, v := range after {
			grown := v - before[name]
			switch {
			case math.IsNaN(v) || math.IsInf(v, 0):
				t.Errorf("%s is %v after %+v", name, v, r)
			case !grows[name] || grown == 0:
			case grown < 0:
				t.Errorf("%s fell by %v after %+v", name, -grown, r)
			case strings.Contains(name, "put_tokens_total") && grown > float64(prompt.MaxTokens):
				t.Errorf("%s grew by %v, asked for were %d tokens", name, grown, prompt.MaxTokens)
			case !r.Clean() && !strings.HasPrefix(name, "exobench_requests_total") && !strings.Contains(name, "d_requests_total"):
				t.Errorf("%s grew by %v after a result that is not clean: %+v", name, grown, r)
			}
		}
		o.TurnDone(turnOf(r.Model, workload.TurnPartial, okResult(r.Model, "short"), r))
		for name, v := range first(numbers(t, reg)) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%s is %v after the turn of %+v", name, v, r)
			}
		}
	})
}

func first[A, B any](a A, _ B) A { return a }
