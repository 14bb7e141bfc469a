package workload

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// longestCanary bounds what the questions of a turn may take, waiting for others' work included.
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
	within, cancel := context.WithTimeout(ctx, longestCanary)
	defer cancel()
	var repeats []Repeats
	for i, p := range r.o.Canary.Prompts {
		res := asker.Ask(within, Request{
			Model: m.Name, Prompt: p, Temperature: r.o.Canary.Temperature, Seed: r.o.Canary.Seed, Expect: &r.o.Canary.Expect[i],
		})
		if ctx.Err() != nil {
			return nil
		}
		if a.Reason = noVerdict(within, res); a.Reason != "" {
			a.Right, a.Wrong = 0, nil
			r.o.Logger.Info("The questions to a model are given up", "model", m.Name, "question", p.ID, "because", a.Reason)
			return a
		}
		res.Epoch.SHA256 = r.canary256
		repeats = append(repeats, r.o.Witness.Compare(res))
		if res.Verdict == VerdictRight {
			a.Right++
		} else {
			a.Wrong = append(a.Wrong, p.ID)
		}
	}
	a.Of, a.Repeats = len(r.o.Canary.Prompts), strongest(repeats)
	return a
}

// noVerdict says why a question was not answered; empty when it was.
func noVerdict(ctx context.Context, res Result) string {
	switch {
	case ctx.Err() != nil:
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
