package exo

import (
	"fmt"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/exo/answer"
)

// record collects what happens to one request and becomes its Result.
type record struct {
	dialect dialect
	asked   string // id of the model
	answers string // id by which it may answer beside that; empty for none
	text    int    // bytes of text that no cache can have seen in a prompt; 0 where one may have

	res    workload.Result // identity, filled in at the start
	t0     time.Time
	begun  bool      // something of the answer came
	taken  time.Time // when exo said that it had taken the request up; zero where it does not say
	whole  bool      // the answer came as one document
	marked bool      // the answer ended by the dialect's mark of the end
	late   string    // which figure the exporter's own lateness has spoilt; empty for none, or where that is not known
	twins  bool      // something on the way sent each event twice
	always bool      // a finish_reason comes with every token, so that it tells nothing before the end

	looks    func() []answer.Span // when the exporter asked the node for something else meanwhile; nil for never
	evidence answer.Evidence
	reading  *answer.Reading // of the text
	question bool            // nothing is timed
}

// heldBound is from when on the time that exo takes to take a request up is not the model's any
// more. It is milliseconds, but while a master is elected (three seconds and more) exo holds
// requests back.
const heldBound = time.Second

// begin sets t0 and what the connection took before it.
func (r *record) begin(t0 time.Time, connect time.Duration) {
	r.t0, r.evidence.Sent, r.res.Start, r.res.Connect = t0, t0, t0, connect
}

// event takes in one event; token tells that it counted as a token event. A non-empty outcome
// says why the request has failed.
func (r *record) event(ev answer.Event) (token bool, failure workload.Outcome, why string) {
	if ev.Accepted && !r.begun {
		r.taken = ev.At
	}
	r.begun = true
	if r.res.ResponseID == "" {
		r.res.ResponseID = ev.ID
	}
	if ev.Model != "" {
		r.res.Answered = ev.Model
		if ev.Model != r.asked && ev.Model != r.answers {
			return false, workload.OutcomeModelMismatch, r.mismatch(ev.Model)
		}
	}
	r.engine(ev.Engine)
	if ev.Energy > 0 {
		r.res.EnergyJoules, r.res.EnergySource = float64(ev.Energy), workload.EnergyFromAnswer
	}
	kind := r.dialect.token(ev.Delta)
	if kind != answer.None && r.evidence.Finish != "" && ev.Finish == "" {
		return true, workload.OutcomeProtocolError, "tokens came after the finish_reason " + r.evidence.Finish
	}
	r.always = r.always || kind != answer.None && r.evidence.Finish != "" && r.evidence.Events() > 0
	before := len(r.evidence.Arrivals)
	r.evidence.Add(ev, kind)
	if r.whole || len(r.evidence.Arrivals) > before { // and not beyond what was asked for
		r.reading.Add(ev.Delta)
	}
	return kind != answer.None, "", ""
}

func (r *record) mismatch(answered string) string {
	why := fmt.Sprintf("asked for model %q, was answered by %q", r.asked, answered)
	if cause := r.dialect.traits().substitutes; cause != "" {
		return why + ": " + cause
	}
	return why + fmt.Sprintf("; if that is the model meant, say so: EXOBENCH_MODELS=…,%s=%s=%s", r.res.Model, r.asked, answered)
}

// complete reports whether everything that was asked for has come: there is a finish_reason, or,
// where the mark of the end does as well, as many tokens as were asked for.
func (r *record) complete() bool {
	return r.evidence.Finish != "" && !r.always || r.dialect.traits().marked && r.full()
}

func (r *record) full() bool {
	n := max(r.evidence.Events(), int(r.evidence.Usage.Completion))
	return r.evidence.Asked > 0 && n >= r.evidence.Asked && r.counted()
}

// counted reports whether the node has counted the tokens.
func (r *record) counted() bool { return r.evidence.Usage.Completion > 0 }

// fail ends the record with a failure.
func (r *record) fail(o workload.Outcome, why string) workload.Result {
	r.conclude()
	r.res.Outcome, r.res.Err = o, why
	return r.res
}

// done ends the record of an answer that came to its proper end, and judges it.
func (r *record) done() workload.Result {
	tally, shape := r.conclude()
	r.res.Outcome = workload.OutcomeOK
	ended := r.evidence.Finish != "" || r.marked && (r.evidence.Extra > 0 || r.dialect.traits().marked && (r.counted() || r.full()))
	switch {
	case !ended:
		r.res.Outcome, r.res.Err = workload.OutcomeTruncated, r.cutOff(nil)
	case r.res.OutputTokens == 0 && len(tally.Disbelieved) > 0:
		r.res.Outcome = workload.OutcomeProtocolError
		r.res.Err = "the node's own figures cannot be true: " + fmt.Sprint(tally.Disbelieved)
	case r.res.OutputTokens == 0 || !r.whole && r.res.TokenEvents == 0:
		r.res.Outcome, r.res.Err = workload.OutcomeEmpty, "the answer ended properly but holds no token"
	case r.question: // put without care for its time
	case r.warm():
		r.res.Outcome = workload.OutcomeProtocolError
		r.res.Err = fmt.Sprintf("the prompt was to be computed but came from a prefix cache: %d of %d tokens cached, prefix_cache_hit %q",
			r.res.CachedTokens, r.res.PromptTokens, r.evidence.Stats.CacheHit)
	case shape.Buffered != "":
		r.res.Outcome, r.res.Err = workload.OutcomeBuffered, shape.Buffered
	case r.held(shape) > 0:
		r.res.Outcome = workload.OutcomeProtocolError
		r.res.Err = fmt.Sprintf("exo held the request back for %v before it took it up, as it does while a master is elected: "+
			"the time to first token is not the model's", r.held(shape).Round(time.Millisecond))
	default:
		r.res.Disbelieved = append(r.res.Disbelieved, r.res.DisbelievedRates()...)
	}
	return r.res
}

// held returns how long the node held the request back before it took it up; 0 when it did not,
// or does not tell. What comes together with the first token tells nothing: something on the way
// collects what the node sends.
func (r *record) held(s answer.Shape) time.Duration {
	d := r.taken.Sub(r.t0)
	if r.taken.IsZero() || d < heldBound || !s.First.After(r.taken) {
		return 0
	}
	return d
}

// cutOff says that the answer ended too early, and by which error if there was one.
func (r *record) cutOff(err error) string {
	why := fmt.Sprintf("the answer ended after %d tokens without a finish_reason", r.res.TokenEvents)
	if err != nil {
		why += ": " + err.Error()
	}
	return why
}
