package workload

import (
	"encoding/json"
	"math"
	"slices"
	"time"
)

// UnmarshalJSON implements json.Unmarshaler: it reads what MarshalJSON writes. Figures that are
// derived from others are not read but derived again.
func (r *Result) UnmarshalJSON(b []byte) error {
	var j resultJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*r = Result{
		Model: j.Model, ExoModel: j.ExoModel, Answered: j.Answered, Prompt: j.Prompt, Kind: j.Kind,
		Endpoint: j.Endpoint, ResponseID: j.ResponseID, Start: j.Start, Outcome: j.Outcome, Err: j.Error,
		Connect: duration(j.Connect), E2E: duration(j.E2E), TokenEvents: j.TokenEvents, ExtraEvents: j.ExtraEvents,
		PromptTokens: j.PromptTokens, CachedTokens: j.CachedTokens, OutputTokens: j.OutputTokens,
		TokenSource: j.TokenSource, TokenMismatch: j.Mismatch, FinishReason: j.FinishReason,
		Server: j.Server, EnergyJoules: j.EnergyJoules, EnergySource: j.EnergySource, Sensors: j.Sensors, Contended: j.Contended,
		AskedTokens: j.Asked, FirstTokens: j.FirstTokens, SilentTokens: j.Silent, Coalesced: j.Coalesced,
		Withheld: j.Withheld, StampLateness: durations(j.Lateness), Disbelieved: j.Disbelieved,
		Stalled: duration(j.Stalled), Starved: slices.Contains(j.Marks, MarkStarved), Overran: slices.Contains(j.Marks, MarkOverran),
		Signs: j.Signs, Repeats: j.Repeats,
	}
	if r.EnergyJoules > 0 && r.EnergySource == "" { // before there were several
		r.EnergySource = EnergyFromAnswer
	}
	if j.Epoch != nil {
		r.Epoch = j.Epoch.Epoch
	}
	if j.TTFT == nil {
		return nil
	}
	r.Timed, r.TTFT, r.TTFO, r.Decode = true, duration(*j.TTFT), optional(j.TTFO), optional(j.Decode)
	r.Gaps, r.DecodeOff = durations(j.Gaps), duration(j.DecodeOff)
	return nil
}

// UnmarshalJSON implements json.Unmarshaler. What MarshalJSON does not write is zero: the cycle's
// number, and of Load whether the turn owned or shared what it loaded.
func (t *Turn) UnmarshalJSON(b []byte) error {
	var j turnJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*t = Turn{
		Model: j.Model, ExoModel: j.ExoModel, Start: j.Start, Duration: duration(j.Duration), Outcome: j.Outcome, Reason: j.Reason, Fix: j.Fix,
		Load:  Load{Loaded: j.Loaded, Duration: duration(j.Load), Download: duration(j.Download)},
		Host:  Host{IdleWatts: j.Idle, WeightsBytes: j.Weights, MemoryBandwidth: j.Bandwidth, Machines: j.Machines},
		Asked: j.Asked, Quality: j.Quality, Results: j.Results,
	}
	if j.Conditions != nil {
		t.Conditions = *j.Conditions
	}
	if m := j.Memory; m != nil {
		t.Memory = Memory{
			Median: m.Median, Peak: m.Peak, PeakSource: m.PeakSource, Samples: m.Samples,
			Proportional: m.Proportional, Footprint: m.Footprint, FootprintPeak: m.FootprintPeak, FootprintKind: m.FootprintKind,
			GPU: m.GPU, Shared: m.Shared, HasBefore: m.Before != nil, HasAfter: m.After != nil,
		}
		if m.Before != nil {
			t.Memory.Before = *m.Before
		}
		if m.After != nil {
			t.Memory.After = *m.After
		}
	}
	return nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *Cycle) UnmarshalJSON(b []byte) error {
	var j cycleJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*c = Cycle{Number: j.Number, Start: j.Start, Duration: duration(j.Duration), Slept: duration(j.Slept), Outcome: j.Outcome, Turns: j.Turns}
	for i := range c.Turns {
		c.Turns[i].Cycle = c.Number
	}
	return nil
}

// duration returns seconds as a Duration, rounded to the nanosecond that MarshalJSON had.
func duration(seconds float64) time.Duration { return time.Duration(math.Round(seconds * 1e9)) }

func durations(seconds []float64) (all []time.Duration) {
	for _, s := range seconds {
		all = append(all, duration(s))
	}
	return all
}

func optional(seconds *float64) time.Duration {
	if seconds == nil {
		return 0
	}
	return duration(*seconds)
}
