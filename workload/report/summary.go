package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"exo-bench-exporter/workload"
	"exo-bench-exporter/workload/compare"
	"exo-bench-exporter/workload/judge"
)

// summary says what a person would, the most important first. Of order and change it says only what is beyond doubt.
func (a *analysis) summary(r Report) []string {
	turns, models := compare.Several(r.Turns, "turn"), compare.Several(len(r.Models), "model")
	all := []string{fmt.Sprintf("%s of %s, %s: %s of %s requests succeeded.",
		turns, models, r.Period(), compare.Thousands(r.OK), compare.Thousands(r.Requests))}
	all = append(all, a.failures()...)
	all = append(all, a.worse(r)...)
	all = append(all, a.order()...)
	return append(all, a.changes(r)...)
}

// failures says which models gave no figures, or not always. That the exporter was told to stop is no failure.
func (a *analysis) failures() (all []string) {
	for _, m := range a.rows {
		turns, requests := without(m.Turns, string(workload.TurnCanceled)), without(m.Requests, string(workload.OutcomeCanceled))
		switch {
		case m.Asked == 0 && len(turns) > 0:
			all = append(all, fmt.Sprintf("%s was never measured: %s.", m.Name, breakdown(turns)))
		case m.Failed() > 0 && m.OK == 0:
			all = append(all, fmt.Sprintf("%s answered none of %s: %s.", m.Name, compare.Several(m.Asked, "request"), breakdown(requests)))
		case m.Failed() > 0:
			all = append(all, fmt.Sprintf("%s failed in %s of %s: %s.",
				m.Name, compare.Thousands(m.Failed()), compare.Several(m.Asked, "request"), breakdown(without(requests, string(workload.OutcomeOK)))))
		}
	}
	return all
}

// without returns counts but for those of a name.
func without(counts []Count, name string) []Count {
	return slices.DeleteFunc(slices.Clone(counts), func(c Count) bool { return c.Name == name })
}

// breakdown says how often what happened.
func breakdown(counts []Count) string {
	words := make([]string, 0, len(counts))
	for _, c := range counts {
		words = append(words, fmt.Sprintf("%s (%s)", c.Words, compare.Thousands(c.N)))
	}
	return list(words)
}

// order says how the models compare on the prompts that they have in common.
func (a *analysis) order() (all []string) {
	rankings := compare.Models(a.side, compare.Margin)
	i := slices.IndexFunc(rankings, func(r compare.Ranking) bool { return r.Quantity.Name == decode.Name })
	if i < 0 {
		return nil
	}
	ranks := rankings[i].Ranks
	first, last := ranks[0].Model, ranks[len(ranks)-1].Model
	c, ok := a.between(decode, last, first)
	if !ok || c.Verdict != compare.Higher {
		few := min(ranks[0].Turns, ranks[len(ranks)-1].Turns)
		if ok && c.Verdict == compare.Same {
			return []string{"All models decode equally fast, within 2 %."}
		}
		return []string{fmt.Sprintf("Which model decodes fastest cannot be told from %s a model: needs about %d more.",
			compare.Several(few, "turn"), c.More)}
	}
	all = append(all, fmt.Sprintf("%s is %s%s%s.", first, faster(c.Ratio), last, a.atMemory(last, first)))
	all = append(all, ties(ranks)...)
	if s, ok := a.extremes(rankings, ttft, "The first token comes soonest from %s, after %s, and latest from %s, after %s."); ok {
		all = append(all, s)
	}
	if s, ok := a.extremes(rankings, energy, "A token takes least energy of %s, %s, and most of %s, %s."); ok {
		all = append(all, s)
	}
	return all
}

// between compares two models.
func (a *analysis) between(q compare.Quantity, one, other string) (compare.Change, bool) {
	return compare.Between(q, a.side.Turns[one], a.side.Turns[other], compare.Margin)
}

// faster says how a ratio that is beyond doubt is put before the name of the slower model.
func faster(i compare.Interval) string {
	if i.Centre < 0.3 {
		return fmt.Sprintf("%.0f %% faster (%.1f to %.1f %%) than ", 100*i.Centre, 100*i.Low, 100*i.High)
	}
	return fmt.Sprintf("%s as fast (%.2f to %.2f ×) as ", times(1+i.Centre), 1+i.Low, 1+i.High)
}

