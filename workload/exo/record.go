package exo

import (
	"fmt"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/answer"
)

// record collects what happens to one request and becomes its Result.
type record struct {
	dialect   dialect
	asked     string
	maxTokens int
	cold      bool // the prompt must not be found in a prefix cache

	res   workload.Result // identity, filled in at the start
	t0    time.Time
	begun bool      // something of the answer came
	whole bool      // the answer came as one document
	taken time.Time // when exo said that it had taken the request up; zero where it does not say
	first time.Time // first and last token event
	last  time.Time

	usage  answer.Usage
	stats  *workload.ServerStats
	finish string
	bound  bool // the node went on past max_tokens
}

// heldBound is from when on the time that exo takes to take a request up is not the model's any
// more. It is milliseconds, but while a master is elected (three seconds and more) exo holds
// requests back.
const heldBound = time.Second

// held returns how long exo held the request back before it took it up; false when it did not,
// or does not tell. What comes together with the first token tells nothing: something on the
// way collects what exo sends.
func (r *record) held() (time.Duration, bool) {
	d := r.taken.Sub(r.t0)
	return d, !r.taken.IsZero() && d >= heldBound && r.first.After(r.taken)
}

// begin sets t0 and what the connection took before it.
func (r *record) begin(t0 time.Time, connect time.Duration) {
	r.t0, r.res.Start, r.res.Connect = t0, t0, connect
}

// event takes in one event; token tells that it counted as a token event. A non-empty outcome
// says why the request has failed.
func (r *record) event(ev answer.Event) (token bool, failure workload.Outcome, why string) {
	if ev.Accepted {
		if !r.begun {
			r.taken = ev.At
		}
		r.begun = true
		return false, "", ""
	}
	r.begun = true
	if r.res.ResponseID == "" {
		r.res.ResponseID = ev.ID
	}
	if ev.Model != "" {
		r.res.Answered = ev.Model
		if ev.Model != r.asked {
			return false, workload.OutcomeModelMismatch, r.mismatch(ev.Model)
		}
	}
	if ev.Usage != (answer.Usage{}) {
		r.usage = ev.Usage
	}
	if ev.Server != nil {
		r.stats = ev.Server
	}
	if ev.Energy > 0 {
		r.res.EnergyJoules = ev.Energy
	}
	kind := r.dialect.token(ev.Delta)
	if kind != answer.None {
		r.token(ev.At, kind == answer.Content)
	}
	if ev.Finish != "" {
		r.finish = ev.Finish
	}
	return kind != answer.None, "", ""
}

func (r *record) mismatch(answered string) string {
	why := fmt.Sprintf("asked for model %q, was answered by %q", r.asked, answered)
	if cause := r.dialect.traits().substitutes; cause != "" {
		return why + ": " + cause
	}
	return why + fmt.Sprintf("; if that is the model meant, name it: EXOBENCH_MODELS=…,%s=%s", r.res.Model, answered)
}

// token counts a token event. What a node that ignores max_tokens sends beyond is read but not
// measured: every model answers for the same number of tokens.
func (r *record) token(at time.Time, content bool) {
	if r.dialect.traits().unbounded && r.maxTokens > 0 && r.res.TokenEvents >= r.maxTokens {
		r.bound = true
		return
	}
	switch {
	case r.res.TokenEvents == 0:
		r.first = at
	case at.After(r.last):
		r.res.Gaps = append(r.res.Gaps, at.Sub(r.last))
	default:
		r.res.Coalesced++
	}
	r.last = at
	r.res.TokenEvents++
	if content && r.res.TTFO == 0 {
		r.res.TTFO = at.Sub(r.t0)
	}
}

// fail ends the record with a failure.
func (r *record) fail(o workload.Outcome, why string) workload.Result {
	r.times()
	r.count()
	r.res.Outcome, r.res.Err = o, why
	return r.res
}

// done ends the record of an answer that came to its proper end, and judges it.
func (r *record) done() workload.Result {
	r.times()
	r.count()
	r.res.Outcome = workload.OutcomeOK
	switch {
	case r.finish == "":
		r.res.Outcome, r.res.Err = workload.OutcomeTruncated, r.cutOff(nil)
	case r.res.OutputTokens == 0 || !r.whole && r.res.TokenEvents == 0:
		r.res.Outcome, r.res.Err = workload.OutcomeEmpty, "the answer ended properly but holds no token"
	case r.cold && r.warm():
		r.res.Outcome = workload.OutcomeProtocolError
		r.res.Err = fmt.Sprintf("the prompt was to be computed but came from exo's prefix cache: %d of %d tokens cached, prefix_cache_hit %q",
			r.res.CachedTokens, r.res.PromptTokens, r.hit())
	default:
		if d, held := r.held(); held {
			r.res.Outcome = workload.OutcomeProtocolError
			r.res.Err = fmt.Sprintf("exo held the request back for %v before it took it up, as it does while a master is elected: "+
				"the time to first token is not the model's", d.Round(time.Millisecond))
		}
	}
	return r.res
}

// cutOff says that the answer ended too early, and by which error if there was one.
func (r *record) cutOff(err error) string {
	why := fmt.Sprintf("the answer ended after %d tokens without a finish_reason", r.res.TokenEvents)
	if err != nil {
		why += ": " + err.Error()
	}
	return why
}

// times fills in the durations that token events give.
func (r *record) times() {
	if r.res.TokenEvents == 0 {
		return
	}
	r.res.Timed = true
	r.res.TTFT = r.first.Sub(r.t0)
	r.res.Decode = r.last.Sub(r.first)
	r.res.E2E = r.last.Sub(r.t0)
}

// count chooses the best source of the output token count, and takes over what the server says.
func (r *record) count() {
	if r.stats != nil {
		r.res.Server = r.stats
		r.res.PromptTokens = r.stats.PromptTokens
	}
	r.res.OutputTokens, r.res.TokenSource = r.res.TokenEvents, workload.TokensFromEvents
	if r.stats != nil && r.stats.GenerationTokens > 0 {
		r.res.OutputTokens, r.res.TokenSource = r.stats.GenerationTokens, workload.TokensFromStats
	}
	if r.usage.Prompt > 0 {
		r.res.PromptTokens = r.usage.Prompt
	}
	r.res.CachedTokens = r.usage.Cached
	if r.usage.Completion > 0 {
		r.res.OutputTokens, r.res.TokenSource = r.usage.Completion, workload.TokensFromUsage
	}
	r.res.FinishReason = r.finish
	if r.res.OutputTokens == 0 {
		r.res.TokenSource = ""
	}
	r.res.TokenMismatch = r.res.Timed && r.res.OutputTokens != r.res.TokenEvents
}

// warm reports whether the prompt was found in a prefix cache. A partial hit of less than
// half is the head that chat templates put before every prompt.
func (r *record) warm() bool {
	return r.hit() == "exact" || (r.res.PromptTokens > 0 && 2*r.res.CachedTokens >= r.res.PromptTokens)
}

func (r *record) hit() string {
	if r.stats == nil {
		return ""
	}
	return r.stats.PrefixCacheHit
}
