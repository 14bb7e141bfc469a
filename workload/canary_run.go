package workload

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// longestCanary is after what time no further question of a turn is put, and others' work is not waited for any more.
const longestCanary = 2 * time.Minute

// ask puts the canary's questions to the model of a turn whose prompts have been measured; nil where none are due. Nothing
// that comes of it harms the turn: a question without an answer ends it, and there is no verdict, for a share of
// fewer questions does not compare.
func (r *Runner) ask(ctx context.Context, s Session, m Model, t Turn) *Asked {
	asker, can := s.(Asker)
	if r.o.Canary == nil || !can || !t.Outcome.Good() || ctx.Err() != nil || ended(s) != "" {
		return nil
	}
	a := &Asked{Version: r.o.Canary.Version}
	if m.Facts().Thinks {
		a.Reason = fmt.Sprintf("%s thinks before it answers, for longer than the questions' tokens", m.Name)
		return a
	}
	until := time.Now().Add(longestCanary)
	var results []Result
	for i, p := range r.o.Canary.Prompts {
		var res Result
		if time.Now().Before(until) {
			res = asker.Ask(ctx, until, Request{
				Model: m.Name, Prompt: p, Temperature: r.o.Canary.Temperature, Seed: r.o.Canary.Seed, Expect: &r.o.Canary.Expect[i],
			})
		}
		if ctx.Err() != nil {
			return nil
		}
		if a.Reason = noVerdict(until, res); a.Reason != "" {
			a.Right, a.Wrong = 0, nil
			r.o.Logger.Info("The questions to a model are given up", "model", m.Name, "question", p.ID, "because", a.Reason)
			return a
		}
		res.Epoch.SHA256 = r.canary256
		results = append(results, res)
		if res.Verdict == VerdictRight {
			a.Right++
		} else {
			a.Wrong = append(a.Wrong, p.ID)
		}
	}
	var repeats []Repeats // compared when all have a verdict: a change that is found is told with them
	for _, res := range results {
		repeats = append(repeats, r.o.Witness.Compare(res))
	}
	a.Of, a.Repeats = len(r.o.Canary.Prompts), strongest(repeats)
	return a
}

// noVerdict says why a question that was to be put until then was not answered; empty when it was.
func noVerdict(until time.Time, res Result) string {
	switch {
	case !res.OK() && !time.Now().Before(until):
		return fmt.Sprintf("they took longer than %s", longestCanary)
	case !res.OK():
		return fmt.Sprintf("%s: %s", res.Outcome, res.Err)
	case res.Contended:
		return "other people's work runs on the node"
	case res.Verdict == VerdictThought:
		return "the model thinks before it answers, for longer than the questions' tokens"
	case !slices.Contains([]Verdict{VerdictRight, VerdictWrong}, res.Verdict):
		return "the answer's text was not seen"
	}
	return ""
}