// atMemory says what share of the memory of one the other takes, where that is beyond doubt.
func (a *analysis) atMemory(one, other string) string {
	c, ok := a.between(footprint, one, other)
	if !ok {
		c, ok = a.between(memory, one, other)
	}
	switch {
	case !ok || !c.Known:
		return ""
	case c.Verdict == compare.Same:
		return " with as much memory"
	case c.Verdict == compare.Lower:
		return fmt.Sprintf(" at %.0f %% of its memory", 100*(1+c.Ratio.Centre))
	case c.Verdict == compare.Higher:
		return fmt.Sprintf(" with %s its memory", times(1+c.Ratio.Centre))
	}
	return ""
}

// ties names the neighbours of a ranking whose order is within the noise.
func ties(ranks []compare.Rank) (all []string) {
	for i := 1; i < len(ranks); i++ {
		switch c := ranks[i].Against; c.Verdict {
		case compare.Same:
			all = append(all, fmt.Sprintf("%s and %s decode equally fast, within 2 %%.", ranks[i-1].Model, ranks[i].Model))
		case compare.Unknown:
			all = append(all, fmt.Sprintf("Of %s and %s it cannot be told which decodes faster: needs about %d more turns.",
				ranks[i-1].Model, ranks[i].Model, c.More))
		}
	}
	return all
}

// extremes fills best and worst into a sentence where the difference is beyond doubt.
func (a *analysis) extremes(rankings []compare.Ranking, q compare.Quantity, sentence string) (string, bool) {
	i := slices.IndexFunc(rankings, func(r compare.Ranking) bool { return r.Quantity.Name == q.Name })
	if i < 0 {
		return "", false
	}
	best, worst := rankings[i].Ranks[0], rankings[i].Ranks[len(rankings[i].Ranks)-1]
	c, ok := a.between(q, best.Model, worst.Model)
	if !ok || c.Verdict != compare.Higher {
		return "", false
	}
	return fmt.Sprintf(sentence, best.Model, q.Amount(best.Value), worst.Model, q.Amount(worst.Value)), true
}

// changes says what the judge of speeds does at the end.
func (a *analysis) changes(r Report) (all []string) {
	learnt := len(a.verdicts) > 0
	for _, v := range a.verdicts {
		learnt = learnt && (!v.Learning || v.Model == "")
		for _, alarm := range v.Alarms {
			decoding, with := a.alongside(v, alarm)
			switch {
			case v.Quantity != judge.Decode && decoding:
				// said with the change of decoding
			case v.Quantity == judge.Decode && len(with) > 0:
				all = append(all, strings.TrimSuffix(change(v, alarm, r), ".")+"; "+list(with)+" changed with it.")
			default:
				all = append(all, change(v, alarm, r))
			}
		}
	}
	if len(all) == 0 && learnt {
		all = append(all, "No model became slower or faster in this time, as far as the judge of speeds can tell.")
	}
	return all
}

// near is how far apart the begins of one change of several quantities are found.
const near = 6 * time.Hour

// alongside says whether decoding changed in the way of alarm, which is of v, at about the same time, and what else did.
func (a *analysis) alongside(v judge.Verdict, alarm judge.Alarm) (decoding bool, others []string) {
	names := map[judge.Quantity]string{judge.Prefill: "prefill", judge.TTFT: "the first token"}
	for _, other := range a.verdicts {
		found, ok := other.Find(alarm.Kind)
		if !ok || other.Model != v.Model || other.Quantity == v.Quantity || found.Since.Sub(alarm.Since).Abs() > near {
			continue
		}
		if other.Quantity == judge.Decode {
			decoding = true
		} else {
			others = append(others, names[other.Quantity])
		}
	}
	return decoding, others
}

// verbs of the changes of which a model as a whole has a share.
var verbs = map[judge.Kind]string{
	judge.Drop: "lost", judge.Collapse: "lost", judge.Drift: "lost little by little", judge.Gain: "gained",
}

// change says what an alarm is about.
func change(v judge.Verdict, a judge.Alarm, r Report) string {
	who := v.Model
	if who == "" {
		who = "The whole node"
	}
	verb := verbs[a.Kind]
	if v.Quantity == judge.TTFT || verb == "" {
		return who + ": " + judge.News{Verdict: v, Alarm: a}.Words(r.To) + "."
	}
	of := "decode speed"
	if v.Quantity == judge.Prefill {
		of = "prefill speed"
	}
	share := func(ratio float64) float64 { return 100 * math.Abs(ratio) }
	s := fmt.Sprintf("%s %s %.0f %% of its %s since %s (%.1f to %.1f %%)", who, verb, share(a.Ratio), of, moment(a.Since, r.To),
		min(share(a.Low), share(a.High)), max(share(a.Low), share(a.High)))
	if a.Shared {
		s += ", as the whole node did"
	}
	return s + "."
}
