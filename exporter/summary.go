package exporter

import (
	"time"

	"exo-bench-exporter/workload"
)

// Summary is a turn in the figures that people compare. Pointers are nil where nothing is known.
type Summary struct {
	Model    string
	ExoModel string
	Start    time.Time
	Duration time.Duration
	Outcome  workload.TurnOutcome
	Reason   string // why Outcome is not ok; empty when it is
	Fix      string // the command that mends it; empty where there is none
	Requests int
	OK       int      // of those, successful
	Notes    []string // what to know about the requests beside the figures, a line each

	TTFT         *time.Duration // median over the prompts
	Output       *float64       // decode rate in tokens per second, as the client saw it
	ServerOutput *float64       // the same, as exo reports it
	Prefill      *float64       // uncached prompt tokens per second of TTFT, as the client saw them
	ITLp50       *time.Duration // median gap between tokens
	ITLp99       *time.Duration // 99th percentile of the gaps, from minP99Gaps on
	RSSMedian    *uint64        // bytes
	RSSPeak      *uint64        // bytes
	Footprint    *uint64        // bytes; see workload.Memory
	FootprintMax *uint64        // bytes; highest over the turn
	GPU          *uint64        // bytes that exo's processes hold of NVIDIA's GPUs
	PerToken     *float64       // energy in joules per output token
	Right        *float64       // share of the canary's questions that were answered rightly
	MBU          *float64       // share of the memory's peak bandwidth that decoding used
}

// minP99Gaps is the least number of gaps that a 99th percentile is taken from: below it the
// percentile would be the maximum.
const minP99Gaps = 100

// Summarize returns the summary of t. As in the metrics, only clean results count for figures.
func Summarize(t workload.Turn) Summary {
	s := Summary{
		Model: t.Model, ExoModel: t.ExoModel, Start: t.Start, Duration: t.Duration,
		Outcome: t.Outcome, Reason: t.Reason, Fix: t.Fix, Requests: len(t.Results), OK: len(t.OKResults()), Notes: notes(t),
	}
	s.TTFT = known(t.MedianTTFT())
	s.Output = known(t.DecodeRate())
	s.ServerOutput = known(serverDecodeRate(t))
	s.Prefill = known(prefillRate(t))
	var gaps []time.Duration
	for _, r := range t.CleanResults() {
		gaps = append(gaps, r.Gaps...)
	}
	s.ITLp50 = known(workload.Quantile(gaps, 0.5))
	if len(gaps) >= minP99Gaps {
		s.ITLp99 = known(workload.Quantile(gaps, 0.99))
	}
	s.RSSMedian = known(t.Memory.Median, t.Memory.Samples > 0)
	s.RSSPeak = known(t.Memory.Peak, t.Memory.Samples > 0)
	s.Footprint = known(t.Memory.Footprint, t.Memory.Footprint > 0)
	s.FootprintMax = known(t.Memory.FootprintPeak, t.Memory.FootprintPeak > 0)
	s.GPU = known(t.Memory.GPU, t.Memory.GPU > 0)
	s.PerToken = known(t.EnergyPerToken())
	s.Right = known(t.Correct())
	s.MBU = known(t.BandwidthUtilization())
	return s
}

// serverDecodeRate returns the decode rate over the turn by exo's own figures, weighted by
// tokens as Turn.DecodeRate weights the client's.
func serverDecodeRate(t workload.Turn) (float64, bool) {
	var tokens, seconds float64
	for _, r := range t.CleanResults() {
		rate, ok := r.ServerDecodeRate()
		if !ok || r.Server.GenerationTokens < 2 {
			continue
		}
		n := float64(r.Server.GenerationTokens - 1)
		tokens += n
		seconds += n / rate
	}
	if tokens == 0 {
		return 0, false
	}
	return tokens / seconds, true
}

// prefillRate returns the prefill rate over the turn, weighted by tokens.
func prefillRate(t workload.Turn) (float64, bool) {
	var tokens int
	var ttft time.Duration
	for _, r := range t.CleanResults() {
		if _, ok := r.PrefillRate(); ok {
			tokens += r.PrefillTokens()
			ttft += r.TTFT
		}
	}
	if ttft == 0 {
		return 0, false
	}
	return float64(tokens) / ttft.Seconds(), true
}

// known returns a pointer to v, or nil when it is not known.
func known[T any](v T, ok bool) *T {
	if !ok {
		return nil
	}
	return &v
}
