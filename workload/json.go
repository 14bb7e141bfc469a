package workload

import (
	"encoding/json"
	"time"
)

// The JSON forms give durations in seconds and add the derived figures, so that a reader
// needs no formula. A figure that is not known is left out.

type resultJSON struct {
	Model        string       `json:"model"`
	ExoModel     string       `json:"exo_model"`
	Answered     string       `json:"answered_model,omitempty"`
	Prompt       string       `json:"prompt"`
	Kind         string       `json:"kind"`
	Endpoint     Endpoint     `json:"endpoint,omitempty"`
	ResponseID   string       `json:"response_id,omitempty"`
	Start        time.Time    `json:"start"`
	Outcome      Outcome      `json:"outcome"`
	Error        string       `json:"error,omitempty"`
	Connect      float64      `json:"connect_seconds"`
	TTFT         *float64     `json:"time_to_first_token_seconds,omitempty"`
	TTFO         *float64     `json:"time_to_first_output_seconds,omitempty"`
	Decode       *float64     `json:"decode_seconds,omitempty"`
	E2E          float64      `json:"request_duration_seconds"`
	TPOT         *float64     `json:"time_per_output_token_seconds,omitempty"`
	DecodeTPS    *float64     `json:"output_tokens_per_second,omitempty"`
	PrefillTPS   *float64     `json:"prefill_tokens_per_second,omitempty"`
	Gaps         []float64    `json:"inter_token_latencies_seconds,omitempty"`
	TokenEvents  int          `json:"token_events"`
	ExtraEvents  int          `json:"extra_events,omitempty"`
	PromptTokens int          `json:"prompt_tokens"`
	CachedTokens int          `json:"cached_tokens"`
	OutputTokens int          `json:"output_tokens"`
	TokenSource  TokenSource  `json:"token_source,omitempty"`
	Mismatch     bool         `json:"token_count_mismatch"`
	FinishReason string       `json:"finish_reason,omitempty"`
	Server       *ServerStats `json:"server,omitempty"`
	EnergyJoules float64      `json:"energy_joules,omitempty"`
	EnergySource EnergySource `json:"energy_source,omitempty"`
	Sensors      *Sensors     `json:"sensors,omitempty"`
	Contended    bool         `json:"contended,omitempty"`
	Asked        int          `json:"asked_tokens,omitempty"`
	FirstTokens  int          `json:"first_event_tokens,omitempty"`
	Silent       int          `json:"silent_tokens,omitempty"`
	PerEvent     *float64     `json:"tokens_per_event,omitempty"`
	Coalesced    int          `json:"coalesced_events,omitempty"`
	Stalled      float64      `json:"stalled_seconds,omitempty"`
	DecodeOff    float64      `json:"decode_off_seconds,omitempty"`
	Withheld     int          `json:"withheld_gaps,omitempty"`
	Lateness     []float64    `json:"stamp_lateness_seconds,omitempty"`
	Disbelieved  []string     `json:"disbelieved,omitempty"`
	Marks        []Mark       `json:"marks,omitempty"`
	Epoch        *epochJSON   `json:"epoch,omitempty"`
	Signs        *Signs       `json:"text,omitempty"`
	Repeats      Repeats      `json:"repeats,omitempty"`
}

// epochJSON names an epoch beside what it is made of.
type epochJSON struct {
	ID string `json:"id"`
	Epoch
}

// MarshalJSON implements json.Marshaler.
func (r Result) MarshalJSON() ([]byte, error) {
	j := resultJSON{
		Model: r.Model, ExoModel: r.ExoModel, Answered: r.Answered, Prompt: r.Prompt, Kind: r.Kind,
		Endpoint: r.Endpoint, ResponseID: r.ResponseID, Start: r.Start, Outcome: r.Outcome, Error: r.Err,
		Connect: r.Connect.Seconds(), E2E: r.E2E.Seconds(), TokenEvents: r.TokenEvents, ExtraEvents: r.ExtraEvents,
		PromptTokens: r.PromptTokens, CachedTokens: r.CachedTokens, OutputTokens: r.OutputTokens,
		TokenSource: r.TokenSource, Mismatch: r.TokenMismatch, FinishReason: r.FinishReason,
		Server: r.Server, EnergyJoules: r.EnergyJoules, EnergySource: r.EnergySource, Sensors: r.Sensors, Contended: r.Contended,
		Asked: r.AskedTokens, FirstTokens: r.FirstTokens, Silent: r.SilentTokens, Coalesced: r.Coalesced, Withheld: r.Withheld,
		Stalled: r.Stalled.Seconds(), Lateness: inSeconds(r.StampLateness), Disbelieved: r.Disbelieved, Marks: r.Marks(),
		Signs: r.Signs, Repeats: r.Repeats,
	}
	if r.Epoch != (Epoch{}) {
		j.Epoch = &epochJSON{r.Epoch.ID(), r.Epoch}
	}
	if v, ok := r.TokensPerEvent(); ok {
		j.PerEvent = &v
	}
	if r.Timed {
		j.TTFT, j.Decode, j.DecodeOff = seconds(r.TTFT), seconds(r.Decode), r.DecodeOff.Seconds()
		if r.TTFO > 0 {
			j.TTFO = seconds(r.TTFO)
		}
		j.Gaps = inSeconds(r.Gaps)
	}
	if v, ok := r.TPOT(); ok {
		j.TPOT = seconds(v)
	}
	if v, ok := r.DecodeRate(); ok {
		j.DecodeTPS = &v
	}
	if v, ok := r.PrefillRate(); ok {
		j.PrefillTPS = &v
	}
	return json.Marshal(j)
}

