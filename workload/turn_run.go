package workload

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// warmupTokens bounds the discarded request that opens a turn.
const warmupTokens = 16

// hopelessAfter is the number of requests that may fail one after the other without an
// answer (no connection, or silence until a timeout) before the rest of a turn is given up:
// ten prompts that each wait two minutes for a dead runner would rob the other models.
const hopelessAfter = 2

// turn runs one model's part of a cycle. reached is false when the node could not be reached.
func (r *Runner) turn(ctx context.Context, cycle int, m Model) (t Turn, reached bool) {
	t = Turn{Cycle: cycle, Model: m.Name, Start: time.Now()}
	r.each(func(o Observer) { o.TurnStarted(m.Name, t.Start) })
	defer func() { t.Duration = time.Since(t.Start) }()

	rec := r.o.Meter.Begin(m.Name)
	defer func() {
		t.Memory = rec.End(ctx, t.Load.Loaded)
		t.Memory.Shared = t.Memory.Shared || t.Load.Shared
	}()
	rec.Mark(PhaseLoading)
	session, err := r.o.Target.Open(ctx, m)
	if err != nil {
		t.Outcome, t.Reason, t.Fix, reached = openFailure(err)
		if !reached && ctx.Err() == nil {
			t.Results = r.unsent(ctx, t, r.o.Suite.Prompts, dueOutcome(err), t.Reason)
		}
		t.Quality = r.judged(ctx, t)
		return t, reached
	}
	t.ExoModel = session.ExoModel()
	if s, ok := session.(Hosted); ok {
		t.Host = s.Host()
	}
	t.Load = session.Load()
	reached = r.measure(ctx, session, rec, &t)
	t.judge(len(r.o.Suite.Prompts))
	t.Load = session.Load() // an implicit load shows only with the first request
	rec.Mark(PhaseReleasing)
	t.Asked = r.ask(ctx, session, m, t)
	t.Quality = r.judged(ctx, t)
	if err := session.Close(ctx); err != nil {
		r.o.Logger.Warn("Could not give back what the turn created", "model", m.Name, "err", err)
	} else if t.Load = session.Load(); t.Load.Owned { // or it was kept
		rec.Mark(PhaseReleased)
	}
	return t, reached
}

// judged says how good the answers of a turn are, which one that was canceled tells nothing of.
func (r *Runner) judged(ctx context.Context, t Turn) []Quality {
	if ctx.Err() != nil {
		return nil
	}
	return r.o.Witness.Judge(t)
}

// measure puts the warm-up and then every prompt to the model.
func (r *Runner) measure(ctx context.Context, s Session, rec Recording, t *Turn) (reached bool) {
	prompts := r.o.Suite.Prompts
	warmup := prompts[0]
	warmup.MaxTokens = min(warmup.MaxTokens, warmupTokens)
	req := Request{Model: t.Model, Temperature: r.o.Suite.Temperature, Seed: r.o.Suite.Seed, Prompt: warmup, Warmup: true}
	last := r.put(ctx, s, req)
	if !last.OK() && ctx.Err() == nil {
		r.o.Logger.Warn("Warm-up failed", "model", t.Model, "outcome", last.Outcome, "err", last.Err)
	}
	rec.Mark(PhaseMeasure)
	end := r.o.Surroundings.Watch()
	defer func() { t.Conditions = end() }()
	silent := 0
	for i, p := range prompts {
		if last.Outcome.silent() {
			silent++
		} else {
			silent = 0
		}
		if why := ended(s); why != "" {
			t.Reason = fmt.Sprintf("%s; %d prompts not sent", why, len(prompts[i:]))
			break
		}
		if silent >= hopelessAfter {
			rest := prompts[i:]
			t.Reason = fmt.Sprintf("given up after %d requests in a row without an answer (%s); %d prompts not sent", silent, last.Err, len(rest))
			if last.Outcome.unasked() {
				t.Results = append(t.Results, r.unsent(ctx, *t, rest, last.Outcome, last.Err)...)
			}
			break
		}
		req.Prompt, req.Warmup = p, false
		last = r.put(ctx, s, req)
		if ctx.Err() != nil {
			return true
		}
		t.Results = append(t.Results, last)
		if !last.OK() {
			r.o.Logger.Warn("Request failed", "model", t.Model, "prompt", p.ID, "outcome", last.Outcome, "err", last.Err)
		}
		r.each(func(o Observer) { o.RequestDone(last) })
	}
	return !last.Outcome.unasked()
}

// ended says why no further prompt is worth putting; empty while one is.
func ended(s Session) string {
	if e, ok := s.(Ender); ok {
		return e.Ended()
	}
	return ""
}

// put puts one prompt to the model. It is the one gate by which a Result enters the program: what
// was asked and by which workload is noted on it, and a Result with a figure that cannot be true
// becomes a failure without any.
func (r *Runner) put(ctx context.Context, s Session, req Request) Result {
	res := s.Measure(ctx, req)
	res.AskedTokens, res.Epoch.SHA256 = req.Prompt.MaxTokens, r.sha256
	if err := res.Check(req.Prompt); err != nil {
		return res.implausible(err)
	}
	if !req.Warmup {
		res.Repeats = r.o.Witness.Compare(res)
	}
	return res
}

// silent reports whether the node gave no answer at all.
func (o Outcome) silent() bool {
	switch o {
	case OutcomeFirstTokenTimeout, OutcomeIdleTimeout, OutcomeTotalTimeout:
		return true
	}
	return o.unasked()
}

// unasked reports whether the request never came to the node.
func (o Outcome) unasked() bool { return o == OutcomeConnectError || o == OutcomeExporterError }

// dueOutcome returns the outcome of prompts that were due when Open failed with err.
func dueOutcome(err error) Outcome {
	switch {
	case errors.As(err, new(*OwnError)):
		return OutcomeExporterError
	case errors.As(err, new(*AnsweredError)):
		return OutcomeHTTPError
	}
	return OutcomeConnectError
}

// unsent accounts for prompts that were due while the node could not be reached or asked: each is a
// request that failed, so that an outage shows in the success ratio.
func (r *Runner) unsent(ctx context.Context, t Turn, prompts []Prompt, outcome Outcome, reason string) []Result {
	var all []Result
	for _, p := range prompts {
		if ctx.Err() != nil {
			break
		}
		res := Result{
			Model: t.Model, ExoModel: t.ExoModel, Prompt: p.ID, Kind: p.Kind, Start: time.Now(),
			Outcome: outcome, Err: reason,
		}
		all = append(all, res)
		r.each(func(o Observer) { o.RequestDone(res) })
	}
	return all
}

// judge sets the turn's outcome from its results; due is how many there should be.
func (t *Turn) judge(due int) {
	ok := len(t.OKResults())
	switch {
	case ok == due:
		t.Outcome = TurnOK
		return
	case ok > 0:
		t.Outcome = TurnPartial
	default:
		t.Outcome = TurnFailed
	}
	if t.Reason == "" {
		for _, res := range t.Results {
			if !res.OK() {
				t.Reason = fmt.Sprintf("%d of %d requests failed; the first: %s: %s", due-ok, due, res.Outcome, res.Err)
				break
			}
		}
	}
}
