package workload

import (
	"fmt"
	"math"
	"time"
)

// Bounds of what can be true of one request. They are far beyond any machine and any suite: what
// lies outside is an error of the node or of this program, never a fast model.
const (
	maxTokensPerSecond = 1e6
	maxTemplateTokens  = 1 << 16 // tokens that a chat template may put around a prompt
	maxRequestTime     = 48 * time.Hour
	maxEnergyJoules    = 1e9
	maxMemoryBytes     = 1 << 50
)

// Check returns an error that names the first figure of r that cannot be true of an answer to p:
// one that is negative or not finite, that exceeds what was asked for or what time allows, or that
// contradicts another. The Runner checks every Result, so that no Observer is handed a bad one.
func (r Result) Check(p Prompt) error {
	for _, c := range []struct {
		name  string
		value float64
		most  float64
	}{
		{"connect seconds", r.Connect.Seconds(), maxRequestTime.Seconds()},
		{"time to first token", r.TTFT.Seconds(), r.E2E.Seconds()},
		{"time to first output", r.TTFO.Seconds(), r.E2E.Seconds()},
		{"decode seconds", r.Decode.Seconds(), r.E2E.Seconds()},
		{"decode seconds off", r.DecodeOff.Abs().Seconds(), maxRequestTime.Seconds()},
		{"request seconds", r.E2E.Seconds(), maxRequestTime.Seconds()},
		{"stalled seconds", r.Stalled.Seconds(), maxRequestTime.Seconds()},
		{"token events", float64(r.TokenEvents), math.MaxInt32},
		{"output tokens", float64(r.OutputTokens), asked(p)},
		{"tokens of the first event", float64(r.FirstTokens), float64(r.OutputTokens)},
		{"silent tokens", float64(r.SilentTokens), float64(r.OutputTokens)},
		{"coalesced events", float64(r.Coalesced), float64(r.TokenEvents)},
		{"withheld gaps", float64(r.Withheld), float64(r.OutputTokens)},
		{"prompt tokens", float64(r.PromptTokens), float64(p.MostTokens())},
		{"cached tokens", float64(r.CachedTokens), float64(r.PromptTokens)},
		{"energy", r.EnergyJoules, maxEnergyJoules},
	} {
		if err := within(c.name, c.value, c.most); err != nil {
			return err
		}
	}
	if r.OK() && (r.E2E <= 0 || r.Timed && r.TTFT <= 0) {
		return fmt.Errorf("time to first token of %s, request of %s: no answer comes in no time", r.TTFT, r.E2E)
	}
	for _, g := range r.Gaps {
		if g <= 0 || g > r.Decode {
			return fmt.Errorf("inter-token latency of %s within %s of decoding", g, r.Decode)
		}
	}
	for _, late := range r.StampLateness {
		if err := within("stamp lateness", late.Seconds(), maxRequestTime.Seconds()); err != nil {
			return err
		}
	}
	if rate, ok := r.DecodeRate(); ok {
		if err := within("decode rate", rate, maxTokensPerSecond); err != nil {
			return err
		}
	}
	return r.Server.check(p)
}

// check is Result.Check for the server's own figures.
func (s *ServerStats) check(p Prompt) error {
	if s == nil {
		return nil
	}
	for _, c := range []struct {
		name  string
		value float64
		most  float64
	}{
		{"server's decode rate", s.GenerationTPS, maxTokensPerSecond},
		{"server's prefill rate", s.PromptTPS, maxTokensPerSecond},
		{"server's output tokens", float64(s.GenerationTokens), math.MaxInt32},
		{"server's prompt tokens", float64(s.PromptTokens), float64(p.MostTokens())},
		{"server's peak memory", float64(s.PeakMemoryBytes), maxMemoryBytes},
	} {
		if err := within(c.name, c.value, c.most); err != nil {
			return err
		}
	}
	return nil
}

// within returns an error unless value is a number from 0 to most.
func within(name string, value, most float64) error {
	if !(value >= 0 && value <= most) { // false for NaN too
		return fmt.Errorf("%s of %g is not from 0 to %g", name, value, most)
	}
	return nil
}

// asked returns the most output tokens that an answer to p can have.
func asked(p Prompt) float64 {
	if p.MaxTokens <= 0 {
		return math.MaxInt32
	}
	return float64(p.MaxTokens)
}

// MostTokens returns the most tokens that p can be: no tokenizer makes more than one of a byte.
func (p Prompt) MostTokens() int {
	n := maxTemplateTokens
	for _, m := range p.Messages {
		n += len(m.Content)
	}
	return n
}

// implausible returns what is left of r when one of its figures cannot be true: a failure with
// the identity of the request and none of its figures.
func (r Result) implausible(why error) Result {
	return Result{
		Model: r.Model, ExoModel: r.ExoModel, Answered: r.Answered, Prompt: r.Prompt, Kind: r.Kind, Warmup: r.Warmup,
		Endpoint: r.Endpoint, ResponseID: r.ResponseID, Start: r.Start, AskedTokens: r.AskedTokens, Epoch: r.Epoch,
		Outcome: OutcomeProtocolError, Err: "implausible: " + why.Error(),
	}
}
