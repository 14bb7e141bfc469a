package exo

import (
	"strings"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/answer"
)

// conclude fills in what the evidence gives.
func (r *record) conclude() (answer.Tally, answer.Shape) {
	if r.looks != nil {
		r.evidence.Looks = r.looks()
	}
	evidence, twins := r.evidence.Single()
	t := answer.Take(evidence)
	s := answer.Look(r.t0, evidence, t)
	r.twins, t.Mismatch = twins, t.Mismatch || twins
	res := &r.res
	res.TokenEvents, res.OutputTokens, res.TokenSource = t.Measured, t.Output, t.Source
	res.ExtraEvents = r.evidence.Events() - t.Head - t.Measured
	res.FirstTokens, res.SilentTokens, res.Overran = t.First, t.Silent, t.Overran
	res.TokenMismatch, res.Disbelieved = t.Mismatch, t.Disbelieved
	res.FinishReason = r.evidence.Finish
	res.PromptTokens, res.CachedTokens = r.evidence.PromptTokens()
	r.read(twins)
	stats := r.evidence.Stats
	if stats.Prompt > 0 && res.PromptTokens == 0 {
		stats.Prompt = answer.Unbelievable
	}
	if stats.Generation == 1 || t.Output == 1 { // the first token takes no time of decoding, so that one has no rate
		stats.GenerationTPS = 0
	}
	res.Server = serverStats(stats)
	if t.Measured > 0 {
		res.Timed = true
		res.TTFT, res.Decode, res.E2E = s.First.Sub(r.t0), s.Last.Sub(s.First), s.Last.Sub(r.t0)
		res.Gaps, res.Coalesced, res.Withheld, res.StampLateness = s.Gaps, s.Coalesced, s.Withheld, s.Lateness
		res.DecodeOff, r.late = s.DecodeOff, s.Late
		if !s.FirstContent.IsZero() {
			res.TTFO = s.FirstContent.Sub(r.t0)
		}
	}
	return t, s
}

// read fills in what the text gives. Of one that came twice it is nothing.
func (r *record) read(twins bool) {
	if r.reading == nil || twins {
		return
	}
	r.res.Signs = r.reading.Signs()
	r.res.Fingerprint = r.reading.Fingerprint()
	r.res.Verdict = r.reading.Verdict(r.evidence.Finish)
}

// serverStats are the node's own figures for a Result; nil where it has none that can be true.
func serverStats(s answer.Stats) *workload.ServerStats {
	out := workload.ServerStats{
		PromptTPS: max(0, float64(s.PromptTPS)), GenerationTPS: max(0, float64(s.GenerationTPS)),
		PromptTokens: max(0, int(s.Prompt)), GenerationTokens: max(0, int(s.Generation)),
		PeakMemoryBytes: uint64(max(0, s.PeakMemory)), PrefixCacheHit: s.CacheHit,
	}
	if out == (workload.ServerStats{}) {
		return nil
	}
	return &out
}

// engine takes over what the answer says that it was made by.
func (r *record) engine(name string) {
	if name, version, ok := strings.Cut(name, " "); ok {
		r.res.Epoch.Engine, r.res.Epoch.Version = name, version
	}
}

// bytesPerToken is the most that tokens hold on the mean in any text of words.
const bytesPerToken = 8

// warm reports whether the prompt was found in a prefix cache. What chat templates put before every
// prompt may be in one, however long it is; what follows the nonce cannot be, so that at least as
// many tokens as our own text has must have been computed.
func (r *record) warm() bool {
	if r.text == 0 {
		return false
	}
	computed := r.res.PromptTokens - r.res.CachedTokens
	return r.evidence.Stats.CacheHit == "exact" || r.res.CachedTokens > 0 && computed < max(r.text/bytesPerToken, leastComputed)
}

// leastComputed are tokens that every chat template puts after the prompt, and its last one, which
// no engine takes from a cache.
const leastComputed = 4