func inSeconds(all []time.Duration) (s []float64) {
	for _, d := range all {
		s = append(s, d.Seconds())
	}
	return s
}

func seconds(d time.Duration) *float64 {
	s := d.Seconds()
	return &s
}

type memoryJSON struct {
	Median       uint64  `json:"median_bytes"`
	Peak         uint64  `json:"peak_bytes"`
	PeakSource   string  `json:"peak_source"`
	Samples      int     `json:"samples"`
	Before       *uint64 `json:"before_bytes,omitempty"`
	After        *uint64 `json:"after_bytes,omitempty"`
	Proportional uint64  `json:"proportional_bytes,omitempty"`
	Shared       bool    `json:"shared,omitempty"`

	Footprint     uint64        `json:"footprint_bytes,omitempty"`
	FootprintPeak uint64        `json:"footprint_peak_bytes,omitempty"`
	FootprintKind FootprintKind `json:"footprint_kind,omitempty"`
	GPU           uint64        `json:"gpu_bytes,omitempty"`
}

type turnJSON struct {
	Model      string      `json:"model"`
	ExoModel   string      `json:"exo_model,omitempty"`
	Start      time.Time   `json:"start"`
	Duration   float64     `json:"duration_seconds"`
	Outcome    TurnOutcome `json:"outcome"`
	Reason     string      `json:"reason,omitempty"`
	Fix        string      `json:"fix,omitempty"`
	Loaded     bool        `json:"loaded"`
	Load       float64     `json:"load_seconds"`
	Download   float64     `json:"download_seconds"`
	TTFT       *float64    `json:"median_time_to_first_token_seconds,omitempty"`
	DecodeTPS  *float64    `json:"output_tokens_per_second,omitempty"`
	Reported   *uint64     `json:"reported_peak_memory_bytes,omitempty"`
	Memory     *memoryJSON `json:"resident_memory,omitempty"`
	Idle       float64     `json:"idle_power_watts,omitempty"`
	PerToken   *float64    `json:"energy_per_token_joules,omitempty"`
	Weights    uint64      `json:"weights_bytes,omitempty"`
	Bandwidth  float64     `json:"memory_bandwidth_bytes_per_second,omitempty"`
	Used       *float64    `json:"memory_bandwidth_utilization_ratio,omitempty"`
	Machines   []Machine   `json:"machines,omitempty"`
	Conditions *Conditions `json:"conditions,omitempty"`
	Sensors    *Sensors    `json:"sensors,omitempty"`
	Asked      *Asked      `json:"canary,omitempty"`
	Quality    []Quality   `json:"answers,omitempty"`
	Results    []Result    `json:"results,omitzero"`
}

// MarshalJSON implements json.Marshaler.
func (t Turn) MarshalJSON() ([]byte, error) {
	j := turnJSON{
		Model: t.Model, ExoModel: t.ExoModel, Start: t.Start, Duration: t.Duration.Seconds(), Outcome: t.Outcome,
		Reason: t.Reason, Fix: t.Fix, Loaded: t.Load.Loaded, Load: t.Load.Duration.Seconds(), Download: t.Load.Download.Seconds(),
		Idle: t.Host.IdleWatts, Weights: t.Host.WeightsBytes, Bandwidth: t.Host.MemoryBandwidth, Machines: t.Host.Machines,
		Asked: t.Asked, Quality: t.Quality, Results: t.Results,
	}
	if t.Conditions.Seconds > 0 {
		j.Conditions = &t.Conditions
	}
	if s := t.Sensors(); s.Readings > 0 {
		j.Sensors = &s
	}
	if v, ok := t.EnergyPerToken(); ok {
		j.PerToken = &v
	}
	if v, ok := t.BandwidthUtilization(); ok {
		j.Used = &v
	}
	if v, ok := t.MedianTTFT(); ok {
		j.TTFT = seconds(v)
	}
	if v, ok := t.DecodeRate(); ok {
		j.DecodeTPS = &v
	}
	if v, ok := t.PeakReported(); ok {
		j.Reported = &v
	}
	if m := t.Memory; m.Samples > 0 {
		j.Memory = &memoryJSON{
			Median: m.Median, Peak: m.Peak, PeakSource: m.PeakSource, Samples: m.Samples,
			Proportional: m.Proportional, Shared: m.Shared,
			Footprint: m.Footprint, FootprintPeak: m.FootprintPeak, FootprintKind: m.FootprintKind,
			GPU: m.GPU,
		}
		if m.HasBefore {
			j.Memory.Before = &m.Before
		}
		if m.HasAfter {
			j.Memory.After = &m.After
		}
	}
	return json.Marshal(j)
}

type cycleJSON struct {
	Number   int         `json:"number"`
	Start    time.Time   `json:"start"`
	Duration float64     `json:"duration_seconds"`
	Slept    float64     `json:"slept_seconds,omitempty"`
	Outcome  TurnOutcome `json:"outcome"`
	Turns    []Turn      `json:"turns"`
}

// MarshalJSON implements json.Marshaler.
func (c Cycle) MarshalJSON() ([]byte, error) {
	return json.Marshal(cycleJSON{c.Number, c.Start, c.Duration.Seconds(), c.Slept.Seconds(), c.Outcome, c.Turns})
}
